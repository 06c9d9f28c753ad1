// Picture: the heap that the README shows is what the replay of that trace draws today.

import { join } from "node:path";
import { readTraceFile, replay } from "@morecore/inspect";
import { replaySvg } from "@morecore/inspect/pictures";
import { Heap } from "morecore";
import { expect, it } from "vitest";
import { ROOT } from "../support/c-program.ts";

it("docs/pictures/perl-20k.svg is what `morecore replay --svg` draws (vitest run test/docs -u writes it)", async () => {
  const result = replay(readTraceFile(join(ROOT, "traces/perl-20k.mct.gz")), Heap.create(), {
    checkEvery: 0,
  });
  const picture = replaySvg("perl-20k", result);
  expect(picture).toContain("0 errors");
  await expect(picture).toMatchFileSnapshot(join(ROOT, "docs/pictures/perl-20k.svg"));
});
