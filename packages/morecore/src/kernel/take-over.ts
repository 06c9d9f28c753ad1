// Take-over: the heap of a thread that is gone, made sound, so that the next thread that comes goes on there. For JavaScript only.
//
// Writes: all of the heap that can be reckoned anew, into the other header that its memory has room for.
// Needs:  common, remote, slabs, units; repair-chain, repair.
//
// The thread may have stopped between any two stores; or it may only have been silent, and call again. So its header is emptied first: it
// finds no block there, and its mail closed, which ends the call. Its small blocks have another owner then, so that it frees them as
// any other thread would. What nobody can see is a thread that stops inside a call for as long as the lease, and goes on after that.
//
// Others free blocks of the heap all the while. Each of their frees is found here, or posted to the new header: the units say who the owner
// is before anything is looked at (remote.ts: tell, freeOthersChunk).

import { asChunk, asPtr, type Base } from "./address.ts";
import { putFree } from "./bins.ts";
import { isDescriptor } from "./check-slabs.ts";
import { markFree } from "./chunk.ts";
import { classState, nextClass } from "./classes.ts";
import { list as enlist, firstUnitOf } from "./common.ts";
import {
  ADDRESS_END,
  AT_ADVANCE_LOG2,
  AT_COMMON,
  AT_END,
  AT_FIRST_HEAP,
  AT_FLAGS,
  AT_FOOTPRINT,
  AT_GROWTH_STEP,
  AT_IDLE,
  AT_LIMIT,
  AT_MAGIC,
  AT_MAP,
  AT_MAPPED,
  AT_MAX_FOOTPRINT,
  AT_MAYBE_UNUSED,
  AT_NO_BITS,
  AT_SEGMENT,
  AT_SELF,
  AT_SLAB_COUNT,
  AT_SMALL_LIMIT,
  AT_TAKEN_OVER,
  AT_TOP,
  AT_TRIM_THRESHOLD,
  AT_UNTOUCHED,
  AT_VERSION,
  CLASS_BITS,
  CLASS_HEAD,
  CLASS_SLAB,
  CLASS_SLABS,
  CLASS_TAIL,
  CLOSED,
  FAR_STATES,
  FORMAT_VERSION,
  GONE,
  GRANULE,
  HEADER_BYTES,
  HEADER_WORD,
  IN_USE,
  MAIL_CHUNKS,
  MAIL_NEXT,
  MAIL_SLABS,
  NEXT_HEAP,
  NO_THREAD,
  OF_CHUNKS,
  PREVIOUS_IN_USE,
  SEGMENT_CHUNKS,
  SEGMENT_END,
  SEGMENT_NEXT,
  SLAB_LISTED,
  SLAB_MAIL,
  SLAB_OWNER,
  SLAB_SHAPE,
  SLAB_UNIT,
  THREAD,
  THREAD_MAGIC,
} from "./layout.ts";
import type { Machine } from "./machine.ts";
import { collect, leaveFull, leaveOpen, openAgain, takeMarked } from "./remote.ts";
import { emptyBins, raiseUntouched, writeLinks } from "./repair.ts";
import { type Link, readChain } from "./repair-chain.ts";
import { classOf, extentOf, firstBlock, isFull, isUnused } from "./slab.ts";
import { formatClasses, list } from "./slab-lists.ts";
import { mapUnits } from "./slab-map.ts";
import { setTop } from "./top.ts";
import {
  addUnbounded,
  giveUnits,
  isFirstHeader,
  otherHeader,
  ownerIn,
  slabIn,
  unitAt,
  unitEntry,
} from "./units.ts";

/** A segment of the heap: its chunks end at the fence, its units at the end. */
interface Stretch {
  readonly at: number;
  readonly first: number;
  readonly fence: number;
  unitsEnd: number;
}

/** What others had told of before the mail was closed. */
interface Mail {
  readonly slabs: ReadonlySet<number>;
  readonly chunks: ReadonlySet<number>;
}

/**
 * Takes a heap over from its thread. The heap as nobody's, under its other header; undefined: it is nobody's already, or another has taken
 * it. O(units of all + bytes of the heap).
 */
