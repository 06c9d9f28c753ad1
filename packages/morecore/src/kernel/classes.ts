// Classes: the sizes that slabs have blocks of, and where the state of each lies in a heap.
//
// Owns:       which class serves a request, and the bit that notes a class.
// Needs:      layout.
//
// Up to SMALL_MAX there is a class for each granule. A class above that holds sizes that few others need, and its slab is long.
// So where threads share memory, where it is worth more not to search for a chunk, these far classes are 64 bytes apart.

import { Base, Word } from "./address.ts";
import {
  AT_CLASSES,
  AT_SMALL_LIMIT,
  CLASS_BYTES_LOG2,
  CLASS_COUNT,
  FAR_MAX,
  FAR_STATES,
  FAR_STEP,
  FAR_STEP_LOG2,
  FIRST_FAR,
  GRANULE,
  GRANULE_LOG2,
  LAST_FAR,
  SMALL_MAX,
} from "./layout.ts";
import { Machine } from "./machine.ts";

/** The largest request that slabs serve. */
export function smallMax(m: Machine): Word {
  return m.threads ? FAR_MAX : SMALL_MAX;
}

/** The size class that serves a request of at most smallMax bytes. */
export function classFor(m: Machine, bytes: Word): Word {
  return m.threads && bytes > SMALL_MAX ? farClassFor(bytes) : closeClassFor(bytes);
}

/** The same of a larger request. */
export function farClassFor(bytes: Word): Word {
  const step: Word = GRANULE << FAR_STEP_LOG2;
  return ((bytes + (step - 1)) >>> (GRANULE_LOG2 + FAR_STEP_LOG2)) << FAR_STEP_LOG2;
}

/** The same of a request of at most SMALL_MAX bytes. */
export function closeClassFor(bytes: Word): Word {
  return bytes === 0 ? 1 : (bytes + (GRANULE - 1)) >>> GRANULE_LOG2;
}

/** The size class after another; 0: there is none. */
export function nextClass(m: Machine, sizeClass: Word): Word {
  if (sizeClass < CLASS_COUNT) return sizeClass + 1;
  if (!m.threads || sizeClass === LAST_FAR) return 0;
  return sizeClass < FIRST_FAR ? FIRST_FAR : sizeClass + FAR_STEP;
}

/** Whether there is a size class of this number. */
export function isClass(m: Machine, sizeClass: Word): boolean {
  if (sizeClass <= CLASS_COUNT) return sizeClass !== 0;
  return m.threads && sizeClass <= LAST_FAR && (sizeClass & (FAR_STEP - 1)) === 0;
}

/** Whether a request is served from slabs, if one can be had. */
export function isSmall(m: Machine, heap: Base, bytes: Word): boolean {
  return bytes <= smallMax(m) && classFor(m, bytes) << GRANULE_LOG2 <= m.load32(heap + AT_SMALL_LIMIT);
}

/** Where a size class's state lies. */
export function classState(m: Machine, heap: Base, sizeClass: Word): Word {
  return m.threads && sizeClass > CLASS_COUNT ? farState(heap, sizeClass) : closeState(heap, sizeClass);
}

/** The same of a class that is none of the far ones. */
export function closeState(heap: Base, sizeClass: Word): Word {
  return heap + AT_CLASSES + (sizeClass << CLASS_BYTES_LOG2);
}

/** The same of a far one. */
export function farState(heap: Base, sizeClass: Word): Word {
  return heap - FAR_STATES + (((sizeClass - FIRST_FAR) >>> FAR_STEP_LOG2) << CLASS_BYTES_LOG2);
}

/** The bit for a size class in AT_MAYBE_UNUSED and AT_IDLE. The far classes have one in common. */
export function noteFor(m: Machine, sizeClass: Word): Word {
  return m.threads && sizeClass > CLASS_COUNT ? 1 : 1 << sizeClass;
}
