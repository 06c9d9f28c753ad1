// Caches: small chunks that were freed and are not merged yet (Lea's "deferred coalescing").
//
// Owns:       one last-in first-out list for each chunk size up to MAX_CACHED_CHUNK, and the sum of their bytes.
// Needs:      layout, chunk.
// Invariants: K1  a chunk in list i has size 16 * i and the flags C and Q                    O(cached chunks)
//             K2  cachedBytes is the sum of their sizes, at most cacheLimit                  O(cached chunks)
//             (check.ts: checkCaches)
//
// To its neighbours a cached chunk is in use, so nothing merges with it; the Q flag tells a second free of it. The
// lists are bounded by bytes, because a list that grows long over the whole heap comes back in random order and costs
// the program more in cache misses than it saves here.

import { asChunk, Base, Chunk, NO_CHUNK, Word } from "./address.ts";
import { sizeIn } from "./chunk.ts";
import { CORRUPTED } from "./codes.ts";
import {
  AT_CACHE_LIMIT,
  AT_CACHED_BYTES,
  AT_CACHES,
  AT_END,
  CACHED,
  GRANULE_LOG2,
  IN_USE,
  NEXT,
  PREVIOUS_IN_USE,
} from "./layout.ts";
import { load32, Machine, store32, Words } from "./machine.ts";

/** log2 of a list head's bytes. */
const LINK_LOG2: Word = 2;

/** Where the list of a chunk size begins. */
export function cacheOf(heap: Base, size: Word): Word {
  return heap + AT_CACHES + (size >>> (GRANULE_LOG2 - LINK_LOG2));
}

/** Takes the chunk of exactly this size that was freed last and makes it live. NO_CHUNK: the list is empty. */
export function takeCached(m: Machine, heap: Base, size: Word): Chunk {
  const words = m.words;
  const list = cacheOf(heap, size);
  const chunk = asChunk(load32(words, list));
  if (chunk === NO_CHUNK) return NO_CHUNK;
  // A program that wrote over the link has sent us astray: out of the memory, or where no such chunk begins.
  if (chunk >= load32(words, heap + AT_END)) m.abort(CORRUPTED, chunk);
  const head = load32(words, chunk);
  if ((head | PREVIOUS_IN_USE) !== (size | CACHED | IN_USE | PREVIOUS_IN_USE)) m.abort(CORRUPTED, chunk);
  store32(words, list, load32(words, chunk + NEXT));
  store32(words, chunk, head - CACHED);
  store32(words, heap + AT_CACHED_BYTES, load32(words, heap + AT_CACHED_BYTES) - size);
  return chunk;
}

/** Puts a live chunk of a cached size into its list. False: there is no room under the limit, nothing was done. */
export function putCached(words: Words, heap: Base, chunk: Chunk, head: Word): boolean {
  const size = sizeIn(head);
  const cached = load32(words, heap + AT_CACHED_BYTES) + size;
  if (cached > load32(words, heap + AT_CACHE_LIMIT)) return false;
  const list = cacheOf(heap, size);
  store32(words, chunk, head | CACHED);
  store32(words, chunk + NEXT, load32(words, list));
  store32(words, list, chunk);
  store32(words, heap + AT_CACHED_BYTES, cached);
  return true;
}
