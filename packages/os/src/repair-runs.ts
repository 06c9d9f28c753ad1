// Repair, second part: runs, their size classes and the map.
//
// Owns:  nothing; writes the map's entries, the classes' states, the runs' places in lists, the counts.
// Needs: the kernel's layout and runs.
//
// A run is in service if the map says so at its first block: that is written after the descriptor when a run is begun, and
// taken back before anything else when it ends. A run that is not in service has no live block. But the header counts the
// runs, after the map has been told of one and before it is told of an end: if it counts more than the map has, somebody has
// overwritten the map, or where it is. Then every sound descriptor of a run with a live block is believed.

import {
  ADDRESS_END,
  AT_IDLE,
  AT_MAP,
  AT_MAPPED,
  AT_MAYBE_UNUSED,
  AT_NO_BITS,
  AT_RUN_COUNT,
  asPtr,
  type Base,
  blockBytesOf,
  CLASS_BITS,
  CLASS_COUNT,
  CLASS_FIRST,
  CLASS_HEAD,
  CLASS_RUN,
  CLASS_RUNS,
  CLASS_TAIL,
  chunkSizeFor,
  classOf,
  classState,
  extentOf,
  firstBlock,
  fullWord,
  HEADER_WORD,
  inverseOf,
  isFull,
  isUnused,
  MAX_SLOTS,
  type Machine,
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
  shapeOf,
  slotsOf,
} from "morecore/engine";
import { beyondRepair } from "./errors.ts";
import type { Link } from "./repair-chain.ts";

/** Own chunks by their payloads' addresses, and those that had no header: they may be own, if a run or the map is there. */
type Owned = ReadonlyMap<number, Link>;

export interface RebuiltRuns {
  /** How many own chunks served nothing, and are free now. */
  readonly freed: number;
  /** Runs that were in service but whose descriptors are none, and what may be one: each is one live block now, at this address. */
  readonly lost: readonly number[];
}

/** Writes all that is said about runs anew, and frees what is the heap's own without being one, in `links`. Throws before it writes. */
export function rebuildRuns(m: Machine, base: Base, links: readonly Link[]): RebuiltRuns {
  const owned: Owned = new Map(
    links
      .filter(({ own, inUse, lost }) => lost || (own && inUse))
      .map((link) => [link.at + HEADER_WORD, link]),
  );
  const sound = new Set([...owned.keys()].filter((run) => isSound(m, run, owned)));
  const map = mapIn(m, base, owned, sound);
  const entries = entriesOf(m, base, map);
  const serving = servingRuns(m, base, sound, entries);
  const current = currentRuns(m, base, serving);
  const kept = [...serving].filter((run) => current.has(run) || !isUnused(m, run));
  const used = new Set<number>(kept.flatMap((run) => [run, firstBlock(m, run)]));
  const end = unitOf(base) + (map?.room ?? 0);
  if (kept.some((run) => lastUnit(m, run) >= end)) throw beyondRepair("the map of runs is lost");
  if (map !== undefined) used.add(map.at);
  const places = lostPlaces(entries, sound, owned, used);
  if (map !== undefined && kept.length > 0) writeMap(m, base, map, kept);
  else {
    if (map !== undefined) used.delete(map.at);
    m.store32(base + AT_MAPPED, 0);
    m.store32(base + AT_MAP, 0);
  }
  writeClasses(m, base, kept, current);
  let freed = 0;
  const lost: number[] = [];
  for (const [ptr, link] of owned) {
    link.own = used.has(ptr);
    if (link.own || link.lost) continue;
    if (places.has(ptr) || link.doubtful) lost.push(ptr);
    else {
      link.inUse = false;
      freed += 1;
    }
  }
  return { freed, lost };
}

/** The map: where it is, and how many units it has room for and is said to map. */
interface RunMap {
  readonly at: number;
  readonly room: number;
  readonly mapped: number;
}

function unitOf(address: number): number {
  return address >>> RUN_UNIT_LOG2;
}

/**
 * The map: where the header says, if an own chunk is there that can be it; else the own chunk that has entries for all sound
 * runs with live blocks. Undefined: there is none.
 */
