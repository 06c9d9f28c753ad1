// Repair, second part: slabs, their size classes and the map. For JavaScript only.
//
// Writes: the map's entries, the classes' states, the slabs' places in lists, the counts.
// Needs:  layout, slabs; what check-slabs says that a descriptor is.
//
// A slab is in service if the map says so at its first block: that is written after the descriptor when a slab is begun, and
// taken back before anything else when it ends. A slab that is not in service has no live block. But the header counts the
// slabs, after the map has been told of one and before it is told of an end: if it counts more than the map has, somebody has
// overwritten the map, or where it is. Then every sound descriptor of a slab with a live block is believed.

import type { Base, Word } from "./address.ts";
import { isDescriptor, strayBits } from "./check-slabs.ts";
import { chunkSizeFor } from "./chunk.ts";
import { classState, nextClass, noteFor } from "./classes.ts";
import { BeyondRepairError } from "./engine.ts";
import {
  ADDRESS_END,
  AT_IDLE,
  AT_MAP,
  AT_MAPPED,
  AT_MAYBE_UNUSED,
  AT_NO_BITS,
  AT_SLAB_COUNT,
  CLASS_BITS,
  CLASS_FIRST,
  CLASS_HEAD,
  CLASS_SLAB,
  CLASS_SLABS,
  CLASS_TAIL,
  HEADER_WORD,
  SLAB_BITS,
  SLAB_BYTES,
  SLAB_LISTED,
  SLAB_SHAPE,
  SLAB_UNIT_LOG2,
} from "./layout.ts";
import type { Machine } from "./machine.ts";
import type { Link } from "./repair-chain.ts";
import { classOf, extentOf, firstBlock, isFull, isUnused } from "./slab.ts";
import { list, useWord } from "./slab-lists.ts";

/** Own chunks by their payloads' addresses, and those that had no header: they may be own, if a slab or the map is there. */
type Owned = ReadonlyMap<number, Link>;

export interface RebuiltSlabs {
  /** How many own chunks served nothing, and are free now. */
  readonly freed: number;
  /** Slabs that were in service but whose descriptors are none, and what may be one: each is one live block now, at this address. */
  readonly lost: readonly number[];
}