export function takeOver(m: Machine, common: Base, gone: Base): Base | undefined {
  const thread = m.loadShared(gone - THREAD);
  if (thread === NO_THREAD || thread === GONE) return undefined;
  if (m.compareExchange(gone - THREAD, thread, GONE) !== thread) return undefined;
  m.addShared(common + AT_TAKEN_OVER, 1);
  const mail = closeMail(m, gone);
  const segments = segmentsOf(m, gone);
  const top = m.load32(gone + AT_TOP);
  cutOff(m, gone);
  const heap = otherHeader(gone);
  writeHeader(m, common, heap);
  const serving = relabel(m, common, gone, heap, segments);
  writeSegments(m, heap, segments);
  const kept = keptSlabs(m, heap, serving, mail);
  const keeps = keeper(m, heap, kept, mail);
  for (const [index, segment] of segments.entries()) {
    const first = index === 0 ? heap + HEADER_BYTES + SEGMENT_CHUNKS : segment.first;
    writeChunks(m, heap, { ...segment, first }, segment === segments.at(-1), top, keeps);
  }
  writeSlabs(m, heap, kept);
  settleFootprint(m, common, gone, heap, segments);
  raiseUntouched(m, heap);
  publish(m, common, heap);
  return heap;
}

/** Nobody posts here any more. What there was is told. */
function closeMail(m: Machine, gone: Base): Mail {
  const slabs = new Set<number>();
  for (let slab = m.exchange(gone - MAIL_SLABS, CLOSED); slab > CLOSED && !slabs.has(slab); ) {
    slabs.add(slab);
    slab = m.load32(slab + SLAB_MAIL);
  }
  const chunks = new Set<number>();
  for (let ptr = m.exchange(gone - MAIL_CHUNKS, CLOSED); ptr > CLOSED && !chunks.has(ptr); ) {
    chunks.add(ptr);
    ptr = m.load32(ptr + MAIL_NEXT);
  }
  return { slabs, chunks };
}

/** The segments, as far as a growth that was cut short has come. */
function segmentsOf(m: Machine, gone: Base): Stretch[] {
  const last = m.load32(gone + AT_SEGMENT);
  const segments: Stretch[] = [];
  let at: number = gone + HEADER_BYTES;
  while (at !== last) {
    const end = m.load32(at + SEGMENT_END);
    segments.push({ at, first: at + SEGMENT_CHUNKS, fence: end - HEADER_WORD, unitsEnd: 0 });
    at = m.load32(at + SEGMENT_NEXT);
  }
  // A segment that has just begun, and has no end yet, has nothing in it.
  const end = Math.max(m.load32(gone + AT_END), at + SEGMENT_CHUNKS + GRANULE + HEADER_WORD);
  segments.push({ at, first: at + SEGMENT_CHUNKS, fence: end - HEADER_WORD, unitsEnd: 0 });
  return segments;
}

/** From now on there is nothing to be had by this header. */
function cutOff(m: Machine, gone: Base): void {
  for (let sizeClass = 1; sizeClass !== 0; sizeClass = nextClass(m, sizeClass)) {
    const state = classState(m, gone, sizeClass);
    m.store32(state + CLASS_BITS, gone + AT_NO_BITS);
    for (const word of [CLASS_SLAB, CLASS_HEAD, CLASS_TAIL]) m.store32(state + word, 0);
  }
  for (const word of [AT_NO_BITS, AT_MAYBE_UNUSED, AT_IDLE]) m.store32(gone + word, 0);
  emptyBins(m, gone);
  m.store32(gone + AT_END, m.load32(gone + AT_TOP) + HEADER_WORD);
  m.store32(gone + AT_LIMIT, m.load32(gone + AT_END));
}

/** The words of a header that do not depend on what lies in the heap. */
function writeHeader(m: Machine, common: Base, heap: Base): void {
  const next = m.load32(heap - NEXT_HEAP);
  const isListed = isInList(m, common, heap);
  // Those who go through the list meanwhile must find their way, and not think that it is nobody's.
  m.store32(heap - THREAD, GONE);
  m.zero(heap - THREAD + HEADER_WORD, THREAD - HEADER_WORD + HEADER_BYTES + SEGMENT_CHUNKS);
  m.zero(heap - FAR_STATES, FAR_STATES - NEXT_HEAP);
  m.store32(heap - NEXT_HEAP, isListed ? next : 0);
  m.store32(heap + AT_VERSION, FORMAT_VERSION);
  m.store32(heap + AT_SELF, heap);
  m.store32(heap + AT_COMMON, common);
  for (const word of [
    AT_FLAGS,
    AT_MAP,
    AT_MAPPED,
    AT_GROWTH_STEP,
    AT_TRIM_THRESHOLD,
    AT_ADVANCE_LOG2,
    AT_SMALL_LIMIT,
  ])
    m.store32(heap + word, m.load32(common + word));
  formatClasses(m, heap);
  // Until it is known, whatever others free lies below it.
  m.store32(heap + AT_TOP, ADDRESS_END);
}

