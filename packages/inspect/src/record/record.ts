// Record: a trace, written while a program runs.
//
// Owns:       which block lies at which address, and the slot that it has in the trace.
// Needs:      format, ledger.
// Invariants: R1  bytes() is a trace that decodeTrace takes, at any moment between two calls
//             R2  the addresses in #slots are those of the live blocks                          O(1) a call
//
// It is told of each call after it has succeeded, with the addresses that the program saw. A record costs about five
// bytes; they lie in blocks, since a program may make a hundred million calls and copying them all to grow is dear.

import { encodeHeader, HEADER_BYTES, KIND, putRecord, type TraceRecord } from "../trace/format.ts";
import { SlotLedger } from "../trace/ledger.ts";

/**
 * A block was given that is live already.
 *
 * @example
 *
 * ```ts
 * const recorder = new TraceRecorder();
 * recorder.malloc(16, 100);
 * try {
 *   recorder.malloc(16, 100);
 * } catch (error) {
 *   console.log(error instanceof LiveBlockError); // true
 * }
 * ```
 */
export class LiveBlockError extends RangeError {
  override readonly name = "LiveBlockError";
}

/** What a TraceRecorder can be told. */
export interface RecorderOptions {
  /** The trace takes no more records when it has this many bytes; 0: nothing is kept, it only counts. Default 2^30. */
  readonly maxBytes?: number;
}

/** What readTraceFile takes at most. */
const DEFAULT_MAX_BYTES = 2 ** 30;
/** A tag and three varints of 32 bits. */
const MAX_RECORD_BYTES = 16;
const ONE_THREAD = 1;

/**
 * Records the calls of one thread by the rules of traces/FORMAT.md.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const recorder = new TraceRecorder();
 * const ptr = heap.malloc(100);
 * recorder.malloc(ptr, 100);
 * heap.free(ptr);
 * recorder.free(ptr);
 * console.log(decodeTrace(recorder.bytes()).opCount); // 2
 * ```
 */
export class TraceRecorder {
  readonly #maxBytes: number;
  readonly #ledger = new SlotLedger();
  readonly #slots = new Map<number, number>();
  readonly #out = new ByteBlocks();
  #opCount = 0;
  /** The header as it was when the trace was cut off. */
  #cutHeader: Uint8Array | undefined;

  /** An empty trace. */
  constructor({ maxBytes = DEFAULT_MAX_BYTES }: RecorderOptions = {}) {
    this.#maxBytes = maxBytes;
    this.#cutIfFull();
  }

  /** malloc(bytes) has given `ptr`; 0: there was no memory, which is not recorded. The same for all below. */
  malloc(ptr: number, bytes: number): void {
    this.#take(ptr, { kind: KIND.malloc, slot: 0, size: bytes });
  }

  /** calloc; `bytes` is the product. */
  calloc(ptr: number, bytes: number): void {
    this.#take(ptr, { kind: KIND.calloc, slot: 0, size: bytes });
  }

  /** memalign and its like. An alignment that is no power of two is recorded as the next one. */
  aligned(ptr: number, alignment: number, bytes: number): void {
    this.#take(ptr, { kind: KIND.aligned, slot: 0, size: bytes, alignment: powerOfTwoFrom(alignment) });
  }

  /**
   * realloc(old, bytes) has given `ptr`. realloc(NULL, n) is a malloc; realloc(p, 0) is a free, and a malloc(0) if it
   * has given a block. A block that was got before the recording began is not known: then this is a malloc.
   */
  realloc(old: number, ptr: number, bytes: number): void {
    if (old !== 0 && bytes === 0) {
      this.free(old);
      this.malloc(ptr, 0);
      return;
    }
    const slot = this.#slots.get(old);
    if (slot === undefined) {
      this.malloc(ptr, bytes);
      return;
    }
    if (ptr === 0) return;
    if (ptr !== old) {
      this.#slots.delete(old);
      this.#name(ptr, slot);
    }
    this.#ledger.resize(slot, bytes);
    this.#put({ kind: KIND.realloc, slot, size: bytes });
  }

  /** free(ptr). Of NULL and of a block that is not known there is no record. */
  free(ptr: number): void {
    const slot = this.#slots.get(ptr);
    if (slot === undefined) return;
    this.#slots.delete(ptr);
    this.#ledger.release(slot);
    this.#put({ kind: KIND.free, slot });
  }

  /** Records that the trace has. */
  get opCount(): number {
    return this.#opCount;
  }

  /** Blocks that are live now. */
  get liveCount(): number {
    return this.#slots.size;
  }

  /** Bytes that were asked for with the live blocks. */
  get liveBytes(): number {
    return this.#ledger.liveBytes;
  }

  /** The most bytes that were live at once, as they were asked for. */
  get peakLiveBytes(): number {
    return this.#ledger.peakLiveBytes;
  }

  /** Whether the trace has reached its size and takes no more records. Counting goes on. */
  get isCut(): boolean {
    return this.#cutHeader !== undefined;
  }

  /** The trace so far, as encodeTrace would give it. */
  bytes(): Uint8Array {
    const header = this.#cutHeader ?? this.#header();
    const bytes = new Uint8Array(HEADER_BYTES + this.#out.length);
    bytes.set(header);
    this.#out.copyTo(bytes, HEADER_BYTES);
    return bytes;
  }

  #take(ptr: number, record: TraceRecord): void {
    if (ptr === 0) return;
    const slot = this.#ledger.nextSlot();
    this.#name(ptr, slot);
    this.#ledger.take(slot, record.size ?? 0);
    this.#put({ ...record, slot });
  }

  #name(ptr: number, slot: number): void {
    if (this.#slots.has(ptr))
      throw new LiveBlockError(`ptr: expected an address without a live block, got ${ptr}`);
    this.#slots.set(ptr, slot);
  }

  /** The ledger has been told already: the header of a trace that is cut here must not know of this record. */
  #put(record: TraceRecord): void {
    if (this.#cutHeader !== undefined) return;
    putRecord(this.#out, record);
    this.#opCount++;
    this.#cutIfFull();
  }

  #cutIfFull(): void {
    if (HEADER_BYTES + this.#out.length + MAX_RECORD_BYTES > this.#maxBytes) this.#cutHeader = this.#header();
  }

  #header(): Uint8Array {
    return encodeHeader(this.#opCount, Math.min(this.#opCount, ONE_THREAD), this.#ledger);
  }
}

const BLOCK_BYTES = 1 << 20;

/** Bytes that are put one by one, and never moved. */
class ByteBlocks {
  readonly #full: Uint8Array[] = [];
  #block = new Uint8Array(BLOCK_BYTES);
  #used = 0;

  get length(): number {
    return this.#full.length * BLOCK_BYTES + this.#used;
  }

  push(byte: number): void {
    if (this.#used === BLOCK_BYTES) {
      this.#full.push(this.#block);
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    this.#block[this.#used++] = byte;
  }

  copyTo(target: Uint8Array, at: number): void {
    let next = at;
    for (const block of this.#full) {
      target.set(block, next);
      next += block.length;
    }
    target.set(this.#block.subarray(0, this.#used), next);
  }
}

function powerOfTwoFrom(alignment: number): number {
  let power = 1;
  while (power < alignment) power *= 2;
  return power;
}
