// Engine: what a design of the kernel must offer to all that is built on it.
//
// Owns:  the contract: its types, and the numbers that are the same in any design.
// Needs: nothing of a design but its numbers.
//
// A design is an Engine and Repairs (design.ts, repair.ts), and the malloc family in family.ts, of which heap/calls.ts and the
// wasm build are made. All else in this folder is private to it: heap/, the family's packages and the bench import machine.ts,
// address.ts, this file and the two objects. Repairs stand apart, so that a program that opens no files does not carry them.
//
// An image begins alike in any design: MAGIC, then a version that names the design, then the base. At AT_LIMIT it says
// where its memory ends, which machine.ts reads before each call. What follows is the design's.
//
// `m` is a Machine whose views are fresh, `base` the address of an image that `probe` has found sound. Sizes are bytes.
// What "aborts" calls Machine.abort with a code of codes.ts; nothing has been changed then, and it does not return.

import type { Base } from "./address.ts";
import type { Machine, Words } from "./machine.ts";

export {
  ALIGNMENT_MISMATCH,
  DOUBLE_FREE,
  LISTED_TWICE,
  MISALIGNED,
  NOT_A_BLOCK,
  OUTSIDE,
  SIZE_MISMATCH,
} from "./codes.ts";
// They stand in layout.ts because the wasm build and the C header are made from there.
export {
  ADDRESS_END,
  AT_MAGIC,
  FIXED_MEMORY,
  FIXED_REGION,
  GRANULE,
  MAGIC,
  MEMORY_UNIT,
  MODULE_MEMORY,
} from "./layout.ts";

/** What can be set when a heap is made, and changed later. All are kept in the heap's image. */
export interface HeapSettings {
  /** The footprint grows by multiples of this many bytes: a power of two from 4096 to 2^30. Default 4096. */
  growthStep: number;
  /**
   * How much memory is asked for in advance, as a fraction of the footprint: 1, 1/2, 1/4 … 1/256, or 0 for none.
   * More means fewer calls of `memory.grow`, which are dear; untouched pages are not resident. Default 1/2; of Heap.inside 1.
   */
  advance: number;
  /**
   * The largest request, in bytes, that is served from slabs, where blocks have no headers: a multiple of 16 up to 1024; 0
   * makes every block a chunk of its own, merged as soon as it is freed. Blocks that are in slabs already stay there. A slab takes
   * at most the 128th part of the region, or of footprintLimit: below 128 KiB there are none, from 512 KiB on all classes may have
   * them. Blocks above 256 bytes are in slabs while the footprint is 256 times as large as eight of them, and at least 544 KiB.
   * Above 496 bytes there are slabs only where threads share the heap, and there wide ones need a thread's footprint of 32 times
   * eight of them. Default 1024.
   */
  smallLimit: number;
  /** A free that leaves more than this many bytes in top gives them back; Infinity for never. Default 2 MiB. */
  trimThreshold: number;
  /** The footprint never grows beyond this many bytes; 0: it never grows at all; Infinity: no limit. The default. */
  footprintLimit: number;
  /** What realloc(p, 0) does: "alloc" gives a smallest block (BSD, musl), "free" frees and returns 0 (glibc). Default "alloc". */
  zeroSizeRealloc: "alloc" | "free";
}

/** A piece of a heap as a walk shows it. */
export interface ChunkInfo {
  /** Where it begins: of a chunk its header, of a slab's block its first byte. */
  readonly address: number;
  /** Of its payload: what malloc returned, if it is live. */
  readonly ptr: number;
  /** Bytes, with the header if it has one. */
  readonly size: number;
  /** Bytes of its payload. */
  readonly usable: number;
  /**
   * "cached": a free block of a slab. "free": a chunk that can serve any request. "overhead": the heap's own, a slab's chunk
   * less its blocks, a descriptor or the map.
   */
  readonly state: "live" | "cached" | "free" | "top" | "overhead";
}

export type PieceState = ChunkInfo["state"];

/** How many pieces are in a state, and their bytes, headers included. */
export interface Total {
  readonly count: number;
  readonly bytes: number;
}

/** Counts of what a heap has done. */
export interface HeapStatistics {
  /** The footprint grew. */
  readonly growthCount: number;
  /** Two free neighbours were merged. */
  readonly coalesceCount: number;
  /** Unused slabs were given back. */
  readonly flushCount: number;
  /** Top was trimmed. */
  readonly trimCount: number;
}

export type FormatReason = "base" | "beyond" | "magic" | "version" | "moved" | "header";

/** Why no heap of the design lies at an address: which kind of reason, and in words what was found. */
export interface Mismatch {
  readonly reason: FormatReason;
  readonly sentence: string;
}

/** What is known of an address. */
export interface AddressInfo {
  /**
   * The state of the piece that the address lies in. "heap": it lies in the heap but in no piece, as its header does;
   * "outside": it does not lie in the heap.
   */
  readonly state: PieceState | "heap" | "outside";
  /** The piece's payload, from `ptr` on `usable` bytes; both 0 where there is no piece. The address may lie before `ptr`, in a header. */
  readonly ptr: number;
  readonly usable: number;
}