function isInList(m: Machine, common: Base, heap: Base): boolean {
  let at = m.loadShared(common + AT_FIRST_HEAP);
  while (at !== 0 && at !== heap) at = m.load32(at - NEXT_HEAP);
  return at === heap;
}

/**
 * Lets each unit of the gone one say who its heap is now, and each slab. Units that are in no segment, as when a growth was cut short, go
 * back. The slabs in service.
 */
function relabel(m: Machine, common: Base, gone: Base, heap: Base, segments: readonly Stretch[]): number[] {
  const words = m.words;
  const slabs = new Set<number>();
  const limit = m.loadShared(common + AT_LIMIT);
  const begin = (segment: Stretch) => (segment === segments[0] ? firstUnitOf(gone) : segment.at);
  for (const segment of segments) {
    const isLast = segment === segments.at(-1);
    let at = begin(segment);
    const end = Math.ceil((segment.fence + HEADER_WORD) / SLAB_UNIT) * SLAB_UNIT;
    for (
      ;
      at < limit && (at < end || isLast) && ownerIn(words, unitAt(words, common, at)) === gone;
      at += SLAB_UNIT
    ) {
      const slab = slabIn(unitAt(words, common, at));
      if (slab === 0) m.storeShared(unitEntry(words, common, at), heap | OF_CHUNKS);
      else if (isInService(m, common, slab)) slabs.add(slab);
      else m.storeShared(unitEntry(words, common, at), heap | OF_CHUNKS);
    }
    segment.unitsEnd = at;
  }
  // Before anything is looked at: who has freed something, and finds the mail closed, looks here (remote.ts).
  for (const slab of slabs) m.storeShared(slab + SLAB_OWNER, heap);
  for (let at = firstUnitOf(gone); at < limit; at += SLAB_UNIT)
    if (unitAt(words, common, at) === (gone | OF_CHUNKS) >>> 0) giveUnits(m, common, at, at + SLAB_UNIT);
  return [...slabs];
}

/** Whether a slab serves: the map says so at its first block. */
function isInService(m: Machine, common: Base, slab: number): boolean {
  return slabIn(unitAt(m.words, common, firstBlock(m, slab))) === slab && isDescriptor(m, slab);
}

/** Where the segments lie, by the new header, and what is the heap's behind the last. */
function writeSegments(m: Machine, heap: Base, segments: readonly Stretch[]): void {
  const places = segments.map(({ at }, index) => (index === 0 ? heap + HEADER_BYTES : at));
  for (const [index, { fence }] of segments.entries()) {
    const at = places[index] as number;
    const next = places[index + 1];
    m.store32(at + SEGMENT_NEXT, next ?? 0);
    m.store32(at + SEGMENT_END, next === undefined ? 0 : fence + HEADER_WORD);
  }
  const last = segments.at(-1) as Stretch;
  m.store32(heap + AT_SEGMENT, places.at(-1) as number);
  m.store32(heap + AT_END, last.fence + HEADER_WORD);
  m.store32(heap + AT_LIMIT, last.unitsEnd);
  m.store32(heap + AT_UNTOUCHED, last.unitsEnd);
}

/** The slabs that have a live block, after what others have freed has been taken back; or that somebody is about to post. */
function keptSlabs(m: Machine, heap: Base, serving: readonly number[], mail: Mail): number[] {
  return serving.filter((slab) => {
    if (mail.slabs.has(slab)) openAgain(m, heap, slab);
    collect(m, slab);
    const entry = unitEntry(m.words, heap, firstBlock(m, slab));
    if (!isUnused(m, slab) || m.loadShared(entry) !== slab) return true;
    markUnits(m, heap, slab, heap | OF_CHUNKS);
    return false;
  });
}

