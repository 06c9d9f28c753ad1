// Calls: what a random program may do to a heap, and how it is done to a heap and its shadow at once.
//
// Owns:  the arbitraries for calls, their sizes and options; what each call must do.
// Needs: fast-check, the shadow.
//
// A call names a live block by any number; it is taken modulo the count of live ones. So every list of calls is a
// program, and a shrunk list still is.

import fc from "fast-check";
import type { HeapSettings } from "morecore";
import { expect } from "vitest";
import type { AnyHeap } from "./any-heap.ts";
import type { Block, Shadow } from "./shadow.ts";

export type Call =
  | { readonly do: "malloc" | "calloc" | "independentCalloc"; readonly count: number; readonly bytes: number }
  | {
      readonly do: "memalign" | "alignedAlloc" | "posixMemalign";
      readonly alignmentLog2: number;
      readonly bytes: number;
    }
  | { readonly do: "independentComalloc"; readonly sizes: readonly number[] }
  | {
      readonly do: "realloc" | "reallocInPlace" | "reallocarray";
      readonly which: number;
      readonly count: number;
      readonly bytes: number;
    }
  | { readonly do: "free" | "freeSized" | "freeAlignedSized" | "usableSize"; readonly which: number }
  | { readonly do: "bulkFree" | "freeMany"; readonly which: number; readonly count: number }
  | { readonly do: "trim"; readonly pad: number }
  | { readonly do: "othersGrow" }
  | { readonly do: "set"; readonly settings: Partial<HeapSettings> };

const MAX_REQUEST = 2 ** 31 - 1;
const WASM_PAGE = 65_536;
/** What others write into the memory that they got. */
const FOREIGN = 0xee;

/** Edges of granules, of small sizes, of powers of two and of pages, one to either side. */
const EDGES = [
  ...[0, 1, 11, 12, 13, 15, 16, 17, 28, 29, 32, 33, 48, 64, 65, 240, 241, 255, 256, 257, 268, 269],
  ...[272, 273, 480, 481, 495, 496, 497],
  ...[512, 513, 576, 960, 961, 1024, 1025],
  ...[492, 493, 508, 1019, 1020, 1021, 1036, 4096, 65_520, 70_000],
];
const HUGE = [MAX_REQUEST - 20, MAX_REQUEST - 1, MAX_REQUEST, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];

const size = fc.oneof(
  { weight: 5, arbitrary: fc.nat(560) },
  { weight: 5, arbitrary: fc.constantFrom(...EDGES) },
  { weight: 3, arbitrary: fc.nat(4096) },
  { weight: 1, arbitrary: fc.nat(100_000) },
  { weight: 1, arbitrary: fc.constantFrom(...HUGE) },
);
const count = fc.oneof(
  { weight: 8, arbitrary: fc.nat(6) },
  { weight: 1, arbitrary: fc.constantFrom(...HUGE) },
);
/** So many blocks that they fill a slab and begin the next. */
const many = fc.oneof({ weight: 3, arbitrary: fc.nat(6) }, { weight: 1, arbitrary: fc.nat(120) });
const which = fc.nat(1000);
const alignmentLog2 = fc.oneof({ weight: 6, arbitrary: fc.nat(8) }, { weight: 1, arbitrary: fc.nat(17) });
const name = <T extends string>(...names: T[]): fc.Arbitrary<T> => fc.constantFrom(...names);

/** Settings at their edges. `most` stands for "no footprint limit", in memories that would never end. */
export function settings(most: number): fc.Arbitrary<Partial<HeapSettings>> {
  return fc.oneof(
    fc.record({ smallLimit: fc.constantFrom(0, 16, 32, 64, 240, 256, 272, 480, 496, 512, 592, 1024) }),
    fc.record({ footprintLimit: fc.constantFrom(0, 4096, 8192, 100_000, 300_000, most, most) }),
    fc.record({ trimThreshold: fc.constantFrom(0, 4096, 100_000, Number.POSITIVE_INFINITY) }),
    fc.record({ growthStep: fc.constantFrom(4096, 8192, 65_536, 131_072, 1 << 20) }),
    fc.record({ advance: fc.constantFrom(0, 1 / 256, 1 / 2, 1) }),
    fc.record({ zeroSizeRealloc: fc.constantFrom("alloc" as const, "free" as const) }),
  );
}

