// Bins: holes, findable by size in O(1).
//
// Owns:       the bins' heads and bitmaps, the links of holes.
// Needs:      state. Takes no slots.
// Invariants: B1  bit i of the map is set <=> bin i is not empty; bit j of the summary <=> word j of the map is not 0   O(bins)
//             B2  a hole lies in the bin of its size, once, and nothing else lies in a bin                              O(holes)
//             B3  links agree both ways                                                                                 O(holes)
//             C1  the counts of holes, free bytes and allocations are what the ring says                                O(regions)
//             (check.ts)
//
// A size's bin is the leading bits of the size as a float64: the exponent, and 4 bits of the fraction. So bins are
// sixteenths of a doubling, exact up to 32, and serve sizes up to 2^53 with no branch between small and large.
// The defect to avoid: to file a hole rounded down, to look for one rounded up, and to stop there. A hole that fits may
// lie in the bin between. Here its first holes are looked at before, and all of them before a request is refused.

import { BIN_COUNT, BINS_PER_DOUBLING, bytesAt, OffsetState, RANGE, slotAt } from "./state.ts";

/** How many holes of a request's own bin are looked at first. Without any, a hole of 1000 bytes would not serve 1000. */
const NEAR_LIMIT = 8;

const NO_BIN = -1;
const FRACTION_BITS = 16;
/** The bin of 1: the exponent's bias. */
const BIN_OF_ONE = 1023 * BINS_PER_DOUBLING;

const float = new Float64Array([1]);
const halves = new Int32Array(float.buffer);
/** Where the half with the exponent lies. */
const HIGH = halves[1] === 0 ? 0 : 1;
const LOW = 1 - HIGH;

/** The bin that a hole of this size lies in. Sizes are integers from 1 to 2^53 - 1. */
export function binOf(bytes: number): number {
  float[0] = bytes;
  return (slotAt(halves, HIGH) >>> FRACTION_BITS) - BIN_OF_ONE;
}

/** The first bin all of whose holes have at least so many bytes. BIN_COUNT or more: there is none. */
export function sureBinOf(bytes: number): number {
  const bin = binOf(bytes);
  const rest = (slotAt(halves, HIGH) << (32 - FRACTION_BITS)) | slotAt(halves, LOW);
  return rest === 0 ? bin : bin + 1;
}

/** The smallest size in a bin. */
export function floorOf(bin: number): number {
  return Math.ceil(2 ** (bin >>> 4) * (1 + (bin & (BINS_PER_DOUBLING - 1)) / BINS_PER_DOUBLING));
}

/** How far above an offset the next multiple of an alignment lies. Any alignment, not only powers of two. */
export function leadOf(offset: number, alignment: number): number {
  const over = offset % alignment;
  return over === 0 ? 0 : alignment - over;
}

/** Puts a hole into the bin of its size, as the first. O(1). */
export function putHole(state: OffsetState, slot: number): void {
  const bytes = bytesAt(state.sizes, slot);
  const bin = binOf(bytes);
  const first = slotAt(state.heads, bin);
  state.next[slot] = first;
  state.previous[slot] = 0;
  state.heads[bin] = slot;
  if (first !== RANGE) state.previous[first] = slot;
  else {
    const word = bin >>> 5;
    state.binMap[word] = slotAt(state.binMap, word) | (1 << (bin & 31));
    state.binSummary |= 1 << word;
  }
  state.holeCount += 1;
  state.freeBytes += bytes;
}

/** Takes a hole out of its bin. Its size must still be the one that it was put there with. O(1). */
export function takeHole(state: OffsetState, slot: number): void {
  const next = slotAt(state.next, slot);
  const previous = slotAt(state.previous, slot);
  if (next !== RANGE) state.previous[next] = previous;
  if (previous !== RANGE) state.next[previous] = next;
  else setHead(state, binOf(bytesAt(state.sizes, slot)), next);
  state.next[slot] = 0;
  state.previous[slot] = 0;
  state.holeCount -= 1;
  state.freeBytes -= bytesAt(state.sizes, slot);
}