/** Writes all that is said about slabs anew, and frees what is the heap's own without being one, in `links`. Throws before it writes. */
export function rebuildSlabs(m: Machine, base: Base, links: readonly Link[]): RebuiltSlabs {
  const owned: Owned = new Map(
    links
      .filter(({ own, inUse, lost }) => lost || (own && inUse))
      .map((link) => [link.at + HEADER_WORD, link]),
  );
  const sound = new Set([...owned.keys()].filter((slab) => isSound(m, slab, owned)));
  const map = mapIn(m, base, owned, sound);
  const entries = entriesOf(m, base, map);
  const serving = servingSlabs(m, base, sound, entries);
  const current = currentSlabs(m, base, serving);
  const kept = [...serving].filter((slab) => current.has(slab) || !isUnused(m, slab));
  const used = new Set<number>(kept.flatMap((slab) => [slab, firstBlock(m, slab)]));
  const end = unitOf(base) + (map?.room ?? 0);
  if (kept.some((slab) => lastUnit(m, slab) >= end)) throw new BeyondRepairError("the map of slabs is lost");
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
interface SlabMap {
  readonly at: number;
  readonly room: number;
  readonly mapped: number;
}

function unitOf(address: number): number {
  return address >>> SLAB_UNIT_LOG2;
}

/**
 * The map: where the header says, if an own chunk is there that can be it; else the own chunk that has entries for all sound
 * slabs with live blocks. Undefined: there is none.
 */
function mapIn(m: Machine, base: Base, owned: Owned, sound: ReadonlySet<number>): SlabMap | undefined {
  const places = new Set<number>([...sound].map((slab) => firstBlock(m, slab)));
  const roomOf = (at: number): number => {
    const bytes = (owned.get(at)?.bytes ?? HEADER_WORD) - HEADER_WORD;
    return Math.min(bytes >>> 2, unitOf(ADDRESS_END) - unitOf(base));
  };
  const canBe = (at: number): boolean => owned.has(at) && !sound.has(at) && !places.has(at);
  const said = (m.load32(base + AT_MAP) + unitOf(base) * 4) >>> 0;
  const mapped = unitOf(base + m.load32(base + AT_MAPPED)) - unitOf(base);
  if (canBe(said) && mapped > 0 && mapped <= roomOf(said)) return { at: said, room: roomOf(said), mapped };
  const live = [...sound].filter((slab) => !isUnused(m, slab));
  const names = (at: number, slab: number): boolean => {
    const unit = unitOf(firstBlock(m, slab)) - unitOf(base);
    return unit < roomOf(at) && m.load32(at + unit * 4) === slab;
  };
  const found = [...owned.keys()].find((at) => canBe(at) && live.every((slab) => names(at, slab)));
  if (live.length === 0 || found === undefined) return undefined;
  return { at: found, room: roomOf(found), mapped: roomOf(found) };
}

/** The last unit that a slab's blocks lie in. */
function lastUnit(m: Machine, slab: number): number {
  return unitOf(firstBlock(m, slab) + extentOf(m, slab) - 1);
}

/** What the map says: a descriptor for each unit that has one. */
function entriesOf(m: Machine, base: Base, map: SlabMap | undefined): Map<number, number> {
  const entries = new Map<number, number>();
  if (map === undefined) return entries;
  for (let unit = 0; unit < map.mapped; unit++) {
    const slab = m.load32(map.at + unit * 4);
    if (slab !== 0) entries.set(unitOf(base) + unit, slab);
  }
  return entries;
}

/** The slabs in service. */
function servingSlabs(
  m: Machine,
  base: Base,
  sound: ReadonlySet<number>,
  entries: ReadonlyMap<number, number>,
): Set<number> {
  const serving = new Set([...sound].filter((slab) => entries.get(unitOf(firstBlock(m, slab))) === slab));
  if (serving.size >= m.load32(base + AT_SLAB_COUNT)) return serving;
  const places = new Set<number>([...serving].map((slab) => firstBlock(m, slab)));
  for (const slab of sound) {
    // Blocks of a slab that serves may hold anything, also what looks like a descriptor.
    if (serving.has(slab) || isUnused(m, slab) || places.has(slab) || places.has(firstBlock(m, slab)))
      continue;
    serving.add(slab);
    places.add(firstBlock(m, slab));
  }
  return serving;
}

/** The chunks that hold blocks of slabs that the map names, but whose descriptors are none. */
function lostPlaces(
  entries: ReadonlyMap<number, number>,
  sound: ReadonlySet<number>,
  owned: Owned,
  used: ReadonlySet<number>,
): Set<number> {
  const units = new Set([...entries].filter(([, slab]) => !sound.has(slab)).map(([unit]) => unit));
  const named = new Set(entries.values());
  const isPlace = ([ptr, { bytes }]: [number, Link]): boolean => {
    if (used.has(ptr) || sound.has(ptr) || named.has(ptr)) return false;
    for (let unit = unitOf(ptr); unit <= unitOf(ptr + bytes - HEADER_WORD - 1); unit++)
      if (units.has(unit)) return true;
    return false;
  };
  return new Set([...owned].filter(isPlace).map(([ptr]) => ptr));
}

/** Whether a descriptor is one, of a slab that is there. */
function isSound(m: Machine, slab: number, owned: Owned): boolean {
  const descriptor = owned.get(slab);
  if (descriptor === undefined || descriptor.bytes < chunkSizeFor(SLAB_BYTES)) return false;
  const place = owned.get(firstBlock(m, slab));
  if (place === undefined || !isDescriptor(m, slab) || strayBits(m, slab) !== 0) return false;
  return extentOf(m, slab) <= place.bytes - HEADER_WORD;
}

/** The slabs that classes take from, if they are in service. */
function currentSlabs(m: Machine, base: Base, serving: ReadonlySet<number>): Set<number> {
  const current = new Set<number>();
  for (let sizeClass = 1; sizeClass !== 0; sizeClass = nextClass(m, sizeClass)) {
    const slab = m.load32(classState(m, base, sizeClass) + CLASS_SLAB);
    if (serving.has(slab) && classOf(m, slab) === sizeClass) current.add(slab);
  }
  return current;
}

/** Writes the map, as far as its chunk has room, and where it is. An entry that is right is never another for a moment. */
function writeMap(m: Machine, base: Base, map: SlabMap, slabs: readonly number[]): void {
  const wanted = new Map<number, number>();
  for (const slab of slabs)
    for (let unit = unitOf(firstBlock(m, slab)); unit <= lastUnit(m, slab); unit++) wanted.set(unit, slab);
  for (let unit = 0; unit < map.room; unit++)
    m.store32(map.at + unit * 4, wanted.get(unitOf(base) + unit) ?? 0);
  m.store32(base + AT_MAP, (map.at - unitOf(base) * 4) >>> 0);
  m.store32(base + AT_MAPPED, (((unitOf(base) + map.room) << SLAB_UNIT_LOG2) >>> 0) - base);
}

/** The classes' states: what they take from, and lists of the other slabs that have room. */
function writeClasses(m: Machine, base: Base, slabs: readonly number[], current: ReadonlySet<number>): void {
  m.store32(base + AT_NO_BITS, 0);
  m.store32(base + AT_MAYBE_UNUSED, 0);
  m.store32(base + AT_IDLE, 0);
  m.store32(base + AT_SLAB_COUNT, slabs.length);
  for (let sizeClass = 1; sizeClass !== 0; sizeClass = nextClass(m, sizeClass)) {
    const state = classState(m, base, sizeClass);
    for (const word of [CLASS_SLAB, CLASS_HEAD, CLASS_TAIL, CLASS_SLABS]) m.store32(state + word, 0);
    m.store32(state + CLASS_BITS, base + AT_NO_BITS);
  }
  for (const slab of slabs) {
    const sizeClass = classOf(m, slab);
    const state = classState(m, base, sizeClass);
    m.store32(state + CLASS_SLABS, m.load32(state + CLASS_SLABS) + 1);
    m.store32(slab + SLAB_SHAPE, (m.load32(slab + SLAB_SHAPE) & ~SLAB_LISTED) >>> 0);
    if (current.has(slab)) {
      takeFrom(m, state, slab);
      if (isUnused(m, slab))
        m.store32(base + AT_MAYBE_UNUSED, m.load32(base + AT_MAYBE_UNUSED) | noteFor(m, sizeClass));
    } else if (!isFull(m, slab)) list(m, state, slab);
  }
}

/** Lets a class take from a slab: from the first word that has a free block; from the first, if none has. */
function takeFrom(m: Machine, state: Word, slab: Word): void {
  m.store32(state + CLASS_SLAB, slab);
  if (useWord(m, state, slab)) return;
  m.store32(state + CLASS_BITS, slab + SLAB_BITS);
  m.store32(state + CLASS_FIRST, firstBlock(m, slab));
}
