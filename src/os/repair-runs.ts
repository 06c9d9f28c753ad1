// Repair, second part: runs, their size classes and the map.
//
// Owns:  nothing; writes the map's entries, the classes' states, the runs' places in lists, the counts.
// Needs: the kernel's layout and runs.
//
// A run is in service if the map says so at its first block: that is written after the descriptor when a run is begun, and
// taken back before anything else when it ends. A run that is not in service has no live block.

import { asPtr, type Base } from "../kernel/address.ts";
import { chunkSizeFor } from "../kernel/chunk.ts";
import {
  ADDRESS_END,
  AT_IDLE,
  AT_MAP,
  AT_MAPPED,
  AT_MAYBE_UNUSED,
  AT_NO_BITS,
  AT_RUN_COUNT,
  CLASS_BITS,
  CLASS_COUNT,
  CLASS_FIRST,
  CLASS_HEAD,
  CLASS_RUN,
  CLASS_RUNS,
  CLASS_TAIL,
  HEADER_WORD,
  MAX_SLOTS,
  RUN_BITS,
  RUN_BITS_END,
  RUN_BYTES,
  RUN_INVERSE,
  RUN_LAST,
  RUN_LISTED,
  RUN_NEXT,
  RUN_PREVIOUS,
  RUN_SHAPE,
  RUN_UNIT_LOG2,
} from "../kernel/layout.ts";
import type { Machine } from "../kernel/machine.ts";
import {
  blockBytesOf,
  classOf,
  extentOf,
  firstBlock,
  fullWord,
  inverseOf,
  isFull,
  isUnused,
  shapeOf,
  slotsOf,
} from "../kernel/run.ts";
import { mapOf, mapUnits } from "../kernel/run-map.ts";
import { classState } from "../kernel/runs.ts";
import { OsError } from "./errors.ts";
import type { Link } from "./repair-chain.ts";

/** Own chunks by their payloads' addresses. */
type Owned = ReadonlyMap<number, Link>;

export interface RebuiltRuns {
  /** How many own chunks served nothing, and are free now. */
  readonly freed: number;
  readonly lost: readonly number[];
}

/** Writes all that is said about runs anew, and frees what is the heap's own without being one, in `links`. */
export function rebuildRuns(m: Machine, base: Base, links: readonly Link[]): RebuiltRuns {
  const owned: Owned = new Map(
    links.filter(({ own, inUse }) => own && inUse).map((link) => [link.at + HEADER_WORD, link]),
  );
  const entries = entriesOf(m, base, owned);
  const named = new Set(entries.values());
  const sound = [...named].filter((run) => isSound(m, run, owned));
  const lost: number[] = [];
  for (const run of named) if (!sound.includes(run) && owned.has(run)) lost.push(firstBlock(m, run));
  const serving = sound.filter((run) => entries.get(unitOf(firstBlock(m, run))) === run);
  const current = currentRuns(m, base, serving);
  const kept = serving.filter((run) => current.has(run) || !isUnused(m, run));
  writeMap(m, base, entries, kept);
  writeClasses(m, base, kept, current);
  const used = new Set<number>(kept.flatMap((run) => [run, firstBlock(m, run)]));
  if (kept.length > 0) used.add(reachAll(m, base, owned));
  else {
    m.store32(base + AT_MAPPED, 0);
    m.store32(base + AT_MAP, 0);
  }
  let freed = 0;
  for (const [ptr, link] of owned) {
    if (used.has(ptr)) continue;
    link.inUse = false;
    freed += 1;
  }
  return { freed, lost };
}

function unitOf(address: number): number {
  return address >>> RUN_UNIT_LOG2;
}

/** What the map says: a descriptor for each unit that has one. Throws if there should be a map and is none. */
function entriesOf(m: Machine, base: Base, owned: Owned): Map<number, number> {
  const entries = new Map<number, number>();
  const mapped = m.load32(base + AT_MAPPED);
  if (mapped === 0) return entries;
  const map = mapOf(m, base);
  const units = unitOf(base + mapped) - unitOf(base);
  const chunk = owned.get(map);
  if (chunk === undefined || units * 4 > chunk.bytes - HEADER_WORD)
    throw new OsError("BEYOND_REPAIR", "beyond repair: the map of runs is lost");
  for (let unit = 0; unit < units; unit++) {
    const run = m.load32(map + unit * 4);
    if (run !== 0) entries.set(unitOf(base) + unit, run);
  }
  return entries;
}

/** Lets the map reach as far as its chunk has room for, as a map does that was finished. Returns its address. */
function reachAll(m: Machine, base: Base, owned: Owned): number {
  const map = mapOf(m, base);
  const bytes = (owned.get(map)?.bytes ?? HEADER_WORD) - HEADER_WORD;
  const end = Math.min(unitOf(base) + (bytes >>> 2), unitOf(ADDRESS_END));
  const reached = unitOf(base + m.load32(base + AT_MAPPED));
  for (let unit = reached; unit < end; unit++) m.store32(map + (unit - unitOf(base)) * 4, 0);
  m.store32(base + AT_MAPPED, ((end << RUN_UNIT_LOG2) >>> 0) - base);
  return map;
}

