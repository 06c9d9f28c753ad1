// First fit: an allocator that has nothing in common with the kernel. What is live stands in a list beside the memory, in the
// order of its addresses; what lies between is free, and the first gap that is large enough serves. O(blocks) for each call.

import { bufferMemory, type ChunkInfo, type HeapSettings, type Mallinfo, type Memory } from "morecore";
import type { AnyHeap } from "./any-heap.ts";

const MAX_REQUEST = 2 ** 31 - 1;
const GRANULE = 16;
const EINVAL = 22;
const ENOMEM = 12;

interface Held {
  readonly ptr: number;
  readonly bytes: number;
}

const rounded = (bytes: number): number => Math.max(GRANULE, Math.ceil(bytes / GRANULE) * GRANULE);

export class FirstFit implements AnyHeap {
  readonly base = GRANULE;
  readonly memory: Memory;
  readonly options: HeapSettings;
  /** In the order of their addresses. */
  protected held: readonly Held[] = [];
  footprint: number;
  maxFootprint: number;

  constructor(bytes: number, settings: Partial<HeapSettings> = {}) {
    this.memory = bufferMemory(new ArrayBuffer(bytes));
    this.options = {
      growthStep: 4096,
      advance: 0,
      smallLimit: 0,
      trimThreshold: Number.POSITIVE_INFINITY,
      footprintLimit: Number.POSITIVE_INFINITY,
      zeroSizeRealloc: "alloc",
      ...settings,
    };
    this.footprint = this.grown(GRANULE);
    this.maxFootprint = this.footprint;
  }

  /** The footprint for so many bytes that are used: whole steps, where they are there. */
  private grown(used: number): number {
    const { growthStep, footprintLimit } = this.options;
    const steps = Math.ceil(used / growthStep) * growthStep;
    return Math.max(used, Math.min(steps, footprintLimit, this.buffer.byteLength - this.base));
  }

  get footprintLimit(): number {
    return this.options.footprintLimit;
  }

  set footprintLimit(bytes: number) {
    this.options.footprintLimit = bytes;
  }

  get buffer(): ArrayBufferLike {
    return this.memory.buffer;
  }

  u8(ptr: number, count = this.usableSize(ptr)): Uint8Array {
    return new Uint8Array(this.buffer, ptr, count);
  }

  u32(ptr: number, count = this.usableSize(ptr) / 4): Uint32Array {
    return new Uint32Array(this.buffer, ptr, count);
  }

  /** Bytes at an address that `place` has found, now live. */
  protected take(ptr: number, bytes: number): number {
    this.held = [...this.held, { ptr, bytes }].sort((one, other) => one.ptr - other.ptr);
    const used = ptr + bytes - this.base;
    if (used > this.footprint) this.footprint = this.grown(used);
    this.maxFootprint = Math.max(this.maxFootprint, this.footprint);
    return ptr;
  }

  /** Where the first gap has room; 0: none has. */
  private place(bytes: number, alignment: number): number {
    let at = 2 * GRANULE;
    for (const { ptr, bytes: taken } of [...this.held, { ptr: this.end, bytes: 0 }]) {
      const start = Math.ceil(at / alignment) * alignment;
      if (start + bytes <= ptr) return start;
      at = ptr + taken;
    }
    return 0;
  }

  /** How far blocks may reach. */
  private get end(): number {
    return Math.min(this.base + Math.max(this.footprint, this.footprintLimit), this.buffer.byteLength);
  }

  protected find(ptr: number): Held {
    const found = this.held.find((each) => each.ptr === ptr);
    if (found === undefined) throw new Error(`no live block begins at ${ptr}`);
    return found;
  }

  malloc(bytes: number): number {
    return this.memalign(GRANULE, bytes);
  }

  memalign(alignment: number, bytes: number): number {
    const power = 2 ** Math.ceil(Math.log2(Math.max(alignment, GRANULE)));
    if (bytes > MAX_REQUEST) return 0;
    const ptr = this.place(rounded(bytes), power);
    return ptr === 0 ? 0 : this.take(ptr, rounded(bytes));
  }

  alignedAlloc(alignment: number, bytes: number): number {
    return this.memalign(alignment, bytes);
  }

  posixMemalign(result: number, alignment: number, bytes: number): number {
    if (alignment < 4 || (alignment & (alignment - 1)) !== 0) return EINVAL;
    const ptr = this.memalign(alignment, bytes);
    if (ptr === 0) return ENOMEM;
    this.u32(result, 1)[0] = ptr;
    return 0;
  }

