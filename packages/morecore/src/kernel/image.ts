// Image: laying out a new heap's header, and telling whether bytes are a heap.
//
// Owns:  the header as a whole.
// Needs: layout, top.

import { asChunk, Base, Word } from "./address.ts";
import {
  ADDRESS_END,
  AT_ADVANCE_LOG2,
  AT_END,
  AT_FLAGS,
  AT_FOOTPRINT,
  AT_FOOTPRINT_LIMIT,
  AT_GROWTH_STEP,
  AT_LIMIT,
  AT_MAGIC,
  AT_MAX_FOOTPRINT,
  AT_SEGMENT,
  AT_SELF,
  AT_TOP,
  AT_TRIM_THRESHOLD,
  AT_UNTOUCHED,
  AT_VERSION,
  FORMAT_VERSION,
  GRANULE,
  HEADER_BYTES,
  HEADER_WORD,
  KNOWN_HEAP_FLAGS,
  MAGIC,
  MIN_REGION,
  NO_ADVANCE,
  SEGMENT_CHUNKS,
  UNLIMITED,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import { formatClasses } from "./slab-lists.ts";
import { setTop } from "./top.ts";

/** What probeHeap finds. */
export const IS_HEAP: Word = 0;
export const NO_MAGIC: Word = 1;
export const OTHER_VERSION: Word = 2;
export const OTHER_BASE: Word = 3;
export const BAD_HEADER: Word = 4;
export const BEYOND_MEMORY: Word = 5;
export const BAD_BASE: Word = 6;

/**
 * Writes an empty heap at `heap`, in memory that is its own up to `limit` and has never been written from `untouched`
 * on. The region is at least MIN_REGION bytes; base and limit are multiples of 16. Options are at their zero: the
 * caller sets them with the functions of options.ts next.
 */
export function formatHeap(
  m: Machine,
  heap: Base,
  limit: Word,
  untouched: Word,
  flags: Word,
  step: Word,
): void {
  m.zero(heap, HEADER_BYTES + SEGMENT_CHUNKS);
  const room = limit - heap;
  // The first growth step, but never less than a chunk's room.
  const smallest: Word = step < MIN_REGION ? MIN_REGION : step;
  const footprint = room < smallest ? room : smallest;
  const segment: Word = heap + HEADER_BYTES;
  const first = asChunk(segment + SEGMENT_CHUNKS);
  m.store32(heap + AT_VERSION, FORMAT_VERSION);
  m.store32(heap + AT_SELF, heap);
  m.store32(heap + AT_FLAGS, flags);
  m.store32(heap + AT_END, heap + footprint);
  m.store32(heap + AT_LIMIT, limit);
  m.store32(heap + AT_SEGMENT, segment);
  m.store32(heap + AT_UNTOUCHED, untouched);
  m.store32(heap + AT_FOOTPRINT, footprint);
  m.store32(heap + AT_MAX_FOOTPRINT, footprint);
  m.store32(heap + AT_FOOTPRINT_LIMIT, UNLIMITED);
  m.store32(heap + AT_GROWTH_STEP, step);
  m.store32(heap + AT_TRIM_THRESHOLD, UNLIMITED);
  m.store32(heap + AT_ADVANCE_LOG2, 0);
  formatClasses(m, heap);
  setTop(m, heap, first, footprint - HEADER_BYTES - SEGMENT_CHUNKS - HEADER_WORD);
  // Last, so that a heap that was written halfway is none.
  m.store32(heap + AT_MAGIC, MAGIC);
}

/** Whether a heap of this format lies at an address; which of the codes above, if not. Reads the header only. O(1). */
export function probeHeap(m: Machine, heap: Base): Word {
  if (heap === 0 || (heap & (GRANULE - 1)) !== 0) return BAD_BASE;
  if (heap > ADDRESS_END - MIN_REGION || heap + MIN_REGION > m.size()) return BEYOND_MEMORY;
  if (m.load32(heap + AT_MAGIC) !== MAGIC) return NO_MAGIC;
  if (m.load32(heap + AT_VERSION) !== FORMAT_VERSION) return OTHER_VERSION;
  if (m.load32(heap + AT_SELF) !== heap) return OTHER_BASE;
  return isHeaderSound(m, heap) ? IS_HEAP : BAD_HEADER;
}

/** Whether what the header says of its segments can be: enough to walk the last one without leaving the memory. */
function isHeaderSound(m: Machine, heap: Base): boolean {
  const segment = m.load32(heap + AT_SEGMENT);
  const top = m.load32(heap + AT_TOP);
  const end = m.load32(heap + AT_END);
  const limit = m.load32(heap + AT_LIMIT);
  if (((top + HEADER_WORD) & (GRANULE - 1)) !== 0 || ((segment | end | limit) & (GRANULE - 1)) !== 0)
    return false;
  if (m.load32(heap + AT_FLAGS) > KNOWN_HEAP_FLAGS) return false;
  const step = m.load32(heap + AT_GROWTH_STEP);
  if (step === 0 || (step & (step - 1)) !== 0 || m.load32(heap + AT_ADVANCE_LOG2) > NO_ADVANCE) return false;
  if (segment < heap + HEADER_BYTES || top < segment + SEGMENT_CHUNKS) return false;
  return top <= end - HEADER_WORD && end <= limit && limit <= m.size() && limit <= ADDRESS_END;
}
