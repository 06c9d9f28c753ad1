// The kernel in WebAssembly and the kernel in JavaScript are one: the same calls give the same answers and the same bytes.

import fc from "fast-check";
import { Heap } from "morecore";
import { describe, expect, it } from "vitest";
import { seedOf } from "../support/seed.ts";
import { BASE, disguised, newMemory, sameBytes } from "../support/two-kernels.ts";

const seed = seedOf("two-kernels");

/** Requests at the bounds of the smallest size class, of the two largest below the wide ones, of the two largest and of the chunks above. */
const BOUNDS = [0, 16, 17, 240, 256, 257, 480, 496, 497];
/** A request that makes a heap so large that wide blocks, those above 256 bytes, are in slabs, too. */
const LARGE = 1 << 20;
const MOST_AT_ONCE = 64;

const bytes = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...BOUNDS) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 600 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1000, max: 1040 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 100_000 }) },
);
const call = fc.record({
  name: fc.constantFrom(
    "malloc",
    "calloc",
    "memalign",
    "realloc",
    "realloc",
    "free",
    "free",
    "free",
    "trim",
    "many",
    "fill",
    "fill",
    "drain",
    "drain",
  ),
  bytes,
  pick: fc.nat(),
});
type Call = { readonly name: string; readonly bytes: number; readonly pick: number };

/** Makes one call; what it answered. `live` is kept by whoever drives. */
function make(heap: Heap, { name, bytes, pick }: Call, live: readonly number[]): number[] {
  const ptr = live.length === 0 ? 0 : (live[pick % live.length] as number);
  switch (name) {
    case "malloc":
      return [heap.malloc(bytes)];
    case "calloc":
      return [heap.calloc(1, bytes)];
    case "memalign":
      return [heap.memalign(32 << (pick % 8), bytes)];
    case "realloc":
      return [heap.realloc(ptr, bytes)];
    case "free":
      heap.free(ptr);
      return [];
    case "trim":
      return [Number(heap.trim(bytes))];
    case "fill":
      return Array.from({ length: pick % MOST_AT_ONCE }, () => heap.malloc(bytes % 540));
    case "drain":
      for (const each of drained(live, pick)) heap.free(each);
      return [];
    default:
      return heap.independentCalloc(1 + (pick % 5), bytes % 200) ?? [];
  }
}

/** The blocks that "drain" frees: a stretch of those that are live. */
function drained(live: readonly number[], pick: number): readonly number[] {
  const from = live.length === 0 ? 0 : pick % live.length;
  return live.slice(from, from + (pick % MOST_AT_ONCE));
}

function keep(live: number[], { name, pick }: Call, answer: readonly number[]): void {
  const index = live.length === 0 ? -1 : pick % live.length;
  if (name === "drain") live.splice(Math.max(index, 0), drained(live, pick).length);
  if (name === "free" && index >= 0) live.splice(index, 1);
  if (name === "realloc" && index >= 0 && answer[0] !== 0) live[index] = answer[0] as number;
  else if (name !== "free" && name !== "trim") live.push(...answer.filter((ptr) => ptr !== 0));
}

describe("the two kernels", () => {
  it("give the same answers and leave the same bytes, call by call", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(call, { maxLength: 60 }), (isLarge, calls) => {
        const wasm = Heap.create({ memory: newMemory(), base: BASE });
        const script = Heap.create({ memory: disguised(newMemory()), base: BASE });
        for (const heap of isLarge ? [wasm, script] : []) heap.free(heap.malloc(LARGE));
        const live: number[] = [];
        for (const one of calls) {
          const answer = make(wasm, one, live);
          expect(make(script, one, live)).toEqual(answer);
          expect(sameBytes(wasm, script)).toBe(true);
          keep(live, one, answer);
        }
      }),
      { seed, numRuns: 60 },
    );
  });

  it("serve one heap in turn", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(call, { maxLength: 200 }), (isLarge, calls) => {
        const memory = newMemory();
        const wasm = Heap.create({ memory, base: BASE });
        const script = Heap.attach(disguised(memory), BASE);
        if (isLarge) wasm.free(script.malloc(LARGE));
        const live: number[] = [];
        for (const one of calls) {
          const heap = one.pick % 2 === 0 ? wasm : script;
          keep(live, one, make(heap, one, live));
          heap.check();
        }
        wasm.bulkFree(live);
        wasm.trim();
        expect(script.mallinfo().ordblks).toBe(1);
      }),
      { seed, numRuns: 60 },
    );
  });

  it("refuse misuse with the same error", () => {
    const errorOf = (heap: Heap): unknown => {
      const ptr = heap.malloc(40);
      heap.free(ptr);
      try {
        heap.free(ptr);
      } catch (error) {
        return error;
      }
      return undefined;
    };
    const wasm = errorOf(Heap.create({ memory: newMemory(), base: BASE }));
    const script = errorOf(Heap.create({ memory: disguised(newMemory()), base: BASE }));
    expect(wasm).toMatchObject({ name: "HeapMisuseError", code: "double-free" });
    expect(script).toEqual(wasm);
  });
});
