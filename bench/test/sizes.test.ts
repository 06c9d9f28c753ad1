// Sizes: that what is weighed is what users get.

import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../test/support/c-program.ts";
import { measureSizes, sizeGoals } from "../suites/sizes/sizes.ts";

test("the kernel is weighed as it is, Heap bundled with all that it needs, minified and gzipped", async () => {
  const sizes = await measureSizes(join(ROOT, "packages/morecore/dist"));
  const kernel = statSync(join(ROOT, "packages/morecore/dist/kernel.wasm")).size;
  expect(sizes.kernelBytes).toBe(kernel);
  // Heap brings the kernel in JavaScript, or the one in wasm, or both: not a line that imports it from elsewhere.
  expect(sizes.heapGzipBytes).toBeGreaterThan(3000);
  expect(sizeGoals(sizes).map(({ goal, measured }) => [goal, measured])).toEqual([
    ["S2", kernel],
    ["S2", sizes.heapGzipBytes],
  ]);
});
