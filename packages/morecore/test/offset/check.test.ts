// Check: each invariant's function fails on state that break it, and none on sound ones.

import { describe, expect, it } from "vitest";
import { binOf } from "../../src/offset/bins.ts";
import * as check from "../../src/offset/check.ts";
import { firstStamp, SPENT } from "../../src/offset/handle.ts";
import { readImage } from "../../src/offset/image.ts";
import { OffsetAllocator } from "../../src/offset/offset-allocator.ts";
import { isHole, type OffsetState, RANGE, slotAt } from "../../src/offset/state.ts";

/** OffsetState with three holes of 1000 bytes, one of 40, and a spare slot; where their slots are. */
function state(): { state: OffsetState; holes: number[]; small: number; live: number } {
  const allocator = new OffsetAllocator(5000, { tag: 9 });
  const blocks = [1000, 1, 1000, 1, 1000, 1, 40, 1, 5, 1951].map((bytes) => allocator.allocate(bytes));
  for (const index of [0, 2, 4, 6, 8, 9]) {
    const block = blocks[index];
    if (block !== undefined) allocator.free(block);
  }
  const made = readImage(allocator.save());
  const slots = Array.from({ length: made.slotCount }, (_, slot) => slot);
  const sized = (bytes: number) => slots.filter((slot) => isHole(made, slot) && made.sizes[slot] === bytes);
  const live = slots.findIndex((slot) => slot !== RANGE && !isHole(made, slot));
  return { state: made, holes: sized(1000), small: sized(40)[0] ?? RANGE, live };
}

type Break = (made: ReturnType<typeof state>) => unknown;

const BREAKS: readonly (readonly [string, string, (state: OffsetState) => void, Break])[] = [
  ["S2", "a foreign tag", check.checkStamps, ({ state, live }) => set(state.stamps, live, firstStamp(8) + 1)],
  [
    "S2",
    "a version beyond the last",
    check.checkStamps,
    ({ state, live }) => set(state.stamps, live, firstStamp(9) + SPENT + 1),
  ],
  [
    "S2",
    "the range said to be free",
    check.checkStamps,
    ({ state }) => set(state.stamps, RANGE, firstStamp(9)),
  ],
  ["R1", "a region that begins late", check.checkTiling, ({ state, live }) => add(state.offsets, live, 1)],
  [
    "R1",
    "a size that reaches into the next",
    check.checkTiling,
    ({ state, live }) => add(state.sizes, live, 1),
  ],
  ["R1", "an empty region", check.checkTiling, ({ state, live }) => set(state.sizes, live, 0)],
  ["R1", "a range that ends late", check.checkTiling, ({ state }) => add(state.offsets, RANGE, 1)],
  [
    "R1",
    "a ring that does not lead back",
    check.checkTiling,
    ({ state, live, small }) => set(state.after, small, live),
  ],
  [
    "R2",
    "a link down that is wrong",
    check.checkNeighbours,
    ({ state, live }) => set(state.before, live, live),
  ],
  ["R3", "two free neighbours", check.checkMerged, ({ state, live }) => add(state.stamps, live, 1)],
  ["B1", "a bit for an empty bin", check.checkBinMap, ({ state }) => set(state.binMap, 0, 1)],
  ["B1", "no bit in the summary", check.checkBinMap, ({ state }) => Object.assign(state, { binSummary: 0 })],
  [
    "B2",
    "a hole in another bin",
    check.checkBins,
    ({ state, small }) => {
      state.heads[binOf(40)] = 0;
      state.heads[binOf(64)] = small;
    },
  ],
  ["B2", "a hole in no bin", check.checkBins, ({ state }) => set(state.heads, binOf(40), 0)],
  ["B2", "a live region in a bin", check.checkBins, ({ state, small, live }) => set(state.next, small, live)],
  ["B2", "a list that is a circle", check.checkBins, ({ state, small }) => set(state.next, small, small)],
  [
    "B3",
    "a link back that is wrong",
    check.checkBinLinks,
    ({ state, holes }) => {
      for (const hole of holes) state.previous[hole] = hole;
    },
  ],
  [
    "S1",
    "a lost slot",
    check.checkSlots,
    ({ state }) => Object.assign(state, { spare: slotAt(state.next, state.spare) }),
  ],
  ["S1", "a spare slot in use", check.checkSlots, ({ state, live }) => set(state.next, state.spare, live)],
  [
    "S1",
    "spare slots in a circle",
    check.checkSlots,
    ({ state }) => set(state.next, state.spare, state.spare),
  ],
  [
    "C1",
    "free bytes",
    check.checkCounts,
    ({ state }) => Object.assign(state, { freeBytes: state.freeBytes + 1 }),
  ],
  ["C1", "holes", check.checkCounts, ({ state }) => Object.assign(state, { holeCount: state.holeCount + 1 })],
  [
    "C1",
    "allocations",
    check.checkCounts,
    ({ state }) => Object.assign(state, { allocationCount: state.allocationCount + 1 }),
  ],
  [
    "C1",
    "taken slots",
    check.checkCounts,
    ({ state }) => Object.assign(state, { takenSlots: state.takenSlots + 1 }),
  ],
];

function set(column: Float64Array | Int32Array, slot: number, value: number): void {
  column[slot] = value;
}

function add(column: Float64Array | Int32Array, slot: number, by: number): void {
  column[slot] = (column[slot] ?? 0) + by;
}

describe("check", () => {
  it("finds nothing in sound state", () => {
    const { state: sound, holes, small, live } = state();
    check.checkState(sound);
    expect([holes.length, small > 0, live > 0, sound.spare > 0]).toEqual([3, true, true, true]);
  });

  it.each(BREAKS)("%s: %s", (invariant, _what, checkOne, breakIt) => {
    const made = state();
    checkOne(made.state);
    breakIt(made);
    expect(() => checkOne(made.state)).toThrow(expect.objectContaining({ invariant }));
    expect(() => check.checkState(made.state)).toThrow();
  });
});
