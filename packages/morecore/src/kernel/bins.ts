// Bins: free chunks, findable by size in O(1).
//
// Owns:       the bin heads and bitmaps in the heap's header, the links in free chunks.
// Needs:      layout, chunk. Never grows memory.
// Invariants: B1  bit i of the map is set <=> bin i is not empty; bit j of the summary <=> word j of the map is not 0   O(bins)
//             B2  a chunk lies in the bin of its size, and every free chunk but top lies in one                         O(free chunks)
//             B3  links agree both ways; before the first lies its bin                                                  O(free chunks)
//             (check.ts: checkBins)
//
// Why not a tree (dlmalloc): best fit within a bin costs a walk of up to 32 cache lines there. With 16 bins
// for each doubling the first chunk of a larger bin is at most 1/16 too large. What is over is split off.

import { asChunk, Base, Chunk, chunkAfter, NO_CHUNK, ptrOf, Word } from "./address.ts";
import { sizeOf } from "./chunk.ts";
import { CORRUPTED } from "./codes.ts";
import {
  AT_BIN_MAP,
  AT_BIN_SUMMARY,
  AT_BINS,
  AT_END,
  BIN_MAP_WORDS,
  BINS_PER_DOUBLING_LOG2,
  EXACT_GRANULES,
  FOOTER,
  GRANULE_LOG2,
  HEADER_BYTES,
  NEXT,
  PREVIOUS,
  SEARCH_LIMIT,
} from "./layout.ts";
import { load32, Machine, store32 } from "./machine.ts";

/** log2 of EXACT_GRANULES. */
const EXACT_LOG2: Word = 5;

/** The bin of a chunk size: exact for small ones, then the five leading bits. */
export function binOf(m: Machine, size: Word): Word {
  const granules = size >>> GRANULE_LOG2;
  if (granules < EXACT_GRANULES) return granules;
  const log2 = 31 - m.clz(granules);
  const within = (granules >>> (log2 - BINS_PER_DOUBLING_LOG2)) & 15;
  return ((log2 - EXACT_LOG2 + 2) << BINS_PER_DOUBLING_LOG2) | within;
}

/**
 * What a bin's first chunk has as the one before it: the place at which the bin would be a chunk, its head being that chunk's link.
 * So each chunk has one before it, and being taken out is the same for the first and for any other.
 */
export function beforeBin(heap: Base, bin: Word): Chunk {
  return asChunk(heap + (AT_BINS - NEXT) + (bin << 2));
}

/**
 * Puts a free chunk into the bin of its size, as the first. Its header and footer are written already. Aborts if what was the first
 * lies outside of the heap: to write its link would write into others' memory.
 */
export function putFree(m: Machine, heap: Base, chunk: Chunk, size: Word): void {
  const words = m.words;
  const bin = binOf(m, size);
  const before = beforeBin(heap, bin);
  const first = load32(words, before + NEXT);
  if (first !== NO_CHUNK && (first <= heap || first >= load32(words, heap + AT_END)))
    m.abort(CORRUPTED, before + NEXT);
  store32(words, chunk + NEXT, first);
  store32(words, chunk + PREVIOUS, before);
  store32(words, before + NEXT, chunk);
  if (first !== NO_CHUNK) {
    store32(words, first + PREVIOUS, chunk);
    return;
  }
  const map = heap + AT_BIN_MAP + ((bin >>> 5) << 2);
  store32(words, map, load32(words, map) | (1 << (bin & 31)));
  store32(words, heap + AT_BIN_SUMMARY, load32(words, heap + AT_BIN_SUMMARY) | (1 << (bin >>> 5)));
}

/**
 * Takes a free chunk out of its bin. Aborts, with nothing changed, if its neighbours there do not point back at it, or its
 * two sizes differ: somebody wrote to it after it was freed, mostly. So it does if the chunk cannot lie in the heap.
 */
export function takeFree(m: Machine, heap: Base, chunk: Chunk, size: Word): void {
  const words = m.words;
  checkLinks(m, heap, chunk, size);
  const next = load32(words, chunk + NEXT);
  const previous = load32(words, chunk + PREVIOUS);
  store32(words, previous + NEXT, next);
  if (next !== NO_CHUNK) store32(words, next + PREVIOUS, previous);
  else if (previous < heap + HEADER_BYTES) unmark(m, heap, (previous - beforeBin(heap, 0)) >>> 2);
}

/** Says that a bin is empty now. */
function unmark(m: Machine, heap: Base, bin: Word): void {
  const words = m.words;
  const map = heap + AT_BIN_MAP + ((bin >>> 5) << 2);
  const left = (load32(words, map) & ~(1 << (bin & 31))) >>> 0;
  store32(words, map, left);
  if (left !== 0) return;
  const summary = heap + AT_BIN_SUMMARY;
  store32(words, summary, load32(words, summary) & ~(1 << (bin >>> 5)));
}

/** Whether so many bytes can be a chunk between a heap's beginning and its end. */
function isInside(heap: Base, end: Word, chunk: Chunk, size: Word): boolean {
  return chunk > heap && chunk < end && size !== 0 && size < end - chunk;
}

