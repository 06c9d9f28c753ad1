// Check: every invariant of the state, one function each.
//
// Reads:  the whole state. Writes nothing. O(slots).
// Needs:  state, bins, handle.
//
// The order matters: what a later function relies on, so that it does not run for ever, an earlier one has checked. All of
// them end on any contents of the columns: load has them judge bytes from outside.

import { binOf } from "./bins.ts";
import { OffsetCorruptError } from "./errors.ts";
import { firstStamp, isSpentStamp, SPENT, tagIn, versionIn } from "./handle.ts";
import { BIN_COUNT, BIN_WORDS, bytesAt, isHole, type OffsetState, RANGE, slotAt } from "./state.ts";

/** Checks every invariant. O(slots). */
export function checkState(state: OffsetState): void {
  checkStamps(state);
  checkTiling(state);
  checkNeighbours(state);
  checkMerged(state);
  checkBinMap(state);
  checkBins(state);
  checkBinLinks(state);
  checkSlots(state);
  checkCounts(state);
}

function broken(invariant: string, slot: number, message: string): never {
  throw new OffsetCorruptError(invariant, slot, message);
}

/** S2: stamps have the tag, versions can be; the range's own slot counts as in use. */
export function checkStamps(state: OffsetState): void {
  if (slotAt(state.stamps, RANGE) !== firstStamp(state.tag) + 1)
    broken("S2", RANGE, "the range's own stamp has been changed");
  for (let slot = RANGE + 1; slot < state.slotCount; slot++) {
    const stamp = slotAt(state.stamps, slot);
    if (tagIn(stamp) !== state.tag || versionIn(stamp) > SPENT)
      broken("S2", slot, "its stamp is none of this allocator's");
  }
}

/** R1: regions tile the range. Offsets rise, so this ends. */
export function checkTiling(state: OffsetState): void {
  let end = 0;
  let slot = slotAt(state.after, RANGE);
  while (slot !== RANGE) {
    if (!(slot > RANGE && slot < state.slotCount)) broken("R1", slot, "a neighbour that is no slot in use");
    if (bytesAt(state.offsets, slot) !== end) broken("R1", slot, `does not begin at ${end}, where it should`);
    const bytes = bytesAt(state.sizes, slot);
    if (!Number.isSafeInteger(bytes) || bytes < 1) broken("R1", slot, `has ${bytes} bytes`);
    end += bytes;
    if (!Number.isSafeInteger(end)) broken("R1", slot, "ends above 2^53");
    slot = slotAt(state.after, slot);
  }
  if (bytesAt(state.offsets, RANGE) !== end) broken("R1", RANGE, `the last region ends at ${end}`);
}

/** R2: neighbours name each other. */
export function checkNeighbours(state: OffsetState): void {
  let before = RANGE;
  do {
    const slot = slotAt(state.after, before);
    if (slotAt(state.before, slot) !== before) broken("R2", slot, "does not name its neighbour below");
    before = slot;
  } while (before !== RANGE);
}

/** R3: no two neighbours are both free. */
export function checkMerged(state: OffsetState): void {
  for (const slot of regions(state)) {
    if (isHole(state, slot) && isHole(state, slotAt(state.before, slot)))
      broken("R3", slot, "is free, and so is the region below");
  }
}

/** B1: the bitmaps tell which bins have holes. */
export function checkBinMap(state: OffsetState): void {
  for (let bin = 0; bin < BIN_COUNT; bin++) {
    const marked = ((slotAt(state.binMap, bin >>> 5) >>> (bin & 31)) & 1) === 1;
    const head = slotAt(state.heads, bin);
    if (marked !== (head !== RANGE)) broken("B1", head, `the map is wrong about bin ${bin}`);
  }
  for (let word = 0; word < BIN_WORDS; word++) {
    const marked = ((state.binSummary >>> word) & 1) === 1;
    if (marked !== (slotAt(state.binMap, word) !== 0))
      broken("B1", RANGE, `the summary is wrong about word ${word}`);
  }
}

/** B2: what lies in bins are the ring's holes, each once, in the bin of its size. */
export function checkBins(state: OffsetState): void {
  const holes = new Set(regions(state).filter((slot) => isHole(state, slot)));
  for (let bin = 0; bin < BIN_COUNT; bin++) {
    for (let slot = slotAt(state.heads, bin); slot !== RANGE; slot = slotAt(state.next, slot)) {
      if (!holes.delete(slot))
        broken("B2", slot, `lies in bin ${bin}, but is no hole, or lies in a bin twice`);
      if (binOf(bytesAt(state.sizes, slot)) !== bin)
        broken("B2", slot, `lies in bin ${bin}, not in its size's`);
    }
  }
  for (const slot of holes) broken("B2", slot, "is free, but lies in no bin");
}

/** B3: links agree both ways. */
export function checkBinLinks(state: OffsetState): void {
  for (const head of state.heads) {
    let previous = RANGE;
    for (let slot = head; slot !== RANGE; slot = slotAt(state.next, slot)) {
      if (slotAt(state.previous, slot) !== previous) broken("B3", slot, "does not name the hole before it");
      previous = slot;
    }
  }
}

/** S1: every slot is in the ring, or spare, or spent. */
export function checkSlots(state: OffsetState): void {
  const seen = new Set([RANGE, ...regions(state)]);
  for (let slot = state.spare; slot !== RANGE; slot = slotAt(state.next, slot)) {
    if (!(slot > RANGE && slot < state.slotCount) || seen.has(slot))
      broken("S1", slot, "is spare, but also in use, or spare twice, or no slot");
    if (!isHole(state, slot) || isSpentStamp(slotAt(state.stamps, slot)))
      broken("S1", slot, "is spare, but its stamp says live, or spent");
    seen.add(slot);
  }
  for (let slot = RANGE; slot < state.slotCount; slot++) {
    if (!seen.has(slot) && !isSpentStamp(slotAt(state.stamps, slot)))
      broken("S1", slot, "is not in the ring, not spare and not spent");
  }
}

/** C1: the counters are what the ring and the spare list say. */
export function checkCounts(state: OffsetState): void {
  const all = regions(state);
  const holes = all.filter((slot) => isHole(state, slot));
  const freeBytes = holes.reduce((sum, slot) => sum + bytesAt(state.sizes, slot), 0);
  let spare = 0;
  for (let slot = state.spare; slot !== RANGE; slot = slotAt(state.next, slot)) spare += 1;
  const agree =
    state.freeBytes === freeBytes &&
    state.holeCount === holes.length &&
    state.allocationCount === all.length - holes.length &&
    state.takenSlots === state.slotCount - spare;
  if (!agree) broken("C1", RANGE, "the counts are not what the regions say");
}

/** The slots of the ring by offset. R1 must hold. */
function regions(state: OffsetState): number[] {
  const slots: number[] = [];
  for (let slot = slotAt(state.after, RANGE); slot !== RANGE; slot = slotAt(state.after, slot))
    slots.push(slot);
  return slots;
}
