// Errors: what the heap throws, and how the kernel's codes become words.
//
// Owns:  the error classes and the sentences in them.
// Needs: the kernel's codes.

import { asChunk, type Base } from "../kernel/address.ts";
import { sizeIn } from "../kernel/chunk.ts";
import * as code from "../kernel/codes.ts";
import * as probe from "../kernel/image.ts";
import {
  AT_VERSION,
  FOOTER,
  FORMAT_VERSION,
  HEADER_WORD,
  IN_USE,
  OWN,
  PREVIOUS_IN_USE,
  RESERVED_FLAG,
} from "../kernel/layout.ts";
import type { Machine } from "../kernel/machine.ts";
import { blockBytesOf, firstBlock } from "../kernel/slab.ts";
import { slabOf } from "../kernel/slab-map.ts";
import { describe } from "../memory/arguments.ts";

export type MisuseCode =
  | "misaligned"
  | "outside"
  | "double-free"
  | "not-a-block"
  | "size-mismatch"
  | "alignment-mismatch"
  | "listed-twice";

/** A call was given an address that is not a live block's, or a wrong size for it. Nothing has been changed. */
export class HeapMisuseError extends Error {
  override readonly name = "HeapMisuseError";
  readonly code: MisuseCode;
  /** The address that was given. */
  readonly address: number;

  constructor(code: MisuseCode, address: number, message: string) {
    super(message);
    this.code = code;
    this.address = address;
  }
}

/** What the allocator had written has been overwritten: a write after free, or past a block's end. */
export class HeapCorruptError extends Error {
  override readonly name = "HeapCorruptError";
  /** The invariant that does not hold, as in the sources: "C1" … "T3"; "link" when a list led astray in a call; "file" for a word that only a file's opening looks at. */
  readonly invariant: string;
  /** Where it shows. */
  readonly address: number;

  constructor(invariant: string, address: number, message: string) {
    super(message);
    this.invariant = invariant;
    this.address = address;
  }
}

export type FormatReason = "base" | "beyond" | "magic" | "version" | "moved" | "header";

/** The bytes that were to be attached to are not a heap of this format at that base. */
export class HeapFormatError extends Error {
  override readonly name = "HeapFormatError";
  readonly reason: FormatReason;
  readonly base: number;

  constructor(reason: FormatReason, base: number, message: string) {
    super(message);
    this.reason = reason;
    this.base = base;
  }
}

const MISUSE: Readonly<Record<number, readonly [MisuseCode, string]>> = {
  [code.MISALIGNED]: ["misaligned", "expected a multiple of 16, as every block's address is"],
  [code.OUTSIDE]: ["outside", "expected an address inside this heap"],
  [code.DOUBLE_FREE]: ["double-free", "expected a live block, found one that was freed before"],
  [code.NOT_A_BLOCK]: ["not-a-block", "expected a live block, found no block that begins here"],
  [code.SIZE_MISMATCH]: [
    "size-mismatch",
    "expected the size that the block was asked for with, found a block of another",
  ],
  [code.ALIGNMENT_MISMATCH]: ["alignment-mismatch", "expected a power of two that divides the address"],
  [code.LISTED_TWICE]: ["listed-twice", "expected each block once, found it twice in one list"],
};

/** What is said where headers alone tell so: they may have been overwritten. */
const BY_HEADER: Readonly<Record<number, string>> = {
  [code.DOUBLE_FREE]:
    "expected a live block, found a header that says free: it was freed before, or overwritten from the block before it",
  [code.NOT_A_BLOCK]:
    "expected a live block, found no header of one: no block begins here, or it or the next header was overwritten",
};

const BROKEN: Readonly<Record<number, readonly [string, string]>> = {
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
};

/** A 32-bit address as it is written in messages. */
export function hex(address: number): string {
  return `0x${address.toString(16).padStart(8, "0")}`;
}

