// Images of heaps with a few words overwritten: attach, check, and whatever is called next end, with a result or with an error
// of the heap's own. In JavaScript the kernel's steps are counted; the kernel in wasm is of the same sources.

import { HeapCorruptError, HeapFormatError, HeapMisuseError } from "morecore";
import { describe, expect, test, vi } from "vitest";
import { Heap } from "../../packages/morecore/src/heap/either.ts";
import type * as Plain from "../../packages/morecore/src/kernel/machine.ts";
import { type HeapImage, heapImage } from "../../packages/morecore/test/kernel/led-image.ts";
import { allowSteps } from "../support/bounded-machine.ts";
import { mutatedWord, pick } from "../support/mutate.ts";
import { randomFrom } from "../support/random.ts";
import { roundsOf, seedOf } from "../support/seed.ts";

vi.mock("../../packages/morecore/src/kernel/machine.ts", async (original: () => Promise<typeof Plain>) => {
  const { boundedMachine } = await import("../support/bounded-machine.ts");
  return boundedMachine(original);
});

const IMAGES = roundsOf(400);
const CALLS = 24;
/** For each word of the memory; a walk takes some twenty for each chunk, and mallinfo walks seven times. */
const STEPS_A_WORD = 40;

const seed = seedOf("images", 12);
const image = heapImage(randomFrom(seed));

/** The image with one to four words overwritten. */
function damaged(random: (bound: number) => number, { bytes, led }: HeapImage): Uint8Array {
  const copy = bytes.slice();
  const words = new Uint32Array(copy.buffer);
  for (let count = 1 + random(4); count > 0; count--) {
    const at = pick(random, pick(random, Object.values(led)));
    words[at >>> 2] = mutatedWord(random, words[at >>> 2] ?? 0, pick(random, Object.values(led)));
  }
  return copy;
}

/** Calls a function; true: it gave a result or an error of the heap's. Anything else fails the test. */
function isAnswered(call: () => unknown): boolean {
  allowSteps(STEPS_A_WORD * (image.bytes.length / 4));
  try {
    call();
    return true;
  } catch (error) {
    const isOurs =
      error instanceof HeapCorruptError ||
      error instanceof HeapMisuseError ||
      error instanceof HeapFormatError;
    if (!isOurs) throw error;
    return false;
  } finally {
    allowSteps(Number.POSITIVE_INFINITY);
  }
}

/** One of all that can be called on a heap. */
function callSomething(random: (bound: number) => number, heap: Heap, blocks: number[]): void {
  const ptr = random(8) === 0 ? random(2 ** 32) : pick(random, blocks);
  const bytes = random(3) === 0 ? random(70_000) : random(600);
  const keep = (got: number): void => {
    expect(got >>> 0, "an address").toBe(got);
    if (got !== 0) blocks.push(got);
  };
  const calls: readonly (() => void)[] = [
    () => keep(heap.malloc(bytes)),
    () => keep(heap.malloc(bytes)),
    () => heap.free(ptr),
    () => heap.free(ptr),
    () => heap.free(ptr),
    () => keep(heap.realloc(ptr, bytes)),
    () => keep(heap.realloc(ptr, bytes)),
    () => keep(heap.calloc(1 + random(4), bytes)),
    () => keep(heap.memalign(2 ** random(14), bytes)),
    () => keep(heap.reallocInPlace(ptr, bytes)),
    () => heap.freeSized(ptr, bytes),
    () => expect(heap.usableSize(ptr)).toBeGreaterThanOrEqual(0),
    () => expect(heap.goodSize(bytes)).toBeGreaterThanOrEqual(0),
    () => heap.independentCalloc(random(9), bytes)?.forEach(keep),
    () => heap.independentComalloc([bytes, 1, 40])?.forEach(keep),
    () => heap.bulkFree([ptr, pick(random, blocks), pick(random, blocks)]),
    () => heap.trim(random(5000)),
    () => heap.mallinfo(),
    () => heap.inspectAll(() => {}),
    () => {
      heap.options.smallLimit = 16 * random(32);
    },
    () => heap.check(),
  ];
  pick(random, calls)();
}

function tryImage(random: (bound: number) => number, memory: ArrayBuffer | WebAssembly.Memory): boolean {
  let heap: Heap | undefined;
  const attached = isAnswered(() => {
    heap = Heap.attach(memory, image.base);
  });
  if (!attached || heap === undefined) return false;
  const found = heap;
  const isSound = isAnswered(() => found.check());
  const blocks = [...image.live];
  for (let call = 0; call < CALLS; call++) isAnswered(() => callSomething(random, found, blocks));
  return isSound;
}

/** A WebAssembly.Memory with these bytes, which may grow a little. */
function wasmMemoryOf(bytes: Uint8Array): WebAssembly.Memory {
  const pages = bytes.length / 65_536;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages + 4 });
  new Uint8Array(memory.buffer).set(bytes);
  return memory;
}

describe("a damaged image of a heap leads to results and errors of the heap's, and to no loop", () => {
  test(`in JavaScript, ${IMAGES} times`, () => {
    let refused = 0;
    for (let round = 0; round < IMAGES; round++) {
      const random = randomFrom(seed + round);
      const bytes = damaged(random, image);
      try {
        if (!tryImage(random, bytes.buffer as ArrayBuffer)) refused++;
      } catch (error) {
        throw new Error(`MORECORE_SEED=${seed}, round ${round}`, { cause: error });
      }
    }
    expect(refused).toBeGreaterThan(IMAGES / 2);
  });

  test(`in WebAssembly, ${IMAGES} times`, () => {
    for (let round = 0; round < IMAGES; round++) {
      const random = randomFrom(seed + round);
      const bytes = damaged(random, image);
      try {
        tryImage(random, wasmMemoryOf(bytes));
      } catch (error) {
        throw new Error(`MORECORE_SEED=${seed}, round ${round}`, { cause: error });
      }
    }
  });
});
