// All traces that are at hand beside the repository, played with stamps. They are large: without the folder this says so.

import { existsSync, readdirSync } from "node:fs";
import { readTraceFile, replay } from "@morecore/inspect";
import { Heap } from "morecore";
import { describe, expect, it } from "vitest";

const folder = new URL("../../../shared/traces/", import.meta.url);
const here = existsSync(folder);
const files = here ? readdirSync(folder).filter((name) => name.endsWith(".mct.gz")) : [];
if (!here) console.log("all-traces: no folder of large traces beside the repository; they are not played");

describe.skipIf(!here)("a large trace plays without an error", () => {
  for (const name of files) {
    it(name, () => {
      const trace = readTraceFile(new URL(name, folder).pathname);
      const heap = Heap.create();
      const result = replay(trace, heap, { checkEvery: 1_000_000 });
      expect(result.errors).toEqual([]);
      expect(heap.mallinfo().ordblks).toBe(1);
    });
  }
});