/** Writes the words of a slab's units. */
function markUnits(m: Machine, heap: Base, slab: number, word: number): void {
  const first = firstBlock(m, slab);
  mapUnits(m, heap, first, first + extentOf(m, slab), word);
}

/** Writes a segment's chunks anew: what is the heap's own and serves nothing is free, and so is what others have freed. */
function writeChunks(
  m: Machine,
  heap: Base,
  segment: Stretch,
  isLast: boolean,
  top: number,
  keeps: (link: Link) => boolean,
): void {
  const { first, fence } = segment;
  const chain = readChain(m, first, isLast ? top : fence, fence);
  // The last chunk of a segment that is closed looks like top, if it is free.
  if (!isLast && chain.top < fence) chain.links.push(freeLink(chain.top, fence - chain.top));
  for (const link of chain.links) link.inUse = link.inUse && keeps(link);
  if (!isLast) m.store32(fence, IN_USE | PREVIOUS_IN_USE);
  const free = writeLinks(m, heap, chain.links);
  if (isLast) setTop(m, heap, asChunk(free?.at ?? chain.top), fence - (free?.at ?? chain.top));
  else if (free !== undefined) {
    markFree(m, asChunk(free.at), free.bytes);
    putFree(m, heap, asChunk(free.at), free.bytes);
  }
}

function freeLink(at: number, bytes: number): Link {
  return { at, bytes, inUse: false, own: false, doubtful: false, lost: false };
}

/** What says of a chunk that is in use whether it stays so. */
function keeper(m: Machine, heap: Base, kept: readonly number[], mail: Mail): (link: Link) => boolean {
  const used = new Set<number>(kept.flatMap((slab) => [slab, firstBlock(m, slab)]));
  // Of the first header, the room for the other one.
  const spare = isFirstHeader(heap) ? heap + HEADER_BYTES + SEGMENT_CHUNKS : 0;
  return ({ at, own }) => {
    const ptr = at + HEADER_WORD;
    if (own) return used.has(ptr) || at === spare;
    return !mail.chunks.has(ptr) && !takeMarked(m, otherHeader(heap), asPtr(ptr));
  };
}

/** Puts the slabs into the lists of their classes, or lets the map say that they are full. */
function writeSlabs(m: Machine, heap: Base, kept: readonly number[]): void {
  m.store32(heap + AT_SLAB_COUNT, kept.length);
  for (const slab of kept) {
    const state = classState(m, heap, classOf(m, slab));
    const first = firstBlock(m, slab);
    const entry = unitEntry(m.words, heap, first);
    m.store32(state + CLASS_SLABS, m.load32(state + CLASS_SLABS) + 1);
    m.store32(slab + SLAB_SHAPE, (m.load32(slab + SLAB_SHAPE) & ~SLAB_LISTED) >>> 0);
    // The first unit's word others may change.
    const second = (first & ~(SLAB_UNIT - 1)) + SLAB_UNIT;
    const end = first + extentOf(m, slab);
    if (second < end) mapUnits(m, heap, second, end, slab);
    if (!isFull(m, slab)) leaveOpen(m, heap, slab);
    const isOpen = m.loadShared(entry) === slab;
    if (isOpen && (!isFull(m, slab) || !leaveFull(m, heap, slab))) list(m, state, slab);
  }
}

function settleFootprint(
  m: Machine,
  common: Base,
  gone: Base,
  heap: Base,
  segments: readonly Stretch[],
): void {
  let bytes = 0;
  for (const [index, { at, fence }] of segments.entries())
    bytes += fence + HEADER_WORD - (index === 0 ? heap : at);
  m.store32(heap + AT_FOOTPRINT, bytes);
  m.store32(heap + AT_MAX_FOOTPRINT, bytes);
  m.addShared(common + AT_FOOTPRINT, (0 - m.load32(gone + AT_FOOTPRINT)) >>> 0);
  addUnbounded(m, common, bytes);
  m.store32(gone + AT_FOOTPRINT, 0);
}

/** The next thread that comes may have it. */
function publish(m: Machine, common: Base, heap: Base): void {
  m.store32(heap + AT_MAGIC, THREAD_MAGIC);
  if (!isInList(m, common, heap)) enlist(m, common, heap);
  m.storeShared(heap - THREAD, NO_THREAD);
}