/** Makes another hole, or none, a bin's first. */
function setHead(state: OffsetState, bin: number, slot: number): void {
  state.heads[bin] = slot;
  if (slot !== RANGE) return;
  const word = bin >>> 5;
  const left = slotAt(state.binMap, word) & ~(1 << (bin & 31));
  state.binMap[word] = left;
  if (left === 0) state.binSummary &= ~(1 << word);
}

/**
 * A hole, still in its bin, with room for so many bytes at a multiple of the alignment. RANGE: there is none, for certain.
 * O(1) but for searchHoles, which is reached only where no bin promises a fit.
 */
export function findHole(state: OffsetState, bytes: number, alignment: number): number {
  const near = bestNear(state, bytes, alignment);
  if (near !== RANGE) return near;
  const bin = firstBinFrom(state, sureBinOf(bytes));
  if (bin !== NO_BIN) {
    // Where all that is asked for has one alignment, all holes have it too, and this one fits.
    const hole = slotAt(state.heads, bin);
    if (alignment === 1 || fits(state, hole, bytes, alignment)) return hole;
    const sure = firstBinFrom(state, sureBinOf(bytes + alignment - 1));
    if (sure !== NO_BIN) return slotAt(state.heads, sure);
  }
  return searchHoles(state, bytes, alignment);
}

/** The smallest that fits of the first NEAR_LIMIT holes in the request's own bin. */
function bestNear(state: OffsetState, bytes: number, alignment: number): number {
  let best = RANGE;
  let bestBytes = Number.POSITIVE_INFINITY;
  let hole = slotAt(state.heads, binOf(bytes));
  for (let step = 0; step < NEAR_LIMIT && hole !== RANGE; step++) {
    const found = bytesAt(state.sizes, hole);
    if (found < bestBytes && fits(state, hole, bytes, alignment)) {
      best = hole;
      bestBytes = found;
      if (found === bytes) break;
    }
    hole = slotAt(state.next, hole);
  }
  return best;
}

/**
 * The last resort: looks at every hole that might do until one fits. Those are the holes of the request's own
 * bin, whose sizes differ by less than a sixteenth. With an alignment they are those of fewer than bytes +
 * alignment bytes, rounded up to a bin's end. O(these holes).
 */
function searchHoles(state: OffsetState, bytes: number, alignment: number): number {
  let bin = firstBinFrom(state, binOf(bytes));
  while (bin !== NO_BIN) {
    for (let hole = slotAt(state.heads, bin); hole !== RANGE; hole = slotAt(state.next, hole)) {
      if (fits(state, hole, bytes, alignment)) return hole;
    }
    bin = firstBinFrom(state, bin + 1);
  }
  return RANGE;
}

function fits(state: OffsetState, hole: number, bytes: number, alignment: number): boolean {
  const lead = alignment === 1 ? 0 : leadOf(bytesAt(state.offsets, hole), alignment);
  // Not lead + bytes: that may be over 2^53.
  return bytesAt(state.sizes, hole) - lead >= bytes;
}

/** The first bin at or after this one that is not empty. O(1). */
function firstBinFrom(state: OffsetState, bin: number): number {
  if (bin >= BIN_COUNT) return NO_BIN;
  let word = bin >>> 5;
  let bits = slotAt(state.binMap, word) & (-1 << (bin & 31));
  if (bits === 0) {
    // -2, not -1 << (word + 1): the map has fewer than 31 words, so nothing is shifted out that matters.
    const above = state.binSummary & (-2 << word);
    if (above === 0) return NO_BIN;
    word = lowestBit(above);
    bits = slotAt(state.binMap, word);
  }
  return (word << 5) | lowestBit(bits);
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

/** The size of the largest hole, 0 if there is none. O(holes of the highest bin that has any). */
export function largestHole(state: OffsetState): number {
  if (state.binSummary === 0) return 0;
  const word = 31 - Math.clz32(state.binSummary);
  const bin = (word << 5) | (31 - Math.clz32(slotAt(state.binMap, word)));
  let largest = 0;
  for (let hole = slotAt(state.heads, bin); hole !== RANGE; hole = slotAt(state.next, hole)) {
    largest = Math.max(largest, bytesAt(state.sizes, hole));
  }
  return largest;
}
