// File words: what check() believes, because only the kernel writes it; unless the image is a file, which anyone may write.
// For JavaScript only.
//
// Writes: where memory ends when it has grown unnoticed.
// Needs:  layout, settings. check() has passed.

import { type Base, chunkOf, type Word } from "./address.ts";
import { sizeOf } from "./chunk.ts";
import type { Fault } from "./engine.ts";
import {
  AT_BIN_MAP,
  AT_BIN_SUMMARY,
  AT_BINS,
  AT_FLAGS,
  AT_IDLE,
  AT_LIMIT,
  AT_MAPPED,
  AT_MAYBE_UNUSED,
  AT_SEGMENT,
  AT_UNTOUCHED,
  BIN_COUNT,
  BIN_MAP_WORDS,
  CLASS_COUNT,
  GRANULE,
  HEADER_BYTES,
  HEADER_WORD,
  NEXT,
  SLAB_UNIT_LOG2,
  ZERO_REALLOC_FREES,
} from "./layout.ts";
import type { Machine } from "./machine.ts";
import { brokenSettings } from "./settings.ts";
import { mapOf } from "./slab-map.ts";

/** A bit for each size class, from 1 on. */
const ALL_CLASSES: Word = (2 << CLASS_COUNT) - 2;

/** The first word that has a value which the kernel never writes in a file's heap; undefined: none has. */
export function faultIn(m: Machine, base: Base): Fault | undefined {
  const [setting] = brokenSettings(m, base);
  if (setting !== undefined) return fault(base, `the option ${setting} has a value that it cannot have`);
  // In a file a heap has one segment and room to grow: nobody else's bytes are there.
  if (m.load32(base + AT_SEGMENT) !== base + HEADER_BYTES)
    return fault(base + AT_SEGMENT, "there is a second segment");
  if (m.load32(base + AT_FLAGS) > ZERO_REALLOC_FREES)
    return fault(base + AT_FLAGS, "the flags are not those of a file's heap");
  return faultInBins(m, base) ?? faultInClasses(m, base);
}

function faultInBins(m: Machine, base: Base): Fault | undefined {
  const lastBins = AT_BIN_MAP + (BIN_MAP_WORDS - 1) * 4;
  if (
    m.load32(base + AT_BIN_SUMMARY) >>> BIN_MAP_WORDS !== 0 ||
    m.load32(base + lastBins) >>> (BIN_COUNT % 32) !== 0
  )
    return fault(base + AT_BIN_SUMMARY, "a bit stands for no bin");
  for (let bin = 0; bin < BIN_COUNT; bin++)
    for (let at = m.load32(base + AT_BINS + bin * 4); at !== 0; at = m.load32(at + NEXT))
      if ((at + HEADER_WORD) % GRANULE !== 0) return fault(at, "a link leads to no chunk's address");
  return undefined;
}

function faultInClasses(m: Machine, base: Base): Fault | undefined {
  for (const at of [AT_MAYBE_UNUSED, AT_IDLE])
    if ((m.load32(base + at) & ~ALL_CLASSES) !== 0) return fault(base + at, "a bit stands for no size class");
  const units = m.load32(base + AT_MAPPED) >>> SLAB_UNIT_LOG2;
  if (units !== 0 && units * 4 > sizeOf(m, chunkOf(mapOf(m, base))) - HEADER_WORD)
    return fault(base + AT_MAPPED, "the map of slabs is said to reach further than it can");
  return undefined;
}

function fault(address: Word, sentence: string): Fault {
  return { address, sentence };
}

/**
 * A process that died while the memory grew may not have told its heap: what is there is the heap's. Nobody else's bytes are
 * in a file; but if some are not zero, they are not untouched.
 */
export function adoptGrowth(m: Machine, base: Base): void {
  const from = Math.max(m.load32(base + AT_LIMIT), m.load32(base + AT_UNTOUCHED));
  const size = m.size();
  let untouched = m.load32(base + AT_UNTOUCHED);
  for (let at = from; at < size; at += HEADER_WORD)
    if (m.load32(at) !== 0) untouched = at - (at % HEADER_WORD) + HEADER_WORD;
  m.store32(base + AT_UNTOUCHED, untouched);
  m.store32(base + AT_LIMIT, size);
}
