// Saved arenas that were damaged: load and attach refuse them, or give one that serves on, with results and errors of its own.

import { Heap, HeapCorruptError, HeapMisuseError } from "morecore";
import { describe, expect, test } from "vitest";
import {
  OffsetAllocator,
  OffsetFormatError,
  OffsetMisuseError,
} from "../../packages/morecore/src/offset/index.ts";
import { HEADER_BYTES, SLOT_BYTES } from "../../packages/morecore/src/slotmap/image.ts";
import { type Key, SlotMap, SlotMapFormatError } from "../../packages/morecore/src/slotmap/index.ts";
import { OutOfMemoryError } from "../../packages/morecore/src/typed/errors.ts";
import { u32 } from "../../packages/morecore/src/typed/index.ts";
import { mutatedBytes, mutatedWord, pick } from "../support/mutate.ts";
import { randomFrom } from "../support/random.ts";
import { roundsOf, seedOf } from "../support/seed.ts";

type Random = (bound: number) => number;

const ROUNDS = roundsOf(1500);
const seed = seedOf("arenas", 3);

function each(body: (random: Random) => void): void {
  for (let round = 0; round < ROUNDS; round++) {
    try {
      body(randomFrom(seed + round));
    } catch (error) {
      throw new Error(`MORECORE_SEED=${seed}, round ${round}`, { cause: error });
    }
  }
}

/** What a call gives, undefined for one of these errors. Any other fails the test. */
function answer<T>(errors: readonly (new (...args: never[]) => Error)[], call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (errors.some((one) => error instanceof one)) return undefined;
    throw error;
  }
}

describe("a damaged image of an OffsetAllocator", () => {
  /** FNV-1a over words, as the image has it: with it, damage comes past the checksum. */
  const seal = (bytes: Uint8Array): void => {
    const view = new DataView(bytes.buffer);
    let sum = 0x811c9dc5;
    for (let at = 12; at + 4 <= bytes.length; at += 4)
      sum = Math.imul(sum ^ view.getUint32(at, true), 0x01000193);
    if (bytes.length >= 12) view.setUint32(8, sum >>> 0, true);
  };

  const image = (random: Random): Uint8Array => {
    const made = new OffsetAllocator(10_000, { tag: 7 });
    const kept = Array.from({ length: 40 }, () => made.allocate(1 + random(300), 1 + random(16)));
    for (const one of kept) if (one !== undefined && random(2) === 0) made.free(one);
    return made.save();
  };

  test(`is refused by load, or is one that can be, ${ROUNDS} times`, () => {
    let loaded = 0;
    each((random) => {
      let bytes = image(random);
      if (random(4) === 0) bytes = mutatedBytes(random, bytes);
      else {
        const view = new DataView(bytes.buffer);
        for (let count = random(3); count >= 0; count--) {
          const at = 4 * random(bytes.length / 4);
          view.setUint32(at, mutatedWord(random, view.getUint32(at, true), [0, 1, 2, 40]), true);
        }
      }
      if (random(8) !== 0) seal(bytes);
      const found = answer([OffsetFormatError], () => OffsetAllocator.load(bytes));
      if (found === undefined) return;
      loaded++;
      found.check();
      for (const { allocation } of [...found.allocations()]) if (random(2) === 0) found.free(allocation);
      for (let count = 0; count < 10; count++) found.allocate(1 + random(500), 1 + random(8));
      answer([OffsetMisuseError], () => found.free(random(2 ** 32) as never));
      found.check();
      expect(OffsetAllocator.load(found.save()).report()).toEqual(found.report());
    });
    expect(loaded).toBeGreaterThan(0);
    expect(loaded).toBeLessThan(ROUNDS / 2);
  });
});

describe("a damaged slot map in a heap", () => {
  test(`is refused by attach, or serves on, ${ROUNDS} times`, () => {
    let attached = 0;
    each((random) => {
      const buffer = new ArrayBuffer(1 << 15);
      const heap = Heap.create({ memory: buffer });
      const made = new SlotMap(heap, u32);
      const keys: Key<typeof u32>[] = [];
      for (let value = 0; value < 30; value++) keys.push(made.insert(value));
      for (const key of keys) if (random(2) === 0) made.remove(key);
      const words = new Uint32Array(buffer);
      const slots = words[(made.ptr + 24) >>> 2] ?? 0;
      const led = [
        Array.from({ length: HEADER_BYTES / 4 }, (_, index) => made.ptr + 4 * index),
        Array.from({ length: (30 * SLOT_BYTES) / 4 }, (_, index) => slots + 4 * index),
      ];
      for (let count = random(2); count >= 0; count--) {
        const at = pick(random, pick(random, led)) >>> 2;
        words[at] = mutatedWord(random, words[at] ?? 0, [0, 1, 30, made.ptr]);
      }
      const found = answer([SlotMapFormatError], () => SlotMap.attach(heap, u32, made.ptr));
      if (found === undefined) return;
      attached++;
      const errors = [OutOfMemoryError, HeapMisuseError, HeapCorruptError, SlotMapFormatError];
      for (let count = 0; count < 20; count++) {
        const key = pick(random, keys);
        const calls: readonly (() => unknown)[] = [
          () => found.get(key),
          () => found.insert(count),
          () => found.insert(count),
          () => found.remove(key),
          () => found.set(key, 5),
          () => [...found],
          () => found.check(),
        ];
        answer(errors, pick(random, calls));
      }
      answer(errors, () => found.dispose());
    });
    expect(attached).toBeGreaterThan(0);
    expect(attached).toBeLessThan(ROUNDS / 2);
  });
});
