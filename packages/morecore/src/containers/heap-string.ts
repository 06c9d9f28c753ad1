// HeapString: a string of UTF-8 in the memory that can grow. Rust's String.
//
// Owns:  a Vec of bytes, and that they are UTF-8.
// Needs: vec, text.
// Invariants: X1  its bytes are whole characters of UTF-8
//
// Positions and lengths are in bytes, as in Rust: those of JavaScript's strings count units of UTF-16 and are not known here
// without reading from the beginning. A surrogate that has no partner has no UTF-8 and becomes U+FFFD, as in TextEncoder: so do both
// halves of a pair that are appended one by one.

import { describe, isWord, refuseWord } from "../memory/arguments.ts";
import { Printed, shown } from "../memory/printed.ts";
import type { Allocator } from "../typed/allocator.ts";
import { DISPOSE } from "../typed/disposal.ts";
import type { Ptr } from "../typed/raw-pointer.ts";
import { u8 } from "../typed/scalars.ts";
import { decodeView, encode } from "../typed/text.ts";
import { Vec } from "./vec.ts";

/** Bytes that are looked at to print a string. */
const MOST_SHOWN = 256;
const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

/**
 * A string of UTF-8 in a heap's memory that can grow, as Rust's String. Positions and lengths are in bytes.
 * Appending is O(bytes appended) on average.
 *
 * @example
 *
 * ```ts
 * const word = new HeapString(Heap.create(), "gr");
 * word.append("üße");
 * console.log(word.toString(), word.length, word.indexOf("ß")); // grüße 7 4
 * word.dispose();
 * ```
 */
export class HeapString<L = unknown> extends Printed implements Disposable {
  private readonly bytes: Vec<typeof u8, L>;

  /** Throws an OutOfMemoryError. An empty string, or a copy of one; takes memory for its header. */
  constructor(allocator: Allocator<L>, value = "") {
    super();
    const encoded = encode(value, "HeapString");
    this.bytes = new Vec(allocator, u8, encoded.length);
    this.bytes.extend(encoded);
  }

  /** The string whose header lies at an address. Throws a PointerError if there is none. */
  static attach<L>(allocator: Allocator<L>, ptr: Ptr<HeapString>): HeapString<L> {
    const made: HeapString<L> = Object.create(HeapString.prototype);
    return Object.assign(made, { bytes: Vec.attach(allocator, u8, ptr as number as Ptr<Vec<typeof u8>>) });
  }

  /** Where its header lies: all that `attach` needs. */
  get ptr(): Ptr<HeapString> {
    return this.bytes.ptr as number as Ptr<HeapString>;
  }

  /** In bytes. */
  get length(): number {
    return this.bytes.length;
  }

  /** How many bytes there is room for without a growth. */
  get capacity(): number {
    return this.bytes.capacity;
  }

  /** Adds at the end. Throws an OutOfMemoryError, and it is as it was. O(bytes appended) on average. */
  append(value: string | HeapString): this {
    this.bytes.extend(value instanceof HeapString ? value.view().slice() : encode(value, "append"));
    return this;
  }

  /** Makes it empty; the room stays. */
  clear(): void {
    this.bytes.clear();
  }

  /** Sees to it that there is room for so many bytes in all. Throws an OutOfMemoryError, and it is as it was. */
  reserve(bytes: number): void {
    this.bytes.reserve(bytes);
  }

  /** Gives back the room that is not used. */
  shrinkToFit(): void {
    this.bytes.shrinkToFit();
  }

  /** All of it as a string of JavaScript. O(length). */
  override toString(): string {
    return decodeView(this.view());
  }

  /** The same, for JSON.stringify. */
  override toJSON(): string {
    return this.toString();
  }

  /**
   * From one byte to another, which must be boundaries of characters. Throws a RangeError for a place inside a character.
   * O(bytes).
   */
  slice(begin: number, end: number = this.length): string {
    this.checkBoundary("begin", begin);
    this.checkBoundary("end", end);
    return decodeView(this.view().subarray(begin, Math.max(begin, end)));
  }

