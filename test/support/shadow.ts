// Shadow: a second, simple book of what is live in a heap, and of what each block must contain.
//
// Owns:  the contents of every block that was added: each is filled with a pattern of its own and read back when the
//        block is freed, moved or at the end.
// Needs: what any-heap.ts says of an allocator, nothing of a kernel.
//
// Its rules hold for any allocator: a block is aligned, inside the memory, as large as was asked for, apart from all others and
// the caller's alone; walk and figures agree with the book; when all is freed, nothing is left. What one design
// promises beyond is for its own tests (packages/morecore/test/kernel/slab-shadow.ts).

import { expect } from "vitest";
import type { AnyHeap } from "./any-heap.ts";

/** A live block, as the shadow knows it. */
export interface Block {
  readonly ptr: number;
  /** What was asked for. */
  readonly bytes: number;
  /** What it was given: no other block may lie in these bytes. */
  readonly usable: number;
  /** What its pattern is made from. */
  readonly stamp: number;
}

/** At most this many bytes are patterned at either end of a block: errors are made at the ends. */
const PATTERN_BYTES = 2048;

/** What lies behind the pattern, up to the usable size. */
const BEHIND = 0xcc;

/** What each block's address is a multiple of: C's alignof(max_align_t). */
const ALIGNMENT = 16;

export class Shadow {
  readonly heap: AnyHeap;
  readonly blocks = new Map<number, Block>();
  private stamps = 0;
  /** Bytes that are in use though nothing is live: the allocator's own. */
  private readonly overhead: number;

  constructor(heap: AnyHeap) {
    this.heap = heap;
    let live = 0;
    heap.inspectAll(({ state, size }) => {
      if (state === "live") live += size;
    });
    this.overhead = heap.mallinfo().uordblks - live;
  }

  get list(): Block[] {
    return [...this.blocks.values()];
  }

  /** Takes note of a block that was just allocated, of at least `bytes` bytes, and fills it. */
  add(ptr: number, bytes: number, alignment = ALIGNMENT): Block {
    return this.enter(ptr, bytes, alignment);
  }

  /** Adds a block of a calloc, whose bytes must all be zero. Where it lies is asked first: what is given twice is not zero, too. */
  addZero(ptr: number, bytes: number, alignment = ALIGNMENT): Block {
    return this.enter(ptr, bytes, alignment, true);
  }

  private enter(ptr: number, bytes: number, alignment = ALIGNMENT, zero = false): Block {
    expect(ptr, "a block's address is not 0").not.toBe(0);
    expect(ptr % alignment, `the address ${ptr} is a multiple of ${alignment}`).toBe(0);
    const usable = this.heap.usableSize(ptr);
    expect(usable, "a block holds what was asked for").toBeGreaterThanOrEqual(bytes);
    const { size = this.heap.buffer.byteLength } = this.heap.memory;
    expect(ptr + usable, "a block ends inside the memory").toBeLessThanOrEqual(size);
    for (const other of this.blocks.values()) {
      const apart = ptr + usable <= other.ptr || other.ptr + other.usable <= ptr;
      if (!apart)
        throw new Error(`${ptr} of ${usable} bytes lies over the live ${other.ptr} of ${other.bytes}`);
    }
    if (zero) {
      const dirty = this.heap.u8(ptr, usable).findIndex((byte) => byte !== 0);
      expect(dirty, "the first byte of a calloc that is not zero").toBe(-1);
    }
    this.stamps += 1;
    const block = { ptr, bytes, usable, stamp: this.stamps };
    fill(this.heap, block);
    this.blocks.set(ptr, block);
    return block;
  }

  /** Takes a block off the book, after a last look at its contents. Call it before the free. */
  remove(block: Block): void {
    this.verify(block);
    this.blocks.delete(block.ptr);
  }

  /** A realloc of `block` has given `ptr`: what it had of the smaller size must be there. */
  move(block: Block, ptr: number, bytes: number): Block {
    this.verify({ ...block, ptr, bytes: Math.min(block.bytes, bytes) }, block.bytes);
    this.blocks.delete(block.ptr);
    return this.enter(ptr, bytes);
  }

  /** Asserts that a block contains its pattern; `filled` is the size that it had when that was written. */
  verify(block: Block, filled = block.bytes): void {
    const bytes = this.heap.u8(block.ptr, block.bytes);
    for (let at = 0; at < bytes.length; at++) {
      if (!isPatterned(at, filled)) at = filled - PATTERN_BYTES;
      if (at < bytes.length && bytes[at] !== patternAt(block.stamp, at))
        throw new Error(`byte ${at} of the block of ${filled} bytes at ${block.ptr} was overwritten`);
    }
  }