/** What takeFree asks before it writes; for a caller that must know before it writes elsewhere. */
export function checkLinks(m: Machine, heap: Base, chunk: Chunk, size: Word): void {
  const words = m.words;
  const next = load32(words, chunk + NEXT);
  const previous = load32(words, chunk + PREVIOUS);
  const end = load32(words, heap + AT_END);
  if (!isInside(heap, end, chunk, size) || next >= end) m.abort(CORRUPTED, chunk);
  if (previous < beforeBin(heap, 0) || previous >= end) m.abort(CORRUPTED, chunk);
  if (load32(words, previous + NEXT) !== chunk) m.abort(CORRUPTED, chunk);
  // A header that somebody has overwritten, too: what is cut or merged by a wrong size overlaps live blocks.
  if (load32(words, chunkAfter(chunk, size) - FOOTER) !== size) m.abort(CORRUPTED, chunk);
  if (next !== NO_CHUNK && load32(words, next + PREVIOUS) !== chunk) m.abort(CORRUPTED, chunk);
}

/**
 * A free chunk of at least `size` bytes, still in its bin; NO_CHUNK if no bin has one that is soon found. If
 * the size's own bin holds a range of sizes, it is the best of the first SEARCH_LIMIT chunks there. Else it
 * is the first of the next bin that has any.
 */
export function findFit(m: Machine, heap: Base, size: Word): Chunk {
  const bin = binOf(m, size);
  const own = bin < EXACT_GRANULES ? NO_CHUNK : bestOf(m, heap, bin, size);
  if (own !== NO_CHUNK) return own;
  // In an exact bin every chunk fits; in one of a range only those of the bins above surely do.
  const other = firstBinFrom(m, heap, bin < EXACT_GRANULES ? bin : bin + 1);
  if (other === 0) return NO_CHUNK;
  return firstOf(m, heap, other);
}

/**
 * A free chunk, still in its bin, with room for `size` bytes whose payload is a multiple of `power`. NO_CHUNK: none among
 * the first SEARCH_LIMIT chunks of the size's own bin, where a chunk that fits exactly lies; larger ones takeChunk finds.
 */
export function findAligned(m: Machine, heap: Base, size: Word, power: Word): Chunk {
  const words = m.words;
  let chunk = firstOf(m, heap, binOf(m, size));
  for (let step: Word = 0; step < SEARCH_LIMIT && chunk !== NO_CHUNK; step++) {
    const lead = (power - (ptrOf(chunk) & (power - 1))) & (power - 1);
    if (sizeOf(m, chunk) >= lead + size) return chunk;
    const next = asChunk(load32(words, chunk + NEXT));
    if (next >= load32(words, heap + AT_END)) m.abort(CORRUPTED, chunk);
    chunk = next;
  }
  return NO_CHUNK;
}

/** A free chunk, still in its bin, of the first bin that has any from that of `size` on. NO_CHUNK: there is none. */
export function firstHole(m: Machine, heap: Base, size: Word): Chunk {
  const bin = firstBinFrom(m, heap, binOf(m, size));
  return bin === 0 ? NO_CHUNK : firstOf(m, heap, bin);
}

/** The free chunk after this one of `size` bytes, in its bin or in the next that has any. */
export function nextHole(m: Machine, heap: Base, chunk: Chunk, size: Word): Chunk {
  const next = asChunk(m.load32(chunk + NEXT));
  if (next >= m.load32(heap + AT_END)) m.abort(CORRUPTED, chunk);
  if (next !== NO_CHUNK) return next;
  const bin = firstBinFrom(m, heap, binOf(m, size) + 1);
  return bin === 0 ? NO_CHUNK : firstOf(m, heap, bin);
}

function firstOf(m: Machine, heap: Base, bin: Word): Chunk {
  return asChunk(m.load32(heap + AT_BINS + (bin << 2)));
}

/** The smallest of a bin's first chunks that is large enough. */
function bestOf(m: Machine, heap: Base, bin: Word, size: Word): Chunk {
  const words = m.words;
  let best = NO_CHUNK;
  let bestSize: Word = 0xffff_ffff;
  let chunk = firstOf(m, heap, bin);
  for (let step: Word = 0; step < SEARCH_LIMIT && chunk !== NO_CHUNK; step++) {
    const found = sizeOf(m, chunk);
    if (found === size) return chunk;
    if (found > size && found < bestSize) {
      best = chunk;
      bestSize = found;
    }
    const next = asChunk(load32(words, chunk + NEXT));
    if (next >= load32(words, heap + AT_END)) m.abort(CORRUPTED, chunk);
    chunk = next;
  }
  return best;
}

/** The first bin at or after `bin` that is not empty; 0, where no bin is, if there is none. */
function firstBinFrom(m: Machine, heap: Base, bin: Word): Word {
  const words = m.words;
  let word = bin >>> 5;
  let bits = (load32(words, heap + AT_BIN_MAP + (word << 2)) & (0xffff_ffff << (bin & 31))) >>> 0;
  if (bits === 0) {
    // Shifting by 32 would shift by 0; the map has fewer than 31 words.
    const above = (load32(words, heap + AT_BIN_SUMMARY) & (0xffff_fffe << word)) >>> 0;
    if (above === 0) return 0;
    word = m.ctz(above);
    bits = load32(words, heap + AT_BIN_MAP + (word << 2));
    if (bits === 0 || word >= BIN_MAP_WORDS) m.abort(CORRUPTED, heap + AT_BIN_SUMMARY);
  }
  return (word << 5) | m.ctz(bits);
}
