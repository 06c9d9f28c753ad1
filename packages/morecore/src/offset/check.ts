// Check: every invariant of the books, one function each.
//
// Owns:  nothing; changes nothing.
// Needs: books, bins, handle.
//
// The order matters: what a later function relies on, so that it does not run for ever, an earlier one has checked. All of
// them end on any contents of the columns: load has them judge bytes from outside.

import { binOf } from "./bins.ts";
import { OffsetCorruptError } from "./errors.ts";
import { firstStamp, isSpentStamp, SPENT, tagIn, versionIn } from "./handle.ts";
import { BIN_COUNT, BIN_WORDS, type Books, bytesAt, isHole, RANGE, slotAt } from "./state.ts";

/** Checks every invariant. O(slots). */
export function checkBooks(books: Books): void {
  checkStamps(books);
  checkTiling(books);
  checkNeighbours(books);
  checkMerged(books);
  checkBinMap(books);
  checkBins(books);
  checkBinLinks(books);
  checkSlots(books);
  checkCounts(books);
}

function broken(invariant: string, slot: number, message: string): never {
  throw new OffsetCorruptError(invariant, slot, message);
}

/** S2: stamps have the tag, versions can be; the range's own slot counts as in use. */
export function checkStamps(books: Books): void {
  if (slotAt(books.stamps, RANGE) !== firstStamp(books.tag) + 1)
    broken("S2", RANGE, "the range's own stamp has been changed");
  for (let slot = RANGE + 1; slot < books.slotCount; slot++) {
    const stamp = slotAt(books.stamps, slot);
    if (tagIn(stamp) !== books.tag || versionIn(stamp) > SPENT)
      broken("S2", slot, "its stamp is none of this allocator's");
  }
}

/** R1: regions tile the range. Offsets rise, so this ends. */
export function checkTiling(books: Books): void {
  let end = 0;
  let slot = slotAt(books.after, RANGE);
  while (slot !== RANGE) {
    if (!(slot > RANGE && slot < books.slotCount)) broken("R1", slot, "a neighbour that is no slot in use");
    if (bytesAt(books.offsets, slot) !== end) broken("R1", slot, `does not begin at ${end}, where it should`);
    const bytes = bytesAt(books.sizes, slot);
    if (!Number.isSafeInteger(bytes) || bytes < 1) broken("R1", slot, `has ${bytes} bytes`);
    end += bytes;
    if (!Number.isSafeInteger(end)) broken("R1", slot, "ends above 2^53");
    slot = slotAt(books.after, slot);
  }
  if (bytesAt(books.offsets, RANGE) !== end) broken("R1", RANGE, `the last region ends at ${end}`);
}

/** R2: neighbours name each other. */
export function checkNeighbours(books: Books): void {
  let before = RANGE;
  do {
    const slot = slotAt(books.after, before);
    if (slotAt(books.before, slot) !== before) broken("R2", slot, "does not name its neighbour below");
    before = slot;
  } while (before !== RANGE);
}

/** R3: no two neighbours are both free. */
export function checkMerged(books: Books): void {
  for (const slot of regions(books)) {
    if (isHole(books, slot) && isHole(books, slotAt(books.before, slot)))
      broken("R3", slot, "is free, and so is the region below");
  }
}

/** B1: the bitmaps tell which bins have holes. */
export function checkBinMap(books: Books): void {
  for (let bin = 0; bin < BIN_COUNT; bin++) {
    const marked = ((slotAt(books.binMap, bin >>> 5) >>> (bin & 31)) & 1) === 1;
    const head = slotAt(books.heads, bin);
    if (marked !== (head !== RANGE)) broken("B1", head, `the map is wrong about bin ${bin}`);
  }
  for (let word = 0; word < BIN_WORDS; word++) {
    const marked = ((books.binSummary >>> word) & 1) === 1;
    if (marked !== (slotAt(books.binMap, word) !== 0))
      broken("B1", RANGE, `the summary is wrong about word ${word}`);
  }
}

/** B2: what lies in bins are the ring's holes, each once, in the bin of its size. */
export function checkBins(books: Books): void {
  const holes = new Set(regions(books).filter((slot) => isHole(books, slot)));
  for (let bin = 0; bin < BIN_COUNT; bin++) {
    for (let slot = slotAt(books.heads, bin); slot !== RANGE; slot = slotAt(books.next, slot)) {
      if (!holes.delete(slot))
        broken("B2", slot, `lies in bin ${bin}, but is no hole, or lies in a bin twice`);
      if (binOf(bytesAt(books.sizes, slot)) !== bin)
        broken("B2", slot, `lies in bin ${bin}, not in its size's`);
    }
  }
  for (const slot of holes) broken("B2", slot, "is free, but lies in no bin");
}

/** B3: links agree both ways. */
export function checkBinLinks(books: Books): void {
  for (const head of books.heads) {
    let previous = RANGE;
    for (let slot = head; slot !== RANGE; slot = slotAt(books.next, slot)) {
      if (slotAt(books.previous, slot) !== previous) broken("B3", slot, "does not name the hole before it");
      previous = slot;
    }
  }
}

/** S1: every slot is in the ring, or spare, or spent. */
export function checkSlots(books: Books): void {
  const seen = new Set([RANGE, ...regions(books)]);
  for (let slot = books.spare; slot !== RANGE; slot = slotAt(books.next, slot)) {
    if (!(slot > RANGE && slot < books.slotCount) || seen.has(slot))
      broken("S1", slot, "is spare, but also in use, or spare twice, or no slot");
    if (!isHole(books, slot) || isSpentStamp(slotAt(books.stamps, slot)))
      broken("S1", slot, "is spare, but its stamp says live, or spent");
    seen.add(slot);
  }
  for (let slot = RANGE; slot < books.slotCount; slot++) {
    if (!seen.has(slot) && !isSpentStamp(slotAt(books.stamps, slot)))
      broken("S1", slot, "is not in the ring, not spare and not spent");
  }
}

/** C1: the counters are what the ring and the spare list say. */
export function checkCounts(books: Books): void {
  const all = regions(books);
  const holes = all.filter((slot) => isHole(books, slot));
  const freeBytes = holes.reduce((sum, slot) => sum + bytesAt(books.sizes, slot), 0);
  let spare = 0;
  for (let slot = books.spare; slot !== RANGE; slot = slotAt(books.next, slot)) spare += 1;
  const agree =
    books.freeBytes === freeBytes &&
    books.holeCount === holes.length &&
    books.allocationCount === all.length - holes.length &&
    books.takenSlots === books.slotCount - spare;
  if (!agree) broken("C1", RANGE, "the counts are not what the regions say");
}

/** The slots of the ring by offset. R1 must hold. */
function regions(books: Books): number[] {
  const slots: number[] = [];
  for (let slot = slotAt(books.after, RANGE); slot !== RANGE; slot = slotAt(books.after, slot))
    slots.push(slot);
  return slots;
}