  /**
   * Cuts it to so many bytes, which must be a boundary of characters. Throws a RangeError for a place inside a character.
   */
  truncate(length: number): void {
    this.checkBoundary("length", length);
    this.bytes.truncate(length);
  }

  /** Whether its bytes are those of another string. O(length). */
  equals(other: string | HeapString): boolean {
    const [own, theirs] = [this.view(), bytesOf(other)];
    return own.length === theirs.length && begins(own, theirs);
  }

  /** Whether it begins with another string. O(length of the other). */
  startsWith(other: string | HeapString): boolean {
    return begins(this.view(), bytesOf(other));
  }

  /**
   * Where a string is found first, from a byte on, in bytes; -1: nowhere. An empty one is found at the first boundary of
   * characters from there on, and beyond the end at the end, as by String.prototype.indexOf. O(length times the other's
   * length) at worst; mostly O(length).
   */
  indexOf(other: string | HeapString, begin = 0): number {
    if (!isWord(begin)) refuseWord("begin", begin);
    const [own, wanted] = [this.view(), bytesOf(other)];
    if (wanted.length === 0) {
      let at = Math.min(begin, own.length);
      while (isInside(own, at)) at++;
      return at;
    }
    // The engine finds a byte much faster than a loop does.
    const first = wanted[0] as number;
    const last = own.length - wanted.length;
    let at = own.indexOf(first, begin);
    while (at >= 0 && at <= last && !isAt(own, at, wanted)) at = own.indexOf(first, at + 1);
    return at <= last ? at : -1;
  }

  /** 32 bits of FNV-1a over the bytes. O(length). */
  hash(): number {
    const bytes = this.view();
    let hash = FNV_OFFSET;
    // By index: an iterator costs a call for each byte.
    for (let index = 0; index < bytes.length; index++)
      hash = Math.imul(hash ^ (bytes[index] as number), FNV_PRIME);
    return hash >>> 0;
  }

  /** The bytes. Get it anew after anything that may allocate. What is written must leave them UTF-8. */
  view(): Uint8Array {
    return this.bytes.view() as Uint8Array;
  }

  /** Its characters, as they are when the first is asked for: one string for each code point. */
  *[Symbol.iterator](): Generator<string> {
    yield* this.toString();
  }

  /** Frees its bytes and its header. A second time does nothing; other uses throw from then on. */
  dispose(): void {
    this.bytes.dispose();
  }

  [DISPOSE](): void {
    this.dispose();
  }

  protected override summary(): string {
    const bytes = this.view();
    // No more characters are shown, and none of them has more than four bytes.
    return `HeapString(${bytes.length}) ${shown(decodeView(bytes.subarray(0, MOST_SHOWN)))}`;
  }

  private checkBoundary(name: string, at: number): void {
    const { length } = this;
    if (!isWord(at) || at > length)
      throw new RangeError(`${name}: expected 0 to ${length} bytes, got ${describe(at)}`);
    if (isInside(this.view(), at)) throw new RangeError(`${name}: byte ${at} is inside a character`);
  }
}

function bytesOf(value: string | HeapString): Uint8Array {
  return value instanceof HeapString ? value.view() : encode(value, "HeapString");
}

/** Whether a byte is not the first one of its character. */
function isInside(bytes: Uint8Array, at: number): boolean {
  return at < bytes.length && ((bytes[at] as number) & 0xc0) === 0x80;
}

function begins(whole: Uint8Array, part: Uint8Array): boolean {
  return part.length <= whole.length && isAt(whole, 0, part);
}

/** Whether a part lies at an index of what reaches at least so far. */
function isAt(whole: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let index = 0; index < part.length; index++) if (whole[at + index] !== part[index]) return false;
  return true;
}