/** What speaks for a refusal of an address: in the design's words, for a message; and whether it is beyond doubt. */
export interface Evidence {
  readonly sentence: string;
  readonly sure: boolean;
}

/** An invariant that does not hold: its name in the sources, and what is wrong in words. */
export interface Breach {
  readonly invariant: string;
  readonly sentence: string;
}

/** The bytes [from, to); none if `to` is not above `from`. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A new heap's memory: [base, limit), never written from `untouched` on. `flags`: FIXED_REGION, FIXED_MEMORY, MODULE_MEMORY. */
export interface Region {
  readonly limit: number;
  readonly untouched: number;
  readonly flags: number;
}

/** The settings of a design, by name: what each can be, and the words that keep it. */
export interface Settings {
  readonly names: readonly (keyof HeapSettings)[];
  fallback<K extends keyof HeapSettings>(name: K): HeapSettings[K];
  /** What a value must be, in words. */
  rule(name: keyof HeapSettings): string;
  holds(name: keyof HeapSettings, value: unknown): boolean;
  read<K extends keyof HeapSettings>(m: Machine, base: Base, name: K): HeapSettings[K];
  /** Writes a value for which the rule holds. */
  write<K extends keyof HeapSettings>(m: Machine, base: Base, name: K, value: HeapSettings[K]): void;
  /** Those whose words are none that could have been written. */
  broken(m: Machine, base: Base): (keyof HeapSettings)[];
  /** Writes the fallback, whatever stands there. */
  reset(m: Machine, base: Base, name: keyof HeapSettings): void;
}

/** Heaps that threads share: an image has what is common, and in it each thread that came a heap of its own. */
export interface Sharing {
  /** The fewest bytes that such a heap has at a base, if it may come to reach up to an address. */
  least(base: Base, most: number): number;
  /** As Engine.format. The heap may come to reach up to `most`; a Machine over it has `threads` set. */
  format(m: Machine, base: Base, region: Region & { readonly most: number }, growthStep: number): void;
  /** Whether the image at a base, which probe has found sound, is of that kind. O(1). */
  isShared(m: Machine, base: Base): boolean;
  /** A heap for this thread, from now on its own; 0: there is no memory for one. O(threads). */
  join(m: Machine, base: Base): Base;
  /** Gives a thread's heap up: nobody but the thread itself may. Its live blocks stay. O(slabs). */
  leave(m: Machine, thread: Base): void;
  /** How many threads have come so far: the number of the last one. */
  count(m: Machine, base: Base): number;
  /** The threads that ever came and have not been taken over, the newest first. O(threads). */
  threads(m: Machine, base: Base): readonly ThreadPlace[];
  /** The number of the thread that a heap is the heap of; 0: it is nobody's. */
  number(m: Machine, thread: Base): number;
  /** When a thread was last heard of, as it has said; and a number that changes when it does anything but small things. */
  signs(m: Machine, thread: Base): { readonly beat: number; readonly doings: number };
  /** Says that this thread is there, at a time in milliseconds, modulo 2^32. */
  beat(m: Machine, thread: Base, now: number): void;
  /** For how many milliseconds a thread need not be heard of. */
  lease(m: Machine, base: Base): number;
  setLease(m: Machine, base: Base, milliseconds: number): void;
  /** Takes a heap over from a thread that is gone: the next that comes goes on there. False: another thread does so. O(bytes of the heap). */
  takeOver(m: Machine, base: Base, thread: Base): boolean;
}

/** A thread's place in a heap that threads share. */
export interface ThreadPlace {
  /** Which of all that came it is; 0: it has left. */
  readonly thread: number;
  readonly heap: Base;
  /** Bytes of its heap. */
  readonly footprint: number;
}

export interface Engine {
  readonly sharing: Sharing;

  // Images.

  /** The smallest region that a heap fits in. */
  readonly minRegion: number;
  /** From an image's base on, the bytes that hold no piece: what a copy of the header must have. */
  readonly headerBytes: number;
  /** From an image's base on, all bytes that `format` writes. */
  readonly formattedBytes: number;
  readonly settings: Settings;
  /**
   * Writes an empty heap at a base, whose first footprint is `growthStep` or what there is. The region has at least minRegion
   * bytes; base and limit are multiples of GRANULE. Its settings are to be written next.
   */
  format(m: Machine, base: Base, region: Region, growthStep: number): void;
  /** Why no heap of this design lies at any address; undefined: one does. Reads the header only, and only inside the memory. O(1). */
  probe(m: Machine, base: Base): Mismatch | undefined;
  /** Makes an image none, so that nobody attaches to it any more. O(1). */
  erase(m: Machine, base: Base): void;
  /** Where the memory ends that the heap may use. O(1). */
  limit(m: Machine, base: Base): number;
  /** Says so, when the memory has got smaller, or larger without a growth. At least `end`. O(1). */
  setLimit(m: Machine, base: Base, limit: number): void;
  /** Where the footprint ends; from here to the limit nothing has been handed out. O(1). */
  end(m: Machine, base: Base): number;
  /** The flags that `format` was given. O(1). */
  flags(m: Machine, base: Base): number;

