// Exhaustive: every program of up to six calls over a small alphabet, in a heap so small that memory runs out.
//
// A depth-first search: the heap's bytes are copied before each call and put back after it, so a program costs one
// call, not its whole length. A heap is nothing but its bytes, so this is all that there is to put back.

import { Heap, type HeapSettings } from "morecore";
import { engine } from "morecore/engine";
import { describe, expect, test } from "vitest";
import { refusingMemory } from "../support/memories.ts";

interface Held {
  readonly ptr: number;
  readonly bytes: number;
  readonly stamp: number;
}

/** One letter: does its call to the heap and to what is held, and says what is held after. */
type Letter = (heap: Heap, held: readonly Held[], stamp: number) => readonly Held[];

const LENGTH = 6;
/** The smallest heap, and room for a few blocks. */
const HEAP_BYTES = engine.minRegion + 320;
/** Room for what a kernel keeps for small blocks, but not for all that the alphabet asks for. */
const HEAP_WITH_SLABS_BYTES = engine.minRegion + 11_984;

const malloc =
  (bytes: number): Letter =>
  (heap, held, stamp) =>
    hold(heap, held, heap.malloc(bytes), bytes, stamp);

const calloc =
  (bytes: number): Letter =>
  (heap, held, stamp) => {
    const ptr = heap.calloc(bytes);
    if (ptr !== 0 && heap.u8(ptr, bytes).some((byte) => byte !== 0))
      throw new Error(`calloc at ${ptr} is dirty`);
    return hold(heap, held, ptr, bytes, stamp);
  };

const memalign =
  (alignment: number, bytes: number): Letter =>
  (heap, held, stamp) => {
    const ptr = heap.memalign(alignment, bytes);
    if (ptr % alignment !== 0) throw new Error(`${ptr} is no multiple of ${alignment}`);
    return hold(heap, held, ptr, bytes, stamp);
  };

const freeFirst: Letter = (heap, held) => free(heap, held, held.at(0));
const freeLast: Letter = (heap, held) => free(heap, held, held.at(-1));

const reallocLast =
  (bytes: number): Letter =>
  (heap, held, stamp) => {
    const block = held.at(-1);
    const ptr = heap.realloc(block?.ptr ?? 0, bytes);
    if (block === undefined) return hold(heap, held, ptr, bytes, stamp);
    verify(heap, {
      ...block,
      ptr: ptr || block.ptr,
      bytes: Math.min(block.bytes, ptr === 0 ? block.bytes : bytes),
    });
    if (ptr === 0) return held;
    return hold(
      heap,
      held.filter((other) => other !== block),
      ptr,
      bytes,
      stamp,
    );
  };

const ALPHABET: readonly Letter[] = [
  malloc(12),
  calloc(60),
  malloc(150),
  memalign(64, 20),
  freeFirst,
  freeLast,
  reallocLast(100),
];

function free(heap: Heap, held: readonly Held[], block: Held | undefined): readonly Held[] {
  if (block === undefined) return held;
  verify(heap, block);
  heap.free(block.ptr);
  return held.filter((other) => other !== block);
}

function hold(heap: Heap, held: readonly Held[], ptr: number, bytes: number, stamp: number): readonly Held[] {
  if (ptr === 0) return held;
  for (const other of held) {
    if (ptr < other.ptr + other.bytes && other.ptr < ptr + bytes)
      throw new Error(`${ptr} lies over ${other.ptr}`);
  }
  heap.u8(ptr, bytes).fill(stamp);
  return [...held, { ptr, bytes, stamp }];
}

function verify(heap: Heap, block: Held): void {
  const bytes = new Uint8Array(heap.memory.buffer, block.ptr, block.bytes);
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== block.stamp) throw new Error(`byte ${at} of the block at ${block.ptr} was overwritten`);
  }
}

/** Plays every program that goes on from here with `left` more calls at most; gives their number. */
function explore(heap: Heap, image: Uint8Array, held: readonly Held[], left: number, path: string): number {
  if (left === 0) return 0;
  const before = image.slice();
  let programs = 0;
  for (const [index, letter] of ALPHABET.entries()) {
    const after = perform(heap, letter, held, path + index);
    programs += 1 + explore(heap, image, after, left - 1, path + index);
    image.set(before);
  }
  return programs;
}

/** One call, and all that must hold after it. The path names the program that failed. */
function perform(heap: Heap, letter: Letter, held: readonly Held[], path: string): readonly Held[] {
  try {
    const after = letter(heap, held, path.length);
    heap.check();
    for (const block of after) verify(heap, block);
    return after;
  } catch (error) {
    throw new Error(`program ${path}: ${String(error)}`, { cause: error });
  }
}

/** The number of words of 1 to `length` letters. */
function wordsUpTo(length: number): number {
  let words = 0;
  for (let letters = 1; letters <= length; letters++) words += ALPHABET.length ** letters;
  return words;
}

describe.each<[string, Partial<HeapSettings>, number, number]>([
  ["that has no room for a slab", {}, HEAP_BYTES, LENGTH],
  ["without slabs", { smallLimit: 0 }, HEAP_BYTES, LENGTH - 1],
  ["with slabs", {}, HEAP_WITH_SLABS_BYTES, LENGTH - 1],
  ["with slabs for the smallest only", { smallLimit: 16 }, HEAP_WITH_SLABS_BYTES, LENGTH - 1],
])("a tiny heap %s", (_, settings, bytes, length) => {
  test(`survives every program of up to ${length} calls`, () => {
    const buffer = new ArrayBuffer(16 + bytes);
    const heap = Heap.create({ memory: refusingMemory(buffer), ...settings });
    const programs = explore(heap, new Uint8Array(buffer), [], length, "");
    expect(programs).toBe(wordsUpTo(length));
  });
});

test("the alphabet makes slabs in the heap that has room for them", () => {
  const heap = Heap.create({ memory: refusingMemory(new ArrayBuffer(16 + HEAP_WITH_SLABS_BYTES)) });
  heap.malloc(12);
  let cached = 0;
  heap.inspectAll(({ state }) => {
    if (state === "cached") cached++;
  });
  expect(cached).toBeGreaterThan(0);
});

test("the alphabet runs out of memory in the tiny heap", () => {
  const heap = Heap.create({ memory: new ArrayBuffer(16 + HEAP_BYTES) });
  const ptrs = Array.from({ length: LENGTH }, () => heap.malloc(150));
  expect(ptrs).toContain(0);
  expect(ptrs[0]).not.toBe(0);
});
