// Check: each invariant's function fails on books that break it, and none on sound ones.

import { describe, expect, it } from "vitest";
import { binOf } from "../../src/offset/bins.ts";
import * as check from "../../src/offset/check.ts";
import { firstStamp, SPENT } from "../../src/offset/handle.ts";
import { readImage } from "../../src/offset/image.ts";
import { OffsetAllocator } from "../../src/offset/offset-allocator.ts";
import { type Books, isHole, RANGE, slotAt } from "../../src/offset/state.ts";

/** Books with three holes of 1000 bytes, one of 40, and a spare slot; where their slots are. */
function books(): { books: Books; holes: number[]; small: number; live: number } {
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
  return { books: made, holes: sized(1000), small: sized(40)[0] ?? RANGE, live };
}

type Break = (made: ReturnType<typeof books>) => unknown;

const BREAKS: readonly (readonly [string, string, (books: Books) => void, Break])[] = [
  ["S2", "a foreign tag", check.checkStamps, ({ books, live }) => set(books.stamps, live, firstStamp(8) + 1)],
  [
    "S2",
    "a version beyond the last",
    check.checkStamps,
    ({ books, live }) => set(books.stamps, live, firstStamp(9) + SPENT + 1),
  ],
  [
    "S2",
    "the range said to be free",
    check.checkStamps,
    ({ books }) => set(books.stamps, RANGE, firstStamp(9)),
  ],
  ["R1", "a region that begins late", check.checkTiling, ({ books, live }) => add(books.offsets, live, 1)],
  [
    "R1",
    "a size that reaches into the next",
    check.checkTiling,
    ({ books, live }) => add(books.sizes, live, 1),
  ],
  ["R1", "an empty region", check.checkTiling, ({ books, live }) => set(books.sizes, live, 0)],
  ["R1", "a range that ends late", check.checkTiling, ({ books }) => add(books.offsets, RANGE, 1)],
  [
    "R1",
    "a ring that does not lead back",
    check.checkTiling,
    ({ books, live, small }) => set(books.after, small, live),
  ],
  [
    "R2",
    "a link down that is wrong",
    check.checkNeighbours,
    ({ books, live }) => set(books.before, live, live),
  ],
  ["R3", "two free neighbours", check.checkMerged, ({ books, live }) => add(books.stamps, live, 1)],
  ["B1", "a bit for an empty bin", check.checkBinMap, ({ books }) => set(books.binMap, 0, 1)],
  ["B1", "no bit in the summary", check.checkBinMap, ({ books }) => Object.assign(books, { binSummary: 0 })],
  [
    "B2",
    "a hole in another bin",
    check.checkBins,
    ({ books, small }) => {
      books.heads[binOf(40)] = 0;
      books.heads[binOf(64)] = small;
    },
  ],
  ["B2", "a hole in no bin", check.checkBins, ({ books }) => set(books.heads, binOf(40), 0)],
  ["B2", "a live region in a bin", check.checkBins, ({ books, small, live }) => set(books.next, small, live)],
  ["B2", "a list that is a circle", check.checkBins, ({ books, small }) => set(books.next, small, small)],
  [
    "B3",
    "a link back that is wrong",
    check.checkBinLinks,
    ({ books, holes }) => {
      for (const hole of holes) books.previous[hole] = hole;
    },
  ],
  [
    "S1",
    "a lost slot",
    check.checkSlots,
    ({ books }) => Object.assign(books, { spare: slotAt(books.next, books.spare) }),
  ],
  ["S1", "a spare slot in use", check.checkSlots, ({ books, live }) => set(books.next, books.spare, live)],
  [
    "S1",
    "spare slots in a circle",
    check.checkSlots,
    ({ books }) => set(books.next, books.spare, books.spare),
  ],
  [
    "C1",
    "free bytes",
    check.checkCounts,
    ({ books }) => Object.assign(books, { freeBytes: books.freeBytes + 1 }),
  ],
  ["C1", "holes", check.checkCounts, ({ books }) => Object.assign(books, { holeCount: books.holeCount + 1 })],
  [
    "C1",
    "allocations",
    check.checkCounts,
    ({ books }) => Object.assign(books, { allocationCount: books.allocationCount + 1 }),
  ],
  [
    "C1",
    "taken slots",
    check.checkCounts,
    ({ books }) => Object.assign(books, { takenSlots: books.takenSlots + 1 }),
  ],
];

function set(column: Float64Array | Int32Array, slot: number, value: number): void {
  column[slot] = value;
}

function add(column: Float64Array | Int32Array, slot: number, by: number): void {
  column[slot] = (column[slot] ?? 0) + by;
}

describe("check", () => {
  it("finds nothing in sound books", () => {
    const { books: sound, holes, small, live } = books();
    check.checkBooks(sound);
    expect([holes.length, small > 0, live > 0, sound.spare > 0]).toEqual([3, true, true, true]);
  });

  it.each(BREAKS)("%s: %s", (invariant, _what, checkOne, breakIt) => {
    const made = books();
    checkOne(made.books);
    breakIt(made);
    expect(() => checkOne(made.books)).toThrow(expect.objectContaining({ invariant }));
    expect(() => check.checkBooks(made.books)).toThrow();
  });
});
