// Describe: what addresses, codes and images are, in words or as a record. For JavaScript only.
//
// Owns:  the sentences about this design: its headers, slabs and invariants.
// Needs: layout, live, slab-map, units, walk, check-common. Changes nothing.
//
// Where threads share a heap, all of it is meant, whichever of the heaps in it is given.

import { hex } from "../memory/arguments.ts";
import { asChunk, asPtr, type Base, chunkOf, type Word } from "./address.ts";
import { firstPlace, probeCommon } from "./check-common.ts";
import { sizeIn, sizeOf } from "./chunk.ts";
import * as code from "./codes.ts";
import type { AddressInfo, Breach, ChunkInfo, Evidence, Mismatch } from "./engine.ts";
import * as probe from "./image.ts";
import {
  AT_MAGIC,
  AT_SEGMENT,
  AT_SELF,
  AT_VERSION,
  FOOTER,
  FORMAT_VERSION,
  HEADER_BYTES,
  HEADER_WORD,
  IN_USE,
  OWN,
  PLACE_BYTES,
  PREVIOUS_IN_USE,
  RESERVED_FLAG,
  SHARED_VERSION,
} from "./layout.ts";
import { isLive, isMarked, nextSegment, segmentEnd } from "./live.ts";
import type { Machine } from "./machine.ts";
import { threadHeaps } from "./sharing.ts";
import { blockBytesOf, firstBlock } from "./slab.ts";
import { slabOf } from "./slab-map.ts";
import { commonOf, ownerAt } from "./units.ts";
import {
  CACHED,
  FREE,
  firstPiece,
  isBlock,
  LIVE,
  NO_PIECE,
  nextPiece,
  OVERHEAD,
  pieceBytes,
  pieceState,
  TOP,
} from "./walk.ts";

const BROKEN: Readonly<Record<number, readonly [invariant: string, sentence: string]>> = {
  [code.CORRUPTED]: ["link", "a free chunk's header or links have been overwritten"],
  [code.BROKEN_HEADER]: ["C1", "a header's size is not a chunk's, or the heap's header is not sound"],
  [code.BROKEN_PREVIOUS_FLAG]: ["C2", "the flag P does not say whether the chunk before is in use"],
  [code.BROKEN_FREE_CHUNK]: [
    "C3",
    "a free chunk's footer is not its size, or it was not merged with a free neighbour",
  ],
  [code.BROKEN_BIN_MAP]: ["B1", "a bitmap does not say whether a bin has chunks"],
  [code.BROKEN_BIN]: [
    "B2",
    "a bin holds a chunk that is not free or of another size, or a free chunk is in no bin",
  ],
  [code.BROKEN_LINK]: ["B3", "a free chunk's links do not agree both ways"],
  [code.BROKEN_CLASS]: ["S1", "a size class does not take from its current slab"],
  [code.BROKEN_LIST]: [
    "S2",
    "a slab with room is not listed, or a listed one is full, unused or of another class",
  ],
  [code.BROKEN_BITS]: ["S3", "a slab's descriptor states no blocks, or has bits that stand for none"],
  [code.BROKEN_INTERNAL]: [
    "S4",
    "a chunk of the heap's own is no slab, descriptor or map, or one of these is none",
  ],
  [code.BROKEN_MAP]: ["S5", "the map does not say which slab covers a stretch of memory"],
  [code.BROKEN_TOP]: ["T1", "top's header is not its size with P set"],
  [code.BROKEN_SEGMENT]: ["T2", "segments, ends and footprint do not agree"],
  [code.BROKEN_UNTOUCHED]: ["T3", "memory that is said to be untouched is not zero"],
  [code.BROKEN_COMMON]: [
    "H1",
    "the header of a heap that threads share is not sound, or its list of heaps is not",
  ],
  [code.BROKEN_SUM]: ["H2", "the free units or the footprint of all threads are not counted right"],
  [code.BROKEN_UNIT]: ["U1", "the map does not say whose a unit is"],
  [code.BROKEN_LIMIT]: ["U2", "a unit that is or was a thread's lies beyond the limit"],
  [code.BROKEN_FRESH]: ["U3", "memory that no thread has ever had is not zero"],
  [code.BROKEN_REMOTE]: ["R1", "another thread has freed what was no live block of a slab"],
  [code.BROKEN_FULL]: ["R2", "the map does not say whether a slab's thread has gone from it"],
  [code.BROKEN_MAIL]: ["R3", "a heap's mail does not hold just the slabs that others have told of"],
  [code.BROKEN_CHUNK_MAIL]: ["R4", "a heap's mail of chunks does not hold just those that others have freed"],
};