/** Whether a descriptor is one, of a run that is there. */
function isSound(m: Machine, run: number, owned: Owned): boolean {
  const descriptor = owned.get(run);
  if (descriptor === undefined || descriptor.bytes < chunkSizeFor(RUN_BYTES)) return false;
  const place = owned.get(firstBlock(m, run));
  const sizeClass = classOf(m, run);
  const slots = slotsOf(m, run);
  if (place === undefined || sizeClass === 0 || sizeClass > CLASS_COUNT || slots === 0 || slots > MAX_SLOTS)
    return false;
  const shape = (m.load32(run + RUN_SHAPE) & ~RUN_LISTED) >>> 0;
  if (shape !== shapeOf(m, sizeClass, slots) || extentOf(m, run) > place.bytes - HEADER_WORD) return false;
  if (m.load32(run + RUN_INVERSE) !== inverseOf(sizeClass >>> m.ctz(sizeClass))) return false;
  if (m.load32(run + RUN_LAST) !== fullWord(slots, (slots - 1) >>> 5)) return false;
  for (let word = 0; word * 4 < RUN_BITS_END - RUN_BITS; word++)
    if ((m.load32(run + RUN_BITS + word * 4) & ~fullWord(slots, word)) !== 0) return false;
  return true;
}

/** The runs that classes take from, if they are in service. */
function currentRuns(m: Machine, base: Base, serving: readonly number[]): Set<number> {
  const current = new Set<number>();
  for (let sizeClass = 1; sizeClass <= CLASS_COUNT; sizeClass++) {
    const run = m.load32(classState(base, sizeClass) + CLASS_RUN);
    if (serving.includes(run) && classOf(m, run) === sizeClass) current.add(run);
  }
  return current;
}

function writeMap(m: Machine, base: Base, entries: Map<number, number>, runs: readonly number[]): void {
  for (const unit of entries.keys()) m.store32(mapOf(m, base) + (unit - unitOf(base)) * 4, 0);
  for (const run of runs) {
    const first = firstBlock(m, run);
    mapUnits(m, base, first, first + extentOf(m, run), run);
  }
}

/** The classes' states: what they take from, and lists of the other runs that have room. */
function writeClasses(m: Machine, base: Base, runs: readonly number[], current: ReadonlySet<number>): void {
  m.store32(base + AT_NO_BITS, 0);
  m.store32(base + AT_MAYBE_UNUSED, 0);
  m.store32(base + AT_IDLE, 0);
  m.store32(base + AT_RUN_COUNT, runs.length);
  for (let sizeClass = 1; sizeClass <= CLASS_COUNT; sizeClass++) {
    const state = classState(base, sizeClass);
    for (const word of [CLASS_RUN, CLASS_HEAD, CLASS_TAIL, CLASS_RUNS]) m.store32(state + word, 0);
    m.store32(state + CLASS_BITS, base + AT_NO_BITS);
  }
  for (const run of runs) {
    const sizeClass = classOf(m, run);
    const state = classState(base, sizeClass);
    m.store32(state + CLASS_RUNS, m.load32(state + CLASS_RUNS) + 1);
    m.store32(run + RUN_SHAPE, (m.load32(run + RUN_SHAPE) & ~RUN_LISTED) >>> 0);
    if (current.has(run)) {
      takeFrom(m, state, run);
      if (isUnused(m, run))
        m.store32(base + AT_MAYBE_UNUSED, m.load32(base + AT_MAYBE_UNUSED) | (1 << sizeClass));
    } else if (!isFull(m, run)) append(m, state, run);
  }
}

/** Lets a class take from the first word of a run that has a free block; from the first, if none has. */
function takeFrom(m: Machine, state: number, run: number): void {
  let word = 0;
  for (let at = 0; at * 4 < RUN_BITS_END - RUN_BITS; at++) {
    if (m.load32(run + RUN_BITS + at * 4) === 0) continue;
    word = at;
    break;
  }
  m.store32(state + CLASS_RUN, run);
  m.store32(state + CLASS_BITS, run + RUN_BITS + word * 4);
  m.store32(state + CLASS_FIRST, asPtr(firstBlock(m, run) + word * 32 * blockBytesOf(m, run)));
}

function append(m: Machine, state: number, run: number): void {
  const last = m.load32(state + CLASS_TAIL);
  m.store32(run + RUN_SHAPE, m.load32(run + RUN_SHAPE) | RUN_LISTED);
  m.store32(run + RUN_NEXT, 0);
  m.store32(run + RUN_PREVIOUS, last);
  m.store32(last === 0 ? state + CLASS_HEAD : last + RUN_NEXT, run);
  m.store32(state + CLASS_TAIL, run);
}