/** A call, drawn so that a program of them allocates a little more than it frees. */
export function call(most: number): fc.Arbitrary<Call> {
  return fc.oneof(
    { weight: 10, arbitrary: fc.record({ do: name("malloc"), count: fc.constant(1), bytes: size }) },
    { weight: 4, arbitrary: fc.record({ do: name("calloc", "independentCalloc"), count, bytes: size }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: name("memalign", "alignedAlloc", "posixMemalign"),
        alignmentLog2,
        bytes: size,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: name("independentComalloc"), sizes: fc.array(size, { maxLength: 5 }) }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: name("realloc", "reallocInPlace", "reallocarray"),
        which,
        count,
        bytes: size,
      }),
    },
    {
      weight: 12,
      arbitrary: fc.record({ do: name("free", "freeSized", "freeAlignedSized", "usableSize"), which }),
    },
    { weight: 1, arbitrary: fc.record({ do: name("malloc"), count: many, bytes: fc.nat(1024) }) },
    { weight: 2, arbitrary: fc.record({ do: name("bulkFree", "freeMany"), which, count: many }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: name("trim"), pad: fc.constantFrom(0, 1000, 100_000, 2 ** 32 - 1) }),
    },
    { weight: 1, arbitrary: fc.record({ do: name("othersGrow") }) },
    { weight: 2, arbitrary: fc.record({ do: name("set"), settings: settings(most) }) },
  );
}

/** A heap, its shadow, and the pages that others have got in the same memory. */
export class Program {
  readonly heap: AnyHeap;
  readonly shadow: Shadow;
  /** The most bytes of a single request that a growing memory must serve; -1 for a memory that need not serve any. */
  private readonly certain: number;
  private readonly foreign: number[] = [];

  constructor(shadow: Shadow, certain: number) {
    this.heap = shadow.heap;
    this.shadow = shadow;
    this.certain = certain;
  }

  run(calls: readonly Call[]): void {
    for (const each of calls) {
      this.perform(each);
      this.heap.check();
    }
    this.shadow.expectAgreement();
    this.shadow.finish();
    this.expectForeignPagesIntact();
  }

  private perform(each: Call): void {
    const { heap, shadow } = this;
    switch (each.do) {
      case "malloc":
        for (let index = 0; index < each.count; index++) this.took(heap.malloc(each.bytes), each.bytes);
        return;
      case "calloc":
        this.took(heap.calloc(each.count, each.bytes), each.count * each.bytes, 16, true);
        return;
      case "independentCalloc":
        this.tookAll(
          heap.independentCalloc(each.count, each.bytes),
          // A refused count may be too long for an array of its own.
          () => Array.from({ length: each.count }, () => each.bytes),
          true,
        );
        return;
      case "independentComalloc":
        this.tookAll(heap.independentComalloc(each.sizes), () => each.sizes, false);
        return;
      case "memalign":
      case "alignedAlloc":
        this.took(heap[each.do](2 ** each.alignmentLog2, each.bytes), each.bytes, 2 ** each.alignmentLog2);
        return;
      case "posixMemalign":
        this.posixMemalign(2 ** each.alignmentLog2, each.bytes);
        return;
      case "realloc":
      case "reallocInPlace":
      case "reallocarray":
        this.resize(each.do, this.pick(each.which), each.count, each.bytes);
        return;
      case "free":
      case "freeSized":
      case "freeAlignedSized":
      case "usableSize":
        this.one(each.do, this.pick(each.which));
        return;
      case "bulkFree":
      case "freeMany": {
        const from = each.which % Math.max(shadow.list.length, 1);
        const blocks = shadow.list.slice(from, from + each.count);
        for (const block of blocks) shadow.remove(block);
        if (each.do === "bulkFree") heap.bulkFree(blocks.flatMap(({ ptr }) => [ptr, 0]));
        else for (const { ptr } of blocks) heap.free(ptr);
        return;
      }
      case "trim": {
        const before = heap.footprint;
        expect(heap.trim(each.pad)).toBe(heap.footprint < before);
        return;
      }
      case "othersGrow":
        this.othersGrow();
        return;
      case "set":
        Object.assign(heap.options, each.settings);
        expect(heap.options).toMatchObject(each.settings);
        return;
    }
  }

  private pick(which: number): Block | undefined {
    const list = this.shadow.list;
    return list[which % Math.max(list.length, 1)];
  }