/** What it means that the kernel has aborted with a code; undefined: it is a misuse. */
export function breach(refused: Word): Breach | undefined {
  const found = BROKEN[refused];
  return found && { invariant: found[0], sentence: found[1] };
}

/** The numbers of walk.ts by their names. */
export const STATES: Readonly<Record<ChunkInfo["state"], Word>> = {
  live: LIVE,
  cached: CACHED,
  free: FREE,
  top: TOP,
  overhead: OVERHEAD,
};

const NAMES = new Map(Object.entries(STATES).map(([name, state]) => [state, name as ChunkInfo["state"]]));

/** A piece of the walk as a record. */
export function pieceInfo(m: Machine, heap: Base, at: Word): ChunkInfo {
  const header = isBlock(at) ? 0 : HEADER_WORD;
  const size = pieceBytes(m, heap, at);
  const state = NAMES.get(pieceState(m, heap, at)) ?? "overhead";
  return { address: at, ptr: at + header, size, usable: Math.max(size - header, 0), state };
}

/** Calls back with each piece, in the order of their addresses; where threads share a heap, heap by heap. O(pieces). */
export function walk(m: Machine, heap: Base, visit: (piece: ChunkInfo) => void): void {
  if (m.threads) walkCommon(m, commonOf(m, heap), visit);
  else walkHeap(m, heap, visit);
}

/** walk for a heap that threads share: each thread's heap in turn, the newest first. */
export function walkCommon(m: Machine, common: Base, visit: (piece: ChunkInfo) => void): void {
  for (const heap of threadHeaps(m, common)) walkHeap(m, heap, visit);
}

function walkHeap(m: Machine, heap: Base, visit: (piece: ChunkInfo) => void): void {
  for (let at = firstPiece(m, heap); at !== NO_PIECE; at = nextPiece(m, heap, at))
    visit(pieceInfo(m, heap, at));
}

const OUTSIDE: AddressInfo = { state: "outside", ptr: 0, usable: 0 };
const NO_PIECE_THERE: AddressInfo = { state: "heap", ptr: 0, usable: 0 };

/** What an address is. O(1) where a live block begins, else O(pieces of the heap or the thread's heap that it lies in). */
export function describeAddress(m: Machine, heap: Base, address: Word): AddressInfo {
  if (!m.threads) return describeIn(m, heap, address);
  const owner = ownerAt(m.words, heap, address);
  if (owner !== 0) return describeIn(m, owner, address);
  const common = commonOf(m, heap);
  return address >= common && address < firstPlace(m, common) ? NO_PIECE_THERE : OUTSIDE;
}

function describeIn(m: Machine, heap: Base, address: Word): AddressInfo {
  const slab = slabOf(m, heap, address);
  if (slab !== 0) {
    const bytes = blockBytesOf(m, slab);
    const ptr = address - ((address - firstBlock(m, slab)) % bytes);
    return { state: pieceState(m, heap, ptr) === LIVE ? "live" : "cached", ptr, usable: bytes };
  }
  const chunk = chunkOf(asPtr(address));
  if (isWithin(m, heap, chunk) && isLive(m, heap, chunk)) {
    const state = pieceState(m, heap, chunk) === LIVE ? "live" : "cached";
    return { state, ptr: address, usable: sizeOf(m, chunk) - HEADER_WORD };
  }
  if (!isWithin(m, heap, address)) return OUTSIDE;
  let found = NO_PIECE_THERE;
  walkHeap(m, heap, ({ address: at, ptr, size, usable, state }) => {
    if (address >= at && address < at + size) found = { state, ptr, usable };
  });
  return found;
}

