// Label: the first OS page of a heap's file. What it says of the file, and what of that is believed.
//
// Owns:  its words; the copy of the heap's header that a repair replaced.
// Needs: libc, to read the file.
//
//  +0     magic | version | base | reserve | bytes | root | busy          little-endian words
//  +1024  state of the copy | the heap's header, as a repair found it
//
// Others may have written the file, so each word is compared with what the file is. `reserve` is a wish: one that cannot
// be is passed over. `bytes` must be right, since the heap ends there: no more than the file has, and what the file has
// beyond is zero, as it is where a process died in the middle of a growth.

import { engine, MEMORY_UNIT } from "morecore/engine";
import { OsError } from "./errors.ts";
import { libc } from "./libc.ts";
import { MAX_RESERVE } from "./region.ts";

/** Where the heap begins: behind the label. */
export const FILE_BASE = 4096;
/** A file has this many bytes at first, and always a multiple of them. */
export const FILE_UNIT: number = MEMORY_UNIT;

/** "MCHP" when read as bytes; and what stands there until a new heap is complete. */
export const LABEL_MAGIC = 0x5048_434d;
export const LABEL_UNFINISHED = 0x3f48_434d;
export const LABEL_VERSION = 1;

// Indices of words in the label.
export const AT_MAGIC = 0;
export const AT_VERSION = 1;
export const AT_BASE = 2;
/** The most bytes that the heap can have; 0: 4 GiB, which no word can hold. */
export const AT_RESERVE = 3;
export const AT_BYTES = 4;
export const AT_ROOT = 5;
/** The process that is inside a call on a shared heap; 0: none is. */
export const AT_BUSY = 6;
const LABEL_WORDS = 7;

/** The index of the word that says what the copy is; the copy follows it. */
export const AT_COPY_STATE = 256;
/** There is none, or a part of one. */
export const NO_COPY = 0;
/** It is whole, and the repair that made it has not ended. */
export const COPY_IN_REPAIR = 1;
/** It is whole, and the repair has ended. */
export const COPY_KEPT = 2;
/** Bytes of the copy: all of the header that a repair writes. */
export const COPY_BYTES: number = engine.headerBytes;

const SCAN_BYTES = 1 << 20;

/** What a label says, as far as it is believed. */
export interface Label {
  /** The most bytes that the heap can have. */
  readonly reserve: number;
  readonly bytes: number;
}

/** The label of a heap's file; undefined: the file is empty, or its heap was never finished. Throws an OsError; changes nothing. */
export function readLabel(descriptor: number, name: string): Label | undefined {
  const length = libc().length(descriptor);
  if (length === 0) return undefined;
  const words = new Uint32Array(LABEL_WORDS);
  libc().read(descriptor, new Uint8Array(words.buffer), 0);
  const fault = faultOf(words, descriptor, length);
  if (fault !== undefined) throw new OsError("NOT_A_HEAP", `${name}: not a heap: ${fault}`);
  if (words[AT_MAGIC] === LABEL_UNFINISHED) return undefined;
  return { reserve: reserveIn(words[AT_RESERVE] as number), bytes: words[AT_BYTES] as number };
}

/** The most bytes that a heap can have, by the word in its label. */
function reserveIn(word: number): number {
  return word % FILE_UNIT === 0 && word !== 0 ? word : MAX_RESERVE;
}

/** The word that says so. */
export function reserveWord(reserve: number): number {
  return reserve >>> 0;
}

/** What is wrong with a label, in words. */
function faultOf(label: Uint32Array, descriptor: number, length: number): string | undefined {
  const bytes = label[AT_BYTES] as number;
  if (label[AT_MAGIC] === LABEL_UNFINISHED) return faultOfUnfinished(label, descriptor, length);
  if (label[AT_MAGIC] !== LABEL_MAGIC) return "the file does not begin with a heap's label";
  if (label[AT_VERSION] !== LABEL_VERSION)
    return `its label has version ${label[AT_VERSION]}, this is morecore for version ${LABEL_VERSION}`;
  if (label[AT_BASE] !== FILE_BASE) return `its label says that the heap begins at ${label[AT_BASE]}`;
  if (bytes === 0 || bytes % FILE_UNIT !== 0) return `its label says that it has ${bytes} bytes`;
  if (bytes > length) return `it was cut off: the label says ${bytes} bytes, the file has ${length}`;
  if (length > MAX_RESERVE) return `the file has ${length} bytes, more than any heap`;
  if (!isZero(descriptor, bytes, length))
    return `its label says ${bytes} bytes, the file has ${length}, and what is behind them is not empty`;
  return undefined;
}

/** A heap that was never finished has never held anything: what holds something is another file's, and kept. */
function faultOfUnfinished(label: Uint32Array, descriptor: number, length: number): string | undefined {
  const isSmall = length <= FILE_UNIT && (label[AT_BYTES] as number) <= FILE_UNIT && label[AT_ROOT] === 0;
  if (isSmall && isZero(descriptor, FILE_BASE + engine.formattedBytes, length)) return undefined;
  return "its label says that it was never finished, but there is something in it";
}

/** Whether a stretch of a file is zero. O(bytes). */
function isZero(descriptor: number, from: number, to: number): boolean {
  const part = Buffer.alloc(Math.min(SCAN_BYTES, Math.max(0, to - from)));
  const zero = Buffer.alloc(part.length);
  for (let at = from; at < to; ) {
    const got = libc().read(descriptor, part.subarray(0, to - at), at);
    if (got === 0) return true;
    if (part.compare(zero, 0, got, 0, got) !== 0) return false;
    at += got;
  }
  return true;
}
