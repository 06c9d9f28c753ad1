import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const TYPED = new URL("../../src/typed/", import.meta.url);

it("scalar-access.ts is what its generator writes", () => {
  const written = execFileSync(process.execPath, [fileURLToPath(new URL("scalar-access.gen.mjs", TYPED))], {
    encoding: "utf8",
  });
  expect(readFileSync(new URL("scalar-access.ts", TYPED), "utf8")).toBe(written);
});