  calloc(count: number, bytes = 1): number {
    const ptr = this.malloc(count * bytes);
    if (ptr !== 0) this.u8(ptr).fill(0);
    return ptr;
  }

  free(ptr: number): void {
    if (ptr === 0) return;
    const block = this.find(ptr);
    this.held = this.held.filter((each) => each !== block);
  }

  freeSized(ptr: number, bytes: number): void {
    if (ptr !== 0 && bytes > this.usableSize(ptr)) throw new Error(`${bytes} is not the size of ${ptr}`);
    this.free(ptr);
  }

  freeAlignedSized(ptr: number, _alignment: number, bytes: number): void {
    this.freeSized(ptr, bytes);
  }

  bulkFree(ptrs: Iterable<number>): void {
    for (const ptr of ptrs) this.free(ptr);
  }

  usableSize(ptr: number): number {
    return ptr === 0 ? 0 : this.find(ptr).bytes;
  }

  goodSize(bytes: number): number {
    return bytes > MAX_REQUEST ? 0 : rounded(bytes);
  }

  reallocInPlace(ptr: number, bytes: number): number {
    if (ptr === 0) return 0;
    const block = this.find(ptr);
    const next = this.held[this.held.indexOf(block) + 1]?.ptr ?? this.end;
    if (bytes > MAX_REQUEST || ptr + rounded(bytes) > next) return 0;
    this.free(ptr);
    return this.take(ptr, rounded(bytes));
  }

  realloc(ptr: number, bytes: number): number {
    if (ptr === 0) return this.malloc(bytes);
    if (bytes === 0 && this.options.zeroSizeRealloc === "free") {
      this.free(ptr);
      return 0;
    }
    if (this.reallocInPlace(ptr, bytes) !== 0) return ptr;
    const moved = this.malloc(bytes);
    if (moved === 0) return 0;
    this.u8(moved).set(this.u8(ptr));
    this.free(ptr);
    return moved;
  }

  reallocarray(ptr: number, count: number, bytes: number): number {
    return this.realloc(ptr, count * bytes);
  }

  independentCalloc(count: number, bytes: number): number[] | undefined {
    if (count * bytes > this.buffer.byteLength || count > this.buffer.byteLength) return undefined;
    const ptrs = this.independentComalloc(Array.from({ length: count }, () => bytes));
    for (const ptr of ptrs ?? []) this.u8(ptr).fill(0);
    return ptrs;
  }

  independentComalloc(sizes: readonly number[]): number[] | undefined {
    const before = this.held;
    const ptrs = sizes.map((bytes) => this.malloc(bytes));
    if (!ptrs.includes(0)) return ptrs;
    this.held = before;
    return undefined;
  }

  trim(pad = 0): boolean {
    const before = this.footprint;
    const last = this.held.at(-1);
    const used = last === undefined ? GRANULE : last.ptr + last.bytes - this.base;
    this.footprint = Math.min(before, this.grown(used + pad));
    return this.footprint < before;
  }

  inspectAll(visit: (chunk: ChunkInfo) => void): void {
    let at = 2 * GRANULE;
    const piece = (end: number, state: ChunkInfo["state"]): void => {
      if (end > at) visit({ address: at, ptr: at, size: end - at, usable: end - at, state });
      at = end;
    };
    for (const { ptr, bytes } of this.held) {
      piece(ptr, "free");
      piece(ptr + bytes, "live");
    }
    piece(this.base + this.footprint, "top");
  }

  mallinfo(): Mallinfo {
    const free = { ordblks: 0, fordblks: 0, keepcost: 0 };
    this.inspectAll(({ state, size }) => {
      if (state === "live") return;
      free.ordblks += 1;
      free.fordblks += size;
      if (state === "top") free.keepcost = size;
    });
    const uordblks = this.footprint - free.fordblks;
    return {
      arena: this.footprint,
      smblks: 0,
      hblks: 0,
      hblkhd: 0,
      usmblks: 0,
      fsmblks: 0,
      uordblks,
      ...free,
    };
  }

  check(): void {
    for (const [index, { ptr, bytes }] of this.held.entries())
      if (ptr + bytes > (this.held[index + 1]?.ptr ?? this.buffer.byteLength))
        throw new Error(`the block at ${ptr} lies over the next`);
  }
}
