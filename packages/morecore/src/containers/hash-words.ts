// Hash words: a key's content as 64-bit words in JavaScript's memory, to be hashed and compared.
//
// Owns:  the encoding of numbers and strings into words; the hash functions.
// Needs: space, for its type only.
// Invariants: W1  equal contents are equal words: -0 is 0, there is one NaN, and no padding
//
// MurmurHash3 by Austin Appleby (32 bits), with its finalizer alone where the key is one number. It is fast and spreads well,
// but whoever knows the seed can make keys that collide.

import type { Space } from "../typed/space.ts";

const encoder = new TextEncoder();
const FIRST_SLOTS = 16;
/** Where the bytes of a text begin that was written first: behind its length. */
const TEXT_BYTES = 8;
/** Up to here a loop beats a call into the engine. */
const LOOP_BYTES = 64;

type Arrays = Pick<Space, "u8" | "u32">;

/** MurmurHash3's finalizer: each bit of the result depends on each bit. */
export function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}

/** One round of MurmurHash3. */
export function mixIn(hash: number, word: number): number {
  let part = Math.imul(word, 0xcc9e_2d51);
  part = Math.imul((part << 15) | (part >>> 17), 0x1b87_3593);
  const both = hash ^ part;
  return (Math.imul((both << 13) | (both >>> 19), 5) + 0xe654_6b64) | 0;
}

export class Words {
  private slots = 0;
  private f64!: Float64Array;
  private u64!: BigUint64Array;
  private u32!: Uint32Array;
  private u8!: Uint8Array;

  constructor() {
    this.view(new ArrayBuffer(8 * FIRST_SLOTS));
  }

  reset(): this {
    this.slots = 0;
    return this;
  }

  /** The same words, apart from these. */
  copy(): Words {
    const made = new Words();
    made.view(this.u8.slice().buffer);
    made.slots = this.slots;
    return made;
  }

  number(value: number): void {
    this.need(1);
    // Adding makes 0 of -0. A NaN may have any bits: this writes those that the engine has for its own.
    this.f64[this.slots++] = Number.isNaN(value) ? Number.NaN : value + 0;
  }

  bigint(value: bigint): void {
    this.need(1);
    this.u64[this.slots++] = BigInt.asUintN(64, value);
  }

  zeros(count: number): void {
    this.need(count);
    this.f64.fill(0, this.slots, this.slots + count);
    this.slots += count;
  }

  /** A string: its length in UTF-8, then its bytes, filled up with zeros. Gives the length. */
  text(value: string): number {
    this.need(2 + Math.ceil((3 * value.length) / 8));
    const begin = 8 * (this.slots + 1);
    const { u8 } = this;
    let length = 0;
    // Most strings are short and ASCII; these need no call into the engine.
    for (; length < value.length; length++) {
      const unit = value.charCodeAt(length);
      if (unit >= 0x80 || length >= LOOP_BYTES) break;
      u8[begin + length] = unit;
    }
    if (length < value.length) length = encoder.encodeInto(value, u8.subarray(begin)).written;
    this.endBytes(length);
    return length;
  }

  /** The same from bytes. */
  bytes(from: Uint8Array, at: number, length: number): void {
    this.need(2 + Math.ceil(length / 8));
    this.u8.set(from.subarray(at, at + length), 8 * (this.slots + 1));
    this.endBytes(length);
  }

  hash(seed: number): number {
    const { u32 } = this;
    const count = 2 * this.slots;
    let hash = seed;
    for (let index = 0; index < count; index++) hash = mixIn(hash, u32[index] as number);
    return mix(hash ^ count);
  }

  equals(other: Words): boolean {
    if (this.slots !== other.slots) return false;
    const [own, theirs] = [this.u32, other.u32];
    for (let index = 2 * this.slots - 1; index >= 0; index--) if (own[index] !== theirs[index]) return false;
    return true;
  }

  /** Whether the text that was written first lies at an address. */
  isText({ u8, u32 }: Arrays, at: number, length: number): boolean {
    let index = 0;
    if (at % 4 === 0)
      for (; index + 4 <= length; index += 4)
        if (this.u32[(TEXT_BYTES + index) >>> 2] !== u32[(at + index) >>> 2]) return false;
    for (; index < length; index++) if (this.u8[TEXT_BYTES + index] !== u8[at + index]) return false;
    return true;
  }

  /** Copies that text's bytes to an address. */
  copyText({ u8 }: Arrays, at: number, length: number): void {
    if (length > LOOP_BYTES) u8.set(this.u8.subarray(TEXT_BYTES, TEXT_BYTES + length), at);
    else for (let index = 0; index < length; index++) u8[at + index] = this.u8[TEXT_BYTES + index] as number;
  }

  private endBytes(length: number): void {
    const begin = 8 * (this.slots + 1);
    const end = (length + 7) & ~7;
    for (let index = length; index < end; index++) this.u8[begin + index] = 0;
    this.f64[this.slots] = length;
    this.slots += 1 + (end >>> 3);
  }

  private need(count: number): void {
    const least = 8 * (this.slots + count);
    if (least <= this.u8.length) return;
    const before = this.u8;
    this.view(new ArrayBuffer(Math.max(least, 2 * before.length)));
    this.u8.set(before);
  }

  private view(buffer: ArrayBuffer): void {
    this.f64 = new Float64Array(buffer);
    this.u64 = new BigUint64Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.u8 = new Uint8Array(buffer);
  }
}
