// Any program of calls to a bump arena, beside plain lists of what must be there then.

import fc from "fast-check";
import { expect, test } from "vitest";
import { liveBlocks } from "../../../../test/support/allocator-conformance.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import { type Bump, Heap, type Mark, u16 } from "../../src/index.ts";

const seed = seedOf("bump");

type Call =
  | { readonly do: "allocate"; readonly bytes: number; readonly alignmentLog2: number }
  | { readonly do: "resize"; readonly which: number; readonly bytes: number }
  | { readonly do: "free" | "release"; readonly which: number }
  | { readonly do: "collect"; readonly count: number; readonly fails: boolean }
  | { readonly do: "mark" | "reset" | "defer" };

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(120) },
  { weight: 1, arbitrary: fc.nat(3000) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 31, 2 ** 32 - 1) },
);
/** Of the blocks or the marks, counted from the last: most often that one. */
const which = fc.oneof(fc.constant(0), fc.nat(1000));
const RARE = ["mark", "mark", "mark", "mark", "defer", "defer", "reset"] as const;
const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("allocate"), bytes: size, alignmentLog2: fc.nat(9) } as const),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("resize"), which, bytes: size } as const) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("free"), which } as const) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("release"), which } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("collect"), count: fc.nat(50), fails: fc.boolean() } as const),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom(...RARE) } as const),
  },
);

interface Block {
  at: number;
  bytes: number;
  alignment: number;
  stamp: number;
  /** How many marks were open when it got its place. */
  depth: number;
}

/** An arena, and what must be in it. */
class Program {
  private readonly heap = Heap.create({ checking: true });
  private readonly arena: Bump;
  private blocks: Block[] = [];
  private marks: { mark: Mark; deferred: number }[] = [];
  private deferred: number[] = [];
  private readonly ran: number[] = [];
  private readonly due: number[] = [];
  private count = 0;

  constructor(chunkBytes: number, limit: number | undefined) {
    this.arena = this.heap.bump({ chunkBytes, ...(limit !== undefined && { limit }) });
  }

  run(calls: readonly Call[]): void {
    for (const each of calls) {
      this.perform(each);
      this.expectAgreement();
    }
    this.endDown(0, 0);
    this.arena.dispose();
    expect(this.ran).toEqual(this.due);
    expect(liveBlocks(this.heap)).toEqual([]);
    this.heap.check();
  }

  private perform(each: Call): void {
    const { arena } = this;
    switch (each.do) {
      case "allocate":
        this.put(arena.allocate(each.bytes, 2 ** each.alignmentLog2), each.bytes, 2 ** each.alignmentLog2);
        return;
      case "resize":
        this.resize(this.pick(each.which), each.bytes);
        return;
      case "free": {
        const block = this.pick(each.which);
        if (block === undefined) return;
        this.blocks.splice(this.blocks.indexOf(block), 1);
        arena.deallocate(block.at, block.bytes, block.alignment);
        return;
      }
      case "collect":
        this.collect(each.count, each.fails);
        return;
      case "mark":
        this.marks.push({ mark: arena.mark(), deferred: this.deferred.length });
        return;
      case "release": {
        const index = this.marks.length - 1 - (each.which % Math.max(1, this.marks.length));
        const found = this.marks[index];
        if (found === undefined) return;
        this.endDown(index, found.deferred);
        arena.release(found.mark);
        return;
      }
      case "reset":
        this.endDown(0, 0);
        this.blocks = [];
        arena.reset();
        expect(arena.usedBytes).toBe(0);
        return;
      case "defer": {
        const number = this.count++;
        this.deferred.push(number);
        arena.defer(() => this.ran.push(number));
        return;
      }
    }
  }

  private pick(at: number): Block | undefined {
    return this.blocks.at(-1 - (at % Math.max(1, this.blocks.length)));
  }

  private put(at: number, bytes: number, alignment: number): void {
    if (at === 0) return;
    expect(at % alignment).toBe(0);
    const stamp = 1 + (this.count++ % 255);
    this.heap.u8(at, bytes).fill(stamp);
    this.blocks.push({ at, bytes, alignment, stamp, depth: this.marks.length });
  }

  private resize(block: Block | undefined, bytes: number): void {
    if (block === undefined) return;
    const moved = this.arena.reallocate(block.at, block.bytes, bytes, block.alignment);
    if (moved === 0) {
      expect(bytes).toBeGreaterThan(block.bytes);
      return;
    }
    expect(moved % block.alignment).toBe(0);
    const kept = this.heap.u8(moved, Math.min(bytes, block.bytes));
    expect(kept.every((byte) => byte === block.stamp)).toBe(true);
    // Of an empty block nothing was there before.
    if (moved !== block.at || block.bytes === 0) block.depth = this.marks.length;
    if (bytes > block.bytes)
      expect(block.depth, "what grew in place was made since the mark").toBe(this.marks.length);
    block.at = moved;
    block.bytes = bytes;
    this.heap.u8(moved, bytes).fill(block.stamp);
  }

  /** An array from values, between which there are other allocations. */
  private collect(count: number, fails: boolean): void {
    const program = this;
    function* values(): Generator<number> {
      for (let index = 0; index < count; index++) {
        if (index % 7 === 3) program.put(program.arena.allocate(9, 1), 9, 1);
        yield index;
      }
      if (fails) throw new Error("no more values");
    }
    try {
      const made = this.arena.collect(u16, values());
      expect([...made]).toEqual(Array.from({ length: count }, (_, index) => index));
      this.heap.u8(made.ptr, 2 * count).fill(255);
      if (count > 0)
        this.blocks.push({
          at: made.ptr,
          bytes: 2 * count,
          alignment: 2,
          stamp: 255,
          depth: this.marks.length,
        });
    } catch (error) {
      if (!/no more values|no memory/.test(String(error))) throw error;
    }
  }

  /** What a release to a mark, or a reset, must do. */
  private endDown(marks: number, deferred: number): void {
    this.due.push(...this.deferred.splice(deferred).reverse());
    this.marks = this.marks.slice(0, marks);
    this.blocks = this.blocks.filter((block) => block.depth <= marks);
  }

  private expectAgreement(): void {
    expect(this.ran).toEqual(this.due);
    const sorted = this.blocks.filter(({ bytes }) => bytes > 0).sort((a, b) => a.at - b.at);
    for (const [index, block] of sorted.entries()) {
      const bytes = this.heap.u8(block.at, block.bytes);
      expect(bytes.every((byte) => byte === block.stamp)).toBe(true);
      const next = sorted[index + 1];
      if (next) expect(block.at + block.bytes).toBeLessThanOrEqual(next.at);
    }
    expect(this.arena.usedBytes).toBeLessThanOrEqual(this.arena.capacityBytes);
    expect(this.arena.capacityBytes).toBeLessThanOrEqual(this.arena.limit);
  }
}

test("any program of allocations, marks, releases, resets and destructors does what the lists say", () => {
  const program = fc.array(call, { maxLength: 120, size: "max" });
  const limit = fc.option(fc.integer({ min: 64, max: 20_000 }), { nil: undefined });
  const chunkBytes = fc.constantFrom(64, 100, 1024);
  const property = fc.property(chunkBytes, limit, program, (first, most, calls) =>
    new Program(first, most).run(calls),
  );
  fc.assert(property, { seed, numRuns: 150, interruptAfterTimeLimit: 30_000 });
});