  verifyAll(): void {
    for (const block of this.blocks.values()) this.verify(block);
  }

  /** inspectAll and mallinfo agree with each other and with the book. O(pieces). */
  expectAgreement(): void {
    const live = new Map<number, number>();
    const bytes = { live: 0, cached: 0, free: 0, top: 0, overhead: 0 };
    const count = { live: 0, cached: 0, free: 0, top: 0, overhead: 0 };
    let before = this.heap.base;
    this.heap.inspectAll((piece) => {
      expect(piece.address, "pieces come in the order of their addresses").toBeGreaterThan(before);
      before = piece.address;
      if (piece.state === "live") live.set(piece.ptr, piece.usable);
      bytes[piece.state] += piece.size;
      count[piece.state] += 1;
    });
    const booked = new Map(this.list.map(({ ptr, usable }) => [ptr, usable]));
    expect(live, "the live pieces are the live blocks, and as large").toEqual(booked);
    const info = this.heap.mallinfo();
    expect(info.arena).toBe(this.heap.footprint);
    expect(info.arena, "arena = uordblks + fordblks").toBe(info.uordblks + info.fordblks);
    expect(info.fordblks).toBe(bytes.free + bytes.top + bytes.cached);
    expect(info.fsmblks).toBe(bytes.cached);
    expect(info.smblks).toBe(count.cached);
    expect(info.ordblks).toBe(count.free + count.top);
    expect(info.keepcost).toBe(bytes.top);
    expect(info.uordblks, "what is live or the allocator's own is in use").toBeGreaterThanOrEqual(
      bytes.live + bytes.overhead,
    );
  }

  /** Frees all, trims, and asserts that nothing is left of it. */
  finish(): void {
    this.verifyAll();
    for (const block of this.blocks.values()) this.heap.free(block.ptr);
    this.blocks.clear();
    const pieces = expectEmpty(this.heap);
    // Each further stretch of memory may cost the allocator something. The map of a heap that threads share grows with it.
    const { thread = 0, memorySize = 0 } = this.heap;
    const map = thread > 0 ? (memorySize >>> 10) + 16 : 0;
    if (pieces <= 1)
      expect(this.heap.mallinfo().uordblks, "no byte is lost").toBeLessThanOrEqual(this.overhead + map);
  }
}

/** Bytes: kernel/layout.ts. */
const OTHER_HEADER = 3264;

/**
 * Trims, and asserts that nothing is live, nothing the heap's own, and all free neighbours were merged. Returns how many
 * pieces are left: one for each stretch of memory that the heap has got.
 */
export function expectEmpty(heap: AnyHeap, stretches?: number): number {
  heap.trim(0);
  heap.check();
  let pieces = 0;
  let previousEnd = -1;
  const isShared = (heap.thread ?? 0) > 0;
  heap.inspectAll(({ state, address, size }) => {
    // Each thread's place in a shared heap has room for another header, which nobody uses before it is taken over.
    if (isShared && state === "overhead" && size === OTHER_HEADER) return;
    expect(["free", "top"], "all is free").toContain(state);
    expect(address, "no two free pieces are neighbours: they would have been merged").not.toBe(previousEnd);
    previousEnd = address + size;
    pieces += 1;
  });
  // Of a heap that keeps nothing in advance, nothing at all may be left.
  if (stretches !== undefined) expect(pieces).toBeLessThanOrEqual(stretches);
  return pieces;
}

/** Writes a block's pattern, and something else up to its usable size, which is the owner's, too. */
function fill(heap: AnyHeap, block: Block): void {
  heap.u8(block.ptr + block.bytes, block.usable - block.bytes).fill(BEHIND);
  const bytes = heap.u8(block.ptr, block.bytes);
  for (let at = 0; at < bytes.length; at++) {
    if (!isPatterned(at, block.bytes)) at = block.bytes - PATTERN_BYTES;
    bytes[at] = patternAt(block.stamp, at);
  }
}

function isPatterned(at: number, bytes: number): boolean {
  return at < PATTERN_BYTES || at >= bytes - PATTERN_BYTES;
}

/** Never 0, so that fresh memory is not taken for a pattern. */
function patternAt(stamp: number, at: number): number {
  return (((stamp * 131) ^ (at * 7) ^ (at >>> 8)) & 0xff) | 1;
}