  protected took(ptr: number, bytes: number, alignment = 16, zero = false): void {
    if (ptr === 0) {
      this.expectRefusable(bytes, alignment);
      return;
    }
    if (zero) this.shadow.addZero(ptr, bytes, alignment);
    else this.shadow.add(ptr, bytes, alignment);
  }

  private tookAll(ptrs: number[] | undefined, sizes: () => readonly number[], zero: boolean): void {
    if (ptrs === undefined) return;
    const list = sizes();
    expect(ptrs.length).toBe(list.length);
    ptrs.forEach((ptr, index) => {
      const bytes = list[index] ?? 0;
      if (zero) this.shadow.addZero(ptr, bytes);
      else this.shadow.add(ptr, bytes);
    });
  }

  private posixMemalign(alignment: number, bytes: number): void {
    const { heap, shadow } = this;
    const result = heap.malloc(4);
    if (result === 0) return;
    heap.u32(result, 1)[0] = 12345;
    const code = heap.posixMemalign(result, alignment, bytes);
    const stored = heap.u32(result, 1)[0] ?? 0;
    heap.free(result);
    if (code === 0) shadow.add(stored, bytes, alignment);
    else {
      expect(stored, "a failed posix_memalign leaves the result alone").toBe(12345);
      expect(code, "EINVAL below a pointer's size, else ENOMEM").toBe(alignment < 4 ? 22 : 12);
    }
  }

  private resize(
    how: "realloc" | "reallocInPlace" | "reallocarray",
    block: Block | undefined,
    times: number,
    each: number,
  ): void {
    const { heap, shadow } = this;
    const ptr = block?.ptr ?? 0;
    const bytes = how === "reallocarray" ? times * each : each;
    const moved = how === "reallocarray" ? heap.reallocarray(ptr, times, each) : heap[how](ptr, bytes);
    if (block === undefined) {
      if (how === "reallocInPlace") expect(moved).toBe(0);
      else this.took(moved, bytes);
    } else if (moved !== 0) {
      if (how === "reallocInPlace") expect(moved).toBe(block.ptr);
      shadow.move(block, moved, bytes);
    } else if (how !== "reallocInPlace" && bytes === 0) {
      expect(heap.options.zeroSizeRealloc, "only an option makes realloc(p, 0) return 0").toBe("free");
      shadow.blocks.delete(block.ptr);
    } else {
      if (how !== "reallocInPlace") this.expectRefusable(bytes, 16);
      expect(bytes, "a block never fails to shrink").toBeGreaterThan(block.usable);
      shadow.verify(block);
      expect(heap.usableSize(ptr)).toBe(block.usable);
    }
  }

  private one(how: "free" | "freeSized" | "freeAlignedSized" | "usableSize", block: Block | undefined): void {
    const { heap, shadow } = this;
    const ptr = block?.ptr ?? 0;
    const bytes = block?.bytes ?? 0;
    if (how === "usableSize") {
      expect(heap.usableSize(ptr)).toBe(block?.usable ?? 0);
      return;
    }
    if (block !== undefined) shadow.remove(block);
    if (how === "free") heap.free(ptr);
    else if (how === "freeSized") heap.freeSized(ptr, bytes);
    else heap.freeAlignedSized(ptr, 16, bytes);
  }

  /** Someone else takes a page of the memory. The heap must go on behind it and leave it alone. */
  private othersGrow(): void {
    const from = this.heap.memory.grow(WASM_PAGE);
    if (from === 0) return;
    new Uint8Array(this.heap.memory.buffer, from, WASM_PAGE).fill(FOREIGN);
    this.foreign.push(from);
  }

  private expectForeignPagesIntact(): void {
    for (const from of this.foreign) {
      const page = new Uint32Array(this.heap.memory.buffer, from, WASM_PAGE / 4);
      expect(page.every((word) => word === 0xeeee_eeee)).toBe(true);
    }
  }

  /** A request was answered with 0: asserts that memory was not to be had. */
  protected expectRefusable(bytes: number, alignment: number): void {
    if (bytes > MAX_REQUEST) return;
    const { footprint, footprintLimit } = this.heap;
    const limited = footprintLimit <= footprint + 2 * (bytes + alignment) + 100_000;
    if (!limited) expect(bytes, "memory was to be had").toBeGreaterThan(this.certain);
  }
}
