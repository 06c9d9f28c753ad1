// Sound: whether the heap in a file can be served from, and if not, a repair: tried on a copy first.
//
// Owns:  when a file is written to by a repair.
// Needs: the kernel's check, file memory, repair.
//
// check() looks at what the kernel wrote. A file may have been written by anyone, so the words that the kernel reads
// without looking are compared with what they can be, too. A repair is played on a copy of the pages. Only if that is sound
// afterwards, the heap's header is kept in the label, and the same repair is done in the file. So a file that is refused has not been written to.

import { HeapCorruptError, type Memory } from "morecore";
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
  asBase,
  type Base,
  BIN_COUNT,
  BIN_MAP_WORDS,
  brokenSettings,
  CLASS_COUNT,
  checkHeap,
  chunkOf,
  GRANULE,
  HEADER_BYTES,
  HEADER_WORD,
  hex,
  Machine,
  mapOf,
  NEXT,
  refuse,
  SLAB_UNIT_LOG2,
  sizeOf,
  ZERO_REALLOC_FREES,
} from "morecore/engine";
import { beyondRepair } from "./errors.ts";
import type { FileMemory } from "./file.ts";
import { FILE_BASE } from "./label.ts";
import { type RepairReport, repairHeap } from "./repair.ts";

/** A bit for each size class, from 1 on. */
const ALL_CLASSES = (2 << CLASS_COUNT) - 2;

/**
 * Checks the heap in a file, and makes it sound if it is not. Throws, with the file as it was: a HeapCorruptError if it may
 * not be repaired, an OsError if it cannot be, or if there is no room to try it.
 */
export function repairIfBroken(memory: FileMemory, allowed: boolean): RepairReport | undefined {
  const fault = faultOf(memory);
  if (fault === undefined) {
    adoptGrowth(memory);
    return undefined;
  }
  if (!allowed) throw fault;
  rehearse(memory, fault);
  const header = memory.keepHeader();
  const report = repairHeap(memory, FILE_BASE, fault.message);
  memory.endRepair();
  return { ...report, header };
}

/** Repairs a copy. Throws an OsError if that does not help. */
function rehearse(memory: FileMemory, fault: HeapCorruptError): void {
  const draft = memory.draft();
  try {
    repairHeap(draft, FILE_BASE, fault.message);
    const still = faultOf(draft);
    if (still !== undefined) throw beyondRepair(still.message, fault);
  } finally {
    draft.end();
  }
}

/** What is wrong with the heap in a file; undefined: nothing. */
function faultOf(memory: Memory): HeapCorruptError | undefined {
  const base = asBase(FILE_BASE);
  const machine: Machine = new Machine(memory, (code, address) => refuse(machine, base, code, address));
  try {
    checkHeap(machine, base);
    checkWords(machine, base);
    return undefined;
  } catch (error) {
    if (error instanceof HeapCorruptError) return error;
    throw error;
  }
}

/** What check() believes: words that only the kernel writes, unless the image is a file. */
function checkWords(m: Machine, base: Base): void {
  const broken = (at: number, what: string): never => {
    throw new HeapCorruptError("file", at, `heap corrupted at ${hex(at)}: ${what}`);
  };
  for (const name of brokenSettings(m, base))
    broken(base, `the option ${name} has a value that it cannot have`);
  // In a file a heap has one segment and room to grow: nobody else's bytes are there.
  if (m.load32(base + AT_SEGMENT) !== base + HEADER_BYTES)
    broken(base + AT_SEGMENT, "there is a second segment");
  if (m.load32(base + AT_FLAGS) > ZERO_REALLOC_FREES)
    broken(base + AT_FLAGS, "the flags are not those of a file's heap");
  const lastBins = AT_BIN_MAP + (BIN_MAP_WORDS - 1) * 4;
  if (
    m.load32(base + AT_BIN_SUMMARY) >>> BIN_MAP_WORDS !== 0 ||
    m.load32(base + lastBins) >>> (BIN_COUNT % 32) !== 0
  )
    broken(base + AT_BIN_SUMMARY, "a bit stands for no bin");
  for (let bin = 0; bin < BIN_COUNT; bin++)
    for (let at = m.load32(base + AT_BINS + bin * 4); at !== 0; at = m.load32(at + NEXT))
      if ((at + HEADER_WORD) % GRANULE !== 0) broken(at, "a link leads to no chunk's address");
  for (const at of [AT_MAYBE_UNUSED, AT_IDLE])
    if ((m.load32(base + at) & ~ALL_CLASSES) !== 0) broken(base + at, "a bit stands for no size class");
  const units = m.load32(base + AT_MAPPED) >>> SLAB_UNIT_LOG2;
  if (units !== 0 && units * 4 > sizeOf(m, chunkOf(mapOf(m, base))) - HEADER_WORD)
    broken(base + AT_MAPPED, "the map of slabs is said to reach further than it can");
}

/**
 * A process that died while the memory grew may not have told its heap: what is there is the heap's. Nobody else's bytes are
 * in a file; but if some are not zero, they are not untouched.
 */
function adoptGrowth(memory: Memory): void {
  const m: Machine = new Machine(memory, () => {
    throw new Error("nothing is refused here");
  });
  const from = Math.max(m.load32(FILE_BASE + AT_LIMIT), m.load32(FILE_BASE + AT_UNTOUCHED));
  const size = m.size();
  let untouched = m.load32(FILE_BASE + AT_UNTOUCHED);
  for (let at = from; at < size; at += HEADER_WORD)
    if (m.load32(at) !== 0) untouched = at - (at % HEADER_WORD) + HEADER_WORD;
  m.store32(FILE_BASE + AT_UNTOUCHED, untouched);
  m.store32(FILE_BASE + AT_LIMIT, size);
}