  // What a heap has, and what it has done.

  /** Bytes got from the memory and used, header included. O(1). */
  footprint(m: Machine, base: Base): number;
  /** The largest that it has been. O(1). */
  maxFootprint(m: Machine, base: Base): number;
  /** The footprint, and what the memory has given in advance. O(1). */
  reserved(m: Machine, base: Base): number;
  /** The usable size that a request is to get; 0 if it never can. O(1). */
  goodSize(m: Machine, base: Base, bytes: number): number;
  /** Whether a block of so many usable bytes is just what a request is given: no larger, rounded. */
  isExact(usable: number, bytes: number): boolean;
  /** Counters, which wrap at 2^32. O(1). */
  statistics(m: Machine, base: Base): HeapStatistics;
  /** Calls back with each piece, in the order of their addresses. Aborts where headers lead nowhere, so it always ends. O(pieces). */
  walk(m: Machine, base: Base, visit: (piece: ChunkInfo) => void): void;
  /** The walk's sums by state. O(pieces). */
  totals(m: Machine, base: Base): Readonly<Record<PieceState, Total>>;
  /** The number of a state, as the family's countOf and bytesOf take it. */
  readonly states: Readonly<Record<PieceState, number>>;

  // Calls that are not of the family as wasm exports it.

  /** Frees all blocks whose addresses are the first words of a list outside of the memory, as the family's bulkFree does in it. */
  freeListed(m: Machine, base: Base, list: Words, count: number): void;

  // Looking for faults.

  /** Aborts unless every invariant holds. O(pieces + bytes of the memory that were never used). */
  check(m: Machine, base: Base): void;
  /** What it means that a call or check has aborted with a code; undefined: it is a misuse, not a breach. */
  breach(code: number): Breach | undefined;
  /** What speaks for a refusal of an address with a code. Changes nothing and does not abort. O(1). */
  evidence(m: Machine, base: Base, code: number, address: number): Evidence;
  /** What an address is. O(1) where a live block begins, else O(pieces). */
  describe(m: Machine, base: Base, address: number): AddressInfo;

  // For who gives pages back.

  /** The size of a large block, from one word and unchecked; of a small one, and where there is none, anything. O(1). */
  sizeHint(words: Words, ptr: number): number;
  /** What the design keeps nothing in, of bytes that are in a state, or that a block has left. */
  idlePart(state: "free" | "cached" | "top", from: number, to: number): Stretch;

  // For who looks at a heap after each of its calls: of words that were taken out once.

  /** How many size classes there are that have slabs, from 1 on. */
  readonly classCount: number;
  /** How many slabs a size class has. O(1). */
  slabsOf(words: Words, base: Base, sizeClass: number): number;
  /** How often the footprint grew. O(1). */
  growthsOf(words: Words, base: Base): number;
}

/** What a repair found and did. */
export interface Repaired {
  /** What was wrong, as check() says it. */
  readonly reason: string;
  /**
   * Stretches whose headers somebody had overwritten; a call that was cut short leaves none. Each is now a live block of its own, at `ptr`, which nobody has: look into
   * it, or free it.
   */
  readonly lost: readonly { readonly ptr: number; readonly bytes: number }[];
  /** Chunks of the heap's own that served nothing yet, or no more, and have been freed. */
  readonly freedOwn: number;
  /** Slabs whose descriptors somebody had overwritten. Each is now one live block at that address, with what its blocks held. */
  readonly lostSlabs: readonly number[];
  /** Options that had no value that they can have, and have their defaults now. */
  readonly settings: readonly (keyof HeapSettings)[];
}

/** A word that cannot be what it is. */
export interface Fault {
  readonly address: number;
  readonly sentence: string;
}

/** What a design offers to who keeps images that others may write, or that their process may leave in the middle of a call. */
export interface Repairs {
  /**
   * A fault that check() does not look for: a word that only the kernel writes, unless the image is a file. Undefined: none. Of
   * an image that check() has found sound, of one segment and in memory that grows. O(bins + free chunks).
   */
  faultIn(m: Machine, base: Base): Fault | undefined;
  /** Takes what the memory has got and the heap was not told of, as when a process dies in a growth. O(bytes that came). */
  adoptGrowth(m: Machine, base: Base): void;
  /**
   * Makes a heap of one segment sound. Throws a BeyondRepairError when too little of it is left: it may then have written already.
   * It ends, and reads and writes inside the memory only, whatever that holds. The next repair goes on where one was cut short.
   */
  repair(m: Machine, base: Base, reason: string): Repaired;
}

/** Too little of a heap is left to make it sound. */
export class BeyondRepairError extends Error {
  override readonly name = "BeyondRepairError";
}