/** Whether an address lies in a segment or the header. O(segments). */
function isWithin(m: Machine, heap: Base, address: Word): boolean {
  const last = m.load32(heap + AT_SEGMENT);
  let segment: Word = heap + HEADER_BYTES;
  let from: Word = m.threads ? heap - PLACE_BYTES : heap;
  for (;;) {
    if (address >= from && address < segmentEnd(m, heap, segment)) return true;
    if (segment === last) return false;
    segment = nextSegment(m, heap, segment);
    from = segment;
  }
}

/** What speaks for a refusal: the slab that an address lies in, or what the word before it says when read as a header. */
export function evidence(m: Machine, heap: Base, refused: Word, address: Word): Evidence {
  const sure = isSure(m, heap, refused, address);
  if (refused === code.MISALIGNED || refused === code.OUTSIDE) return { sentence: "", sure };
  const slab = slabOf(m, heap, address);
  if (slab !== 0) {
    const first = hex(firstBlock(m, slab));
    return {
      sentence: `it lies in a slab of blocks of ${blockBytesOf(m, slab)} bytes from ${first} on`,
      sure,
    };
  }
  if (isInMail(m, refused, address))
    return { sentence: "another thread has freed it, and its own has not taken it back yet", sure };
  const head = m.load32(address - HEADER_WORD);
  if (head === undefined) return { sentence: "", sure };
  const flags = [
    (head & IN_USE) !== 0 ? "in use" : "free",
    ...((head & OWN) !== 0 ? ["the heap's own"] : []),
    ...((head & PREVIOUS_IN_USE) !== 0 ? ["previous in use"] : []),
    ...((head & RESERVED_FLAG) !== 0 ? ["reserved flag set"] : []),
  ];
  return { sentence: `its header word is ${hex(head)}: size ${sizeIn(head)}, ${flags.join(", ")}`, sure };
}

/**
 * Whether what is said of an address is beyond doubt. Of a slab's blocks it is: what is known of them lies elsewhere. Of a free
 * chunk if its footer and the header behind it say the same as its own.
 */
function isSure(m: Machine, heap: Base, refused: Word, address: Word): boolean {
  if (slabOf(m, heap, address) !== 0) return true;
  if (refused !== code.DOUBLE_FREE) return false;
  if (isInMail(m, refused, address)) return true;
  const chunk = address - HEADER_WORD;
  const size = sizeIn(m.load32(chunk));
  return m.load32(chunk + size - FOOTER) === size && (m.load32(chunk + size) & PREVIOUS_IN_USE) === 0;
}

/** Whether a second free was refused because of the marks of a chunk that another thread has freed. */
function isInMail(m: Machine, refused: Word, address: Word): boolean {
  return m.threads && refused === code.DOUBLE_FREE && isMarked(m, asPtr(address));
}

/** Why no heap lies at an address; undefined: one does. */
export function describeImage(m: Machine, heap: Base): Mismatch | undefined {
  const word = (offset: Word): Word => m.load32(asChunk(heap + offset));
  const alone = probe.probeHeap(m, heap);
  const isShared = alone === probe.OTHER_VERSION && word(AT_VERSION) === SHARED_VERSION;
  const found = isShared ? probeCommon(m, heap) : alone;
  switch (found) {
    case probe.IS_HEAP:
      return undefined;
    case probe.BEYOND_MEMORY:
      return {
        reason: "beyond",
        sentence: `the memory has ${m.size()} bytes and ends before a header would`,
      };
    case probe.NO_MAGIC:
      return {
        reason: "magic",
        sentence: `the bytes there are not a heap: expected the magic number, found ${hex(word(AT_MAGIC))}`,
      };
    case probe.OTHER_VERSION:
      return {
        reason: "version",
        sentence: `it has format version ${word(AT_VERSION)}, this is morecore for version ${FORMAT_VERSION}`,
      };
    case probe.OTHER_BASE:
      return {
        reason: "moved",
        sentence: `the heap there was made at ${hex(word(AT_SELF))}; its pointers hold only at that base`,
      };
    case probe.BAD_HEADER:
      return {
        reason: "header",
        sentence: "the header contradicts itself or the memory's size: truncated or overwritten",
      };
    default:
      return { reason: "base", sentence: `code ${found}` };
  }
}
