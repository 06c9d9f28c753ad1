// Bins: the two ways from a size to a bin, and the way back.

import { describe, expect, it } from "vitest";
import { binOf, floorOf, leadOf, sureBinOf } from "../../src/offset/bins.ts";
import { BIN_COUNT, BIN_WORDS } from "../../src/offset/state.ts";

const MOST = Number.MAX_SAFE_INTEGER;
/** Bins that a whole number can lie in: between 1 and 16 not all do. */
const BINS = Array.from({ length: BIN_COUNT }, (_, bin) => bin).filter((bin) => binOf(floorOf(bin)) === bin);

describe("sizes and bins", () => {
  it("the smallest size of a bin lies in it, and one less does not", () => {
    for (const bin of BINS) {
      expect(binOf(floorOf(bin))).toBe(bin);
      if (floorOf(bin) > 1) expect(binOf(floorOf(bin) - 1)).toBeLessThan(bin);
    }
    expect(BINS.length, "bins of 1 to 16, then 16 for each doubling up to 2^53").toBe(16 + 16 * 49 - 1);
  });

  it("a bin holds a range of less than a sixteenth, and one size up to 32", () => {
    for (const bin of BINS) {
      const least = floorOf(bin);
      const most = floorOf(bin + 1) - 1;
      expect(binOf(most)).toBe(bin);
      expect(most - least).toBeLessThan(least / 16);
      if (least < 32) expect(most).toBe(least);
    }
  });

  it("all holes of a sure bin have room, and not all of the one below", () => {
    for (const bin of BINS) {
      const least = floorOf(bin);
      expect(sureBinOf(least)).toBe(bin);
      const most = floorOf(bin + 1) - 1;
      if (most > least) expect([sureBinOf(least + 1), sureBinOf(most)]).toEqual([bin + 1, bin + 1]);
    }
  });

  it("every size up to the largest has a bin, and the largest no sure one", () => {
    expect(binOf(1)).toBe(0);
    expect(binOf(MOST)).toBe(BIN_COUNT - 1);
    expect(sureBinOf(MOST)).toBe(BIN_COUNT);
    expect(BIN_WORDS, "the summary is one word").toBeLessThan(32);
  });
});

describe("leads", () => {
  it.each([
    [0, 7, 0],
    [1, 256, 255],
    [256, 256, 0],
    [100, 12, 8],
    [2 ** 52 + 1, 2 ** 52, 2 ** 52 - 1],
    [MOST - 2, 3, 1],
  ])("from %d to a multiple of %d it is %d", (offset, alignment, lead) => {
    expect(leadOf(offset, alignment)).toBe(lead);
    expect(BigInt(offset + lead) % BigInt(alignment)).toBe(0n);
  });
});
