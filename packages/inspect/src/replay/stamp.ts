// Stamps: what a replay writes into payloads, so that it can tell when anyone else has.
//
// Owns:       which bytes of a payload are stamped, and with what.
// Needs:      a buffer. Payloads begin at multiples of 16.
// Invariants: S1  up to DENSE_BYTES, every byte of a payload is stamped                    O(bytes)
//             S2  of a larger one the first and last EDGE_WORDS words, the bytes after the last whole word, and the
//                 first word of each 16 bytes between                                      O(bytes / 4)
//             S3  two payloads that overlap are noticed, whichever was written last: the first byte of the higher
//                 one is at a multiple of 16, where S1 and S2 have both stamped. Missed by chance once in 2^32 overlaps
//                 of four bytes or more, once in 2^8 of a single byte.
//             S4  a word depends on slot, generation and its index, so moved contents are not mistaken for right ones

const DENSE_BYTES = 1024;
const DENSE_WORDS = DENSE_BYTES / 4;
const EDGE_WORDS = 16;
/** Words from one stamp to the next in the middle of a large payload: 16 bytes, the heap's granule. */
const STRIDE_WORDS = 4;
/** Odd, and far from any small multiple of 2^32: neighbouring words differ in most bits. */
const WORD_STEP = 0x9e3779b1;

/** Anything with the bytes of a heap; `buffer` may be another object after any call. */
export interface Buffered {
  readonly buffer: ArrayBufferLike;
}

/** Where a stamp was found broken. */
export interface BrokenStamp {
  /** Bytes from the start of the payload. */
  readonly offset: number;
  readonly expected: number;
  readonly found: number;
}

/** The number that all words of one stamp come from. */
export function stampSeed(slot: number, generation: number): number {
  let mixed = Math.imul(slot + 1, 0x85ebca6b) ^ Math.imul(generation, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

export class Stamper {
  readonly #heap: Buffered;
  #bytes: Uint8Array;
  #words: Uint32Array;

  constructor(heap: Buffered) {
    this.#heap = heap;
    const { buffer } = heap;
    this.#bytes = new Uint8Array(buffer, 0, buffer.byteLength);
    this.#words = new Uint32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
  }

  /** Bytes that can be addressed now. */
  get byteLength(): number {
    this.#refresh();
    return this.#bytes.length;
  }

  /** Writes a stamp over a payload of `size` bytes. */
  stamp(ptr: number, size: number, seed: number): void {
    this.#refresh();
    const words = this.#words;
    const first = ptr >>> 2;
    const count = size >>> 2;
    if (count <= DENSE_WORDS) {
      for (let w = 0; w < count; w++) words[first + w] = wordOf(seed, w);
    } else {
      const edge = count - EDGE_WORDS;
      for (let w = 0; w < EDGE_WORDS; w++) words[first + w] = wordOf(seed, w);
      for (let w = EDGE_WORDS; w < edge; w += STRIDE_WORDS) words[first + w] = wordOf(seed, w);
      for (let w = edge; w < count; w++) words[first + w] = wordOf(seed, w);
    }
    for (let b = count << 2; b < size; b++) this.#bytes[ptr + b] = byteOf(seed, b);
  }

  /**
   * Verifies the first `prefix` bytes of a stamp that was written for `size` bytes, wherever the payload is now.
   * Returns the first word or byte that is not as stamped.
   */
  verify(ptr: number, size: number, seed: number, prefix = size): BrokenStamp | undefined {
    this.#refresh();
    const first = ptr >>> 2;
    const count = size >>> 2;
    const limit = prefix >>> 2;
    const dense = count <= DENSE_WORDS;
    const edge = dense ? 0 : count - EDGE_WORDS;
    const head = dense ? limit : Math.min(limit, EDGE_WORDS);
    for (let w = 0; w < head; w++) {
      if (this.#words[first + w] !== wordOf(seed, w)) return this.#broken(ptr, w, seed);
    }
    if (!dense) {
      const middle = Math.min(limit, edge);
      for (let w = EDGE_WORDS; w < middle; w += STRIDE_WORDS) {
        if (this.#words[first + w] !== wordOf(seed, w)) return this.#broken(ptr, w, seed);
      }
      for (let w = edge; w < limit; w++) {
        if (this.#words[first + w] !== wordOf(seed, w)) return this.#broken(ptr, w, seed);
      }
    }
    // A last part of a word: the payload's own end, or a cut through a word that may not have been stamped.
    const stamped = limit === count || dense || limit >= edge || limit % STRIDE_WORDS === 0;
    for (let b = stamped ? limit << 2 : prefix; b < prefix; b++) {
      const found = this.#bytes[ptr + b] ?? -1;
      if (found !== byteOf(seed, b)) return { offset: b, expected: byteOf(seed, b), found };
    }
    return undefined;
  }

  /** The offset of the first byte of a payload that is not zero, or -1. Looks at all of them. */
  firstNonZero(ptr: number, size: number): number {
    this.#refresh();
    const words = this.#words;
    const first = ptr >>> 2;
    const count = size >>> 2;
    const quads = count & ~3;
    let w = 0;
    for (; w < quads; w += 4) {
      const at = first + w;
      if (((words[at] ?? 1) | (words[at + 1] ?? 1) | (words[at + 2] ?? 1) | (words[at + 3] ?? 1)) !== 0)
        break;
    }
    for (let b = w << 2; b < size; b++) if (this.#bytes[ptr + b] !== 0) return b;
    return -1;
  }

  /** When the memory has grown, the views are empty or too short, and reads of them silent. */
  #refresh(): void {
    const { buffer } = this.#heap;
    if (this.#bytes.length === buffer.byteLength) return;
    this.#bytes = new Uint8Array(buffer, 0, buffer.byteLength);
    this.#words = new Uint32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
  }

  #broken(ptr: number, w: number, seed: number): BrokenStamp {
    return { offset: w << 2, expected: wordOf(seed, w), found: this.#words[(ptr >>> 2) + w] ?? -1 };
  }
}

function wordOf(seed: number, w: number): number {
  return (seed + Math.imul(w, WORD_STEP)) >>> 0;
}

/** The byte that a word of the stamp has at this offset, in the machine's (little-endian) order. */
function byteOf(seed: number, offset: number): number {
  return (wordOf(seed, offset >>> 2) >>> ((offset & 3) * 8)) & 255;
}