/** Throws what a kernel's code means. */
export function refuse(m: Machine, heap: Base, refused: number, address: number): never {
  const misuse = MISUSE[refused];
  if (misuse !== undefined) {
    const found = refused === code.MISALIGNED || refused === code.OUTSIDE ? "" : whatIsAt(m, heap, address);
    const doubtful = isSure(m, heap, refused, address) ? undefined : BY_HEADER[refused];
    const sentence = doubtful ?? misuse[1];
    throw new HeapMisuseError(misuse[0], address, `${hex(address)}: ${sentence}${found} (${misuse[0]})`);
  }
  const [invariant, sentence] = BROKEN[refused] ?? ["?", `unknown code ${refused}`];
  throw new HeapCorruptError(
    invariant,
    address,
    `heap corrupted at ${hex(address)}: ${sentence} (${invariant})`,
  );
}

/** For a call that would leave the memory, which WebAssembly stops, or was given what is no block: an address of the heap's own was overwritten. */
export function ledAstray(base: number, cause?: unknown): HeapCorruptError {
  const sentence = "an address that it keeps has been overwritten, and led a call astray";
  const error = new HeapCorruptError("link", base, `heap corrupted at ${hex(base)}: ${sentence} (link)`);
  if (cause !== undefined) error.cause = cause;
  return error;
}

/**
 * Whether what is said of an address is beyond doubt. Of a slab's blocks it is: what is known of them lies elsewhere. Of a free
 * chunk if its footer and the header behind it say the same as its own.
 */
function isSure(m: Machine, heap: Base, refused: number, address: number): boolean {
  if (slabOf(m.words, heap, address) !== 0) return true;
  if (refused !== code.DOUBLE_FREE) return false;
  const chunk = address - HEADER_WORD;
  const size = sizeIn(m.load32(chunk));
  return m.load32(chunk + size - FOOTER) === size && (m.load32(chunk + size) & PREVIOUS_IN_USE) === 0;
}

/** What the heap knows of an address: the slab that it lies in, or what the word before it says when read as a header. */
function whatIsAt(m: Machine, heap: Base, address: number): string {
  const slab = slabOf(m.words, heap, address);
  if (slab !== 0)
    return `; it lies in a slab of blocks of ${blockBytesOf(m, slab)} bytes from ${hex(firstBlock(m, slab))} on`;
  const head = m.load32(address - HEADER_WORD);
  if (head === undefined) return "";
  const flags = [
    (head & IN_USE) !== 0 ? "in use" : "free",
    ...((head & OWN) !== 0 ? ["the heap's own"] : []),
    ...((head & PREVIOUS_IN_USE) !== 0 ? ["previous in use"] : []),
    ...((head & RESERVED_FLAG) !== 0 ? ["reserved flag set"] : []),
  ];
  return `; its header word is ${hex(head)}: size ${sizeIn(head)}, ${flags.join(", ")}`;
}

/** Throws what a probe found, in words. */
export function refuseImage(m: Machine, base: number, found: number): never {
  const at = `no heap to attach to at ${hex(base)}`;
  const word = (offset: number): number => m.load32(asChunk(base + offset));
  const reasons: Readonly<Record<number, readonly [FormatReason, () => string]>> = {
    [probe.BEYOND_MEMORY]: [
      "beyond",
      () => `the memory has ${m.size()} bytes and ends before a header would`,
    ],
    [probe.NO_MAGIC]: [
      "magic",
      () => `the bytes there are not a heap: expected the magic number, found ${hex(word(0))}`,
    ],
    [probe.OTHER_VERSION]: [
      "version",
      () => `it has format version ${word(AT_VERSION)}, this is morecore for version ${FORMAT_VERSION}`,
    ],
    [probe.OTHER_BASE]: [
      "moved",
      () => `the heap there was made at ${hex(word(8))}; its pointers hold only at that base`,
    ],
    [probe.BAD_HEADER]: [
      "header",
      () => "the header contradicts itself or the memory's size: truncated or overwritten",
    ],
  };
  const [reason, sentence] = reasons[found] ?? ["base", () => `code ${describe(found)}`];
  throw new HeapFormatError(reason, base, `${at}: ${sentence()}`);
}
