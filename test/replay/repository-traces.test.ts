// The traces of the repository, played with stamps: what real programs do is done right.

import { readdirSync } from "node:fs";
import { readTraceFile, replay } from "@morecore/inspect";
import { Heap } from "morecore";
import { describe, expect, it } from "vitest";

const folder = new URL("../../traces/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".mct.gz"));
/** The small ones are checked often; check() visits every chunk, so the others seldom. */
const SMALL = "-20k";

describe("a trace of a real program plays without an error", () => {
  it("finds the seven traces of the repository", () => {
    expect(files).toHaveLength(7);
  });

  for (const name of files) {
    const checkEvery = name.includes(SMALL) ? 50 : 100_000;
    it(`${name}, checked every ${checkEvery} calls`, () => {
      const trace = readTraceFile(new URL(name, folder).pathname);
      const heap = Heap.create();
      const result = replay(trace, heap, { checkEvery });
      expect(result.errors).toEqual([]);
      expect(result.stopped).toBe(false);
      expect(result.peakFootprint).toBeGreaterThan(trace.peakLiveBytes);
      expect(heap.mallinfo().ordblks).toBe(1);
    });
  }

  it("leaves one top chunk also in a region of a SharedArrayBuffer, with options of its own", () => {
    const memory = new SharedArrayBuffer(4 << 20);
    const heap = Heap.create({ memory, base: 4096, size: 3 << 20, smallLimit: 0, growthStep: 4096 });
    const trace = readTraceFile(new URL("perl-20k.mct.gz", folder).pathname);
    expect(replay(trace, heap, { checkEvery: 50 }).errors).toEqual([]);
    expect(heap.mallinfo().ordblks).toBe(1);
  });
});
