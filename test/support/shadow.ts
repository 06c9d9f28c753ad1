// Shadow: a second, simple book of what is live in a heap, and of what each block must contain.
//
// Owns:  the contents of every block that was added: each is filled with a pattern of its own and read back when the
//        block is freed, moved or at the end.
// Needs: the public Heap, nothing of the kernel.

import type { Heap } from "morecore";
import { expect } from "vitest";

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

/** Bytes of a heap's header; and of what each segment has before its chunks, and its last word. */
const HEADER = 2272;
const SEGMENT = 16;

export class Shadow {
  readonly heap: Heap;
  readonly blocks = new Map<number, Block>();
  private stamps = 0;

  constructor(heap: Heap) {
    this.heap = heap;
  }

  get list(): Block[] {
    return [...this.blocks.values()];
  }

  /** Takes note of a block that was just allocated, of at least `bytes` bytes, and fills it. */
  add(ptr: number, bytes: number, alignment = 16): Block {
    expect(ptr, "a block's address is not 0").not.toBe(0);
    expect(ptr % Math.max(alignment, 16), `the address ${ptr} is a multiple of ${alignment}`).toBe(0);
    const usable = this.heap.usableSize(ptr);
    expect(usable, "a block holds what was asked for").toBeGreaterThanOrEqual(bytes);
    expect(usable, "a block is no larger than the request, rounded").toBe(roundedLike(usable, bytes));
    return this.enter(ptr, bytes, usable);
  }

  private enter(ptr: number, bytes: number, usable: number): Block {
    for (const other of this.blocks.values()) {
      const apart = ptr + usable <= other.ptr || other.ptr + other.usable <= ptr;
      if (!apart)
        throw new Error(`${ptr} of ${usable} bytes lies over the live ${other.ptr} of ${other.bytes}`);
    }
    this.stamps += 1;
    const block = { ptr, bytes, usable, stamp: this.stamps };
    fill(this.heap, block);
    this.blocks.set(ptr, block);
    return block;
  }

  /** Asserts that a new block's bytes are all zero. Call it before add. */
  expectZero(ptr: number, bytes: number): void {
    const dirty = this.heap.u8(ptr, bytes).findIndex((byte) => byte !== 0);
    expect(dirty, "the first byte of a calloc that is not zero").toBe(-1);
  }

  /** Takes a block off the book, after a last look at its contents. Call it before the free. */
  remove(block: Block): void {
    this.verify(block);
    this.blocks.delete(block.ptr);
  }

  /** A realloc of `block` has given `ptr`: what it had of the smaller size must be there. */
  move(block: Block, ptr: number, bytes: number): void {
    this.verify({ ...block, ptr, bytes: Math.min(block.bytes, bytes) }, block.bytes);
    this.blocks.delete(block.ptr);
    const usable = this.heap.usableSize(ptr);
    // A block of a slab that shrinks where it lies keeps its size, for it cannot be cut.
    const kept = ptr === block.ptr && isInSlab(usable) && usable === block.usable && bytes <= usable;
    if (kept) this.enter(ptr, bytes, usable);
    else this.add(ptr, bytes);
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
    this.heap.inspectAll((piece) => {
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
    const unwalked = info.uordblks - bytes.live - bytes.overhead - HEADER;
    expect(unwalked, "in no piece are the header and each segment's two ends").toBeGreaterThanOrEqual(
      SEGMENT,
    );
    expect(unwalked % SEGMENT).toBe(0);
  }

  /** Frees all, trims, and asserts that each segment is one free chunk again, the last of them top. */
  finish(): void {
    this.verifyAll();
    for (const block of this.blocks.values()) this.heap.free(block.ptr);
    this.blocks.clear();
    expectEmpty(this.heap);
  }
}

/**
 * Gives back the unused slabs and asserts that nothing is live, nothing the heap's own, and all free neighbours were
 * merged. Returns how many chunks are left.
 */
export function expectEmpty(heap: Heap, segments?: number): number {
  heap.trim(0);
  heap.check();
  const states: string[] = [];
  let previousEnd = -1;
  heap.inspectAll((chunk) => {
    expect(chunk.address, "no two chunks are neighbours: they would have been merged").not.toBe(previousEnd);
    previousEnd = chunk.address + chunk.size;
    states.push(chunk.state);
  });
  expect(states.at(-1)).toBe("top");
  expect(states.slice(0, -1).every((state) => state === "free")).toBe(true);
  if (segments !== undefined) expect(states.length).toBe(segments);
  return states.length;
}

/** Blocks of slabs have multiples of 16 bytes; chunks a header less. */
function isInSlab(usable: number): boolean {
  return usable % 16 === 0;
}

/** What a request of so many bytes is given, in a slab or as a chunk, whichever a block of `usable` bytes is. */
function roundedLike(usable: number, bytes: number): number {
  const header = isInSlab(usable) ? 0 : 4;
  return Math.max(Math.ceil((bytes + header) / 16) * 16, 16) - header;
}

/** Writes a block's pattern, and something else up to its usable size, which is the owner's, too. */
function fill(heap: Heap, block: Block): void {
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