function mapIn(m: Machine, base: Base, owned: Owned, sound: ReadonlySet<number>): RunMap | undefined {
  const places = new Set<number>([...sound].map((run) => firstBlock(m, run)));
  const roomOf = (at: number): number => {
    const bytes = (owned.get(at)?.bytes ?? HEADER_WORD) - HEADER_WORD;
    return Math.min(bytes >>> 2, unitOf(ADDRESS_END) - unitOf(base));
  };
  const canBe = (at: number): boolean => owned.has(at) && !sound.has(at) && !places.has(at);
  const said = (m.load32(base + AT_MAP) + unitOf(base) * 4) >>> 0;
  const mapped = unitOf(base + m.load32(base + AT_MAPPED)) - unitOf(base);
  if (canBe(said) && mapped > 0 && mapped <= roomOf(said)) return { at: said, room: roomOf(said), mapped };
  const live = [...sound].filter((run) => !isUnused(m, run));
  const names = (at: number, run: number): boolean => {
    const unit = unitOf(firstBlock(m, run)) - unitOf(base);
    return unit < roomOf(at) && m.load32(at + unit * 4) === run;
  };
  const found = [...owned.keys()].find((at) => canBe(at) && live.every((run) => names(at, run)));
  if (live.length === 0 || found === undefined) return undefined;
  return { at: found, room: roomOf(found), mapped: roomOf(found) };
}

/** The last unit that a run's blocks lie in. */
function lastUnit(m: Machine, run: number): number {
  return unitOf(firstBlock(m, run) + extentOf(m, run) - 1);
}

/** What the map says: a descriptor for each unit that has one. */
function entriesOf(m: Machine, base: Base, map: RunMap | undefined): Map<number, number> {
  const entries = new Map<number, number>();
  if (map === undefined) return entries;
  for (let unit = 0; unit < map.mapped; unit++) {
    const run = m.load32(map.at + unit * 4);
    if (run !== 0) entries.set(unitOf(base) + unit, run);
  }
  return entries;
}

/** The runs in service. */
function servingRuns(
  m: Machine,
  base: Base,
  sound: ReadonlySet<number>,
  entries: ReadonlyMap<number, number>,
): Set<number> {
  const serving = new Set([...sound].filter((run) => entries.get(unitOf(firstBlock(m, run))) === run));
  if (serving.size >= m.load32(base + AT_RUN_COUNT)) return serving;
  const places = new Set<number>([...serving].map((run) => firstBlock(m, run)));
  for (const run of sound) {
    // Blocks of a run that serves may hold anything, also what looks like a descriptor.
    if (serving.has(run) || isUnused(m, run) || places.has(run) || places.has(firstBlock(m, run))) continue;
    serving.add(run);
    places.add(firstBlock(m, run));
  }
  return serving;
}

/** The chunks that hold blocks of runs that the map names, but whose descriptors are none. */
function lostPlaces(
  entries: ReadonlyMap<number, number>,
  sound: ReadonlySet<number>,
  owned: Owned,
  used: ReadonlySet<number>,
): Set<number> {
  const units = new Set([...entries].filter(([, run]) => !sound.has(run)).map(([unit]) => unit));
  const named = new Set(entries.values());
  const isPlace = ([ptr, { bytes }]: [number, Link]): boolean => {
    if (used.has(ptr) || sound.has(ptr) || named.has(ptr)) return false;
    for (let unit = unitOf(ptr); unit <= unitOf(ptr + bytes - HEADER_WORD - 1); unit++)
      if (units.has(unit)) return true;
    return false;
  };
  return new Set([...owned].filter(isPlace).map(([ptr]) => ptr));
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
function currentRuns(m: Machine, base: Base, serving: ReadonlySet<number>): Set<number> {
  const current = new Set<number>();
  for (let sizeClass = 1; sizeClass <= CLASS_COUNT; sizeClass++) {
    const run = m.load32(classState(base, sizeClass) + CLASS_RUN);
    if (serving.has(run) && classOf(m, run) === sizeClass) current.add(run);
  }
  return current;
}

/** Writes the map, as far as its chunk has room, and where it is. An entry that is right is never another for a moment. */
function writeMap(m: Machine, base: Base, map: RunMap, runs: readonly number[]): void {
  const wanted = new Map<number, number>();
  for (const run of runs)
    for (let unit = unitOf(firstBlock(m, run)); unit <= lastUnit(m, run); unit++) wanted.set(unit, run);
  for (let unit = 0; unit < map.room; unit++)
    m.store32(map.at + unit * 4, wanted.get(unitOf(base) + unit) ?? 0);
  m.store32(base + AT_MAP, (map.at - unitOf(base) * 4) >>> 0);
  m.store32(base + AT_MAPPED, (((unitOf(base) + map.room) << RUN_UNIT_LOG2) >>> 0) - base);
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
