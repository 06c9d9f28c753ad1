// Slab shadow: the oracle with what only this design promises: exact sizes, in slabs or as chunks; what lies in no piece; that free
// memory which could serve is used.
//
// Needs: the oracle of all allocators (test/support/shadow.ts, calls.ts).

import type { Heap } from "morecore";
import { expect } from "vitest";
import { Program } from "../../../../test/support/calls.ts";
import { type Block, Shadow } from "../../../../test/support/shadow.ts";
import { FAR_STEP, GRANULE, HEADER_BYTES, NARROW_MAX, SMALL_MAX } from "../../src/kernel/layout.ts";

/** What each segment has before its chunks, and its last word. */
const SEGMENT = 16;
const MAX_REQUEST = 2 ** 31 - 1;

export class SlabShadow extends Shadow {
  override add(ptr: number, bytes: number, alignment?: number): Block {
    const block = super.add(ptr, bytes, alignment);
    expectExact(block);
    return block;
  }

  override move(block: Block, ptr: number, bytes: number): Block {
    const moved = super.move(block, ptr, bytes);
    // A block of a slab that shrinks where it lies keeps its size, for it cannot be cut.
    const kept = ptr === block.ptr && isInSlab(moved.usable) && moved.usable === block.usable;
    if (!kept) expectExact(moved);
    return moved;
  }

  override expectAgreement(): void {
    super.expectAgreement();
    let walked = 0;
    this.heap.inspectAll(({ state, size }) => {
      if (state === "live" || state === "overhead") walked += size;
    });
    const unwalked = this.heap.mallinfo().uordblks - walked - HEADER_BYTES;
    expect(unwalked, "in no piece are the header and each segment's two ends").toBeGreaterThanOrEqual(
      SEGMENT,
    );
    expect(unwalked % SEGMENT).toBe(0);
  }
}

export class SlabProgram extends Program {
  /** How many small requests were given a block of a slab, how many of these a wide one, and how many a chunk, for lack of memory. */
  readonly small = { inSlabs: 0, wide: 0, fellBack: 0 };

  constructor(heap: Heap, certain: number) {
    super(new SlabShadow(heap), certain);
  }

  protected override took(ptr: number, bytes: number, alignment = 16, zero = false): void {
    super.took(ptr, bytes, alignment, zero);
    if (ptr === 0 || alignment > 16 || bytes > this.heap.options.smallLimit) return;
    const usable = this.heap.usableSize(ptr);
    if (!isInSlab(usable)) this.small.fellBack += 1;
    else this.small.inSlabs += 1;
    if (isInSlab(usable) && usable > NARROW_MAX) this.small.wide += 1;
  }

  protected override expectRefusable(bytes: number, alignment: number): void {
    super.expectRefusable(bytes, alignment);
    if (bytes > MAX_REQUEST) return;
    const due = this.heap.goodSize(bytes) + 4 + (alignment > 16 ? alignment : 0);
    const fromSlabs = alignment <= 16 && bytes <= this.heap.options.smallLimit;
    let largest = 0;
    this.heap.inspectAll(({ state, size }) => {
      if (state === "free" || state === "top") largest = Math.max(largest, size);
      if (state === "cached" && fromSlabs)
        expect(size, `a slab's free block would have served ${bytes}`).not.toBe(this.heap.goodSize(bytes));
    });
    // In the request's own bin only the first few are looked at, but what the bins above have fits.
    expect(largest, `a free chunk would have served ${bytes}`).toBeLessThan((due * 18) / 16 + 16);
  }
}

function expectExact({ usable, bytes }: Block): void {
  const header = isInSlab(usable) ? 0 : 4;
  // The far classes, where threads share memory, are further apart.
  const step = isInSlab(usable) && usable > SMALL_MAX ? FAR_STEP * GRANULE : GRANULE;
  const rounded = Math.max(Math.ceil((bytes + header) / step) * step, GRANULE) - header;
  expect(usable, "a block is no larger than the request, rounded").toBe(rounded);
}

/** Blocks of slabs have multiples of 16 bytes; chunks a header less. */
function isInSlab(usable: number): boolean {
  return usable % 16 === 0;
}
