// Containers whose headers or blocks were damaged: attach refuses them, or gives one whose calls end, with results and errors
// of the library's own.

import { Columns, HashMap, Heap, HeapCorruptError, HeapMisuseError, HeapString, Vec } from "morecore";
import { describe, expect, test } from "vitest";
import {
  OutOfMemoryError,
  PointerError,
  UseAfterFreeError,
} from "../../packages/morecore/src/typed/errors.ts";
import { f64, struct, text, u8, u32 } from "../../packages/morecore/src/typed/index.ts";
import { mutatedWord, pick } from "../support/mutate.ts";
import { randomFrom } from "../support/random.ts";
import { roundsOf, seedOf } from "../support/seed.ts";

type Random = (bound: number) => number;

const ROUNDS = roundsOf(800);
const seed = seedOf("containers", 4);
const Point = struct({ x: f64, y: u32, tag: u8 });
const OURS = [OutOfMemoryError, PointerError, UseAfterFreeError, HeapMisuseError, HeapCorruptError];

/** What was made in a heap, how it is attached to, and what can be called on it then. */
interface Kind {
  readonly make: (heap: Heap) => { readonly ptr: number };
  readonly headerBytes: number;
  readonly attach: (heap: Heap, ptr: never) => readonly (() => unknown)[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  Vec: {
    make: (heap) => {
      const vec = new Vec(heap, u32);
      for (let value = 0; value < 20; value++) vec.push(value);
      return vec;
    },
    headerBytes: 20,
    attach: (heap, ptr) => {
      const vec = Vec.attach(heap, u32, ptr);
      return [
        () => vec.at(0),
        () => vec.at(-1),
        () => vec.push(1),
        () => vec.pop(),
        () => vec.insert(0, 7),
        () => vec.shrinkToFit(),
        () => vec.clear(),
        () => vec.dispose(),
      ];
    },
  },
  Columns: {
    make: (heap) => {
      const columns = new Columns(heap, Point);
      for (let value = 0; value < 20; value++) columns.push({ x: value, y: value, tag: 1 });
      return columns;
    },
    headerBytes: 32,
    attach: (heap, ptr) => {
      const columns = Columns.attach(heap, Point, ptr);
      return [
        () => (columns.length > 0 ? columns.at(0).x : 0),
        () => columns.column("y"),
        () => columns.push({ x: 1, y: 2, tag: 3 }),
        () => columns.pop(),
        () => columns.clear(),
        () => columns.dispose(),
      ];
    },
  },
  HeapString: {
    make: (heap) => new HeapString(heap, "a text of some length, for a header and a block"),
    headerBytes: 20,
    attach: (heap, ptr) => {
      const text = HeapString.attach(heap, ptr);
      return [
        () => text.length,
        () => text.append("more"),
        () => text.indexOf("text"),
        () => text.hash(),
        () => text.clear(),
        () => text.dispose(),
      ];
    },
  },
  HashMap: {
    make: (heap) => {
      const map = new HashMap(heap, text, u32);
      for (let value = 0; value < 20; value++) map.set(`key ${value}`, value);
      map.delete("key 3");
      return map;
    },
    headerBytes: 56,
    attach: (heap, ptr) => {
      const map = HashMap.attach(heap, text, u32, ptr);
      return [
        () => map.get("key 1"),
        () => map.get("no key"),
        () => map.set("key 2", 3),
        () => map.set("another key", 3),
        () => map.delete("key 4"),
        () => map.has("key 5"),
        () => map.clear(),
        () => map.dispose(),
      ];
    },
  },
};

/** True: a result; false: an error of ours. Any other fails the test. */
function isResult(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (OURS.some((one) => error instanceof one)) return false;
    throw error;
  }
}

function tryOne(random: Random, { make, headerBytes, attach }: Kind): boolean {
  const buffer = new ArrayBuffer(1 << 15);
  const heap = Heap.create({ memory: buffer });
  const { ptr } = make(heap);
  const words = new Uint32Array(buffer);
  const block = words[(ptr + 8) >>> 2] ?? 0;
  for (let count = random(3); count >= 0; count--) {
    const inHeader = random(3) > 0;
    const at = (inHeader ? ptr + 4 * random(headerBytes / 4) : block + 4 * random(160)) >>> 2;
    words[at] = mutatedWord(random, words[at] ?? 0, [0, 1, ptr, block, 64]);
  }
  let calls: readonly (() => unknown)[] = [];
  const attached = isResult(() => {
    calls = attach(heap, ptr as never);
  });
  for (let count = 0; attached && count < 12; count++) isResult(pick(random, calls));
  return attached;
}

describe.each(Object.entries(KINDS))("a damaged %s", (_, kind) => {
  test(`is refused by attach, or its calls end, ${ROUNDS} times`, () => {
    let attached = 0;
    for (let round = 0; round < ROUNDS; round++) {
      try {
        if (tryOne(randomFrom(seed + round), kind)) attached++;
      } catch (error) {
        throw new Error(`MORECORE_SEED=${seed}, round ${round}`, { cause: error });
      }
    }
    expect(attached).toBeGreaterThan(0);
    expect(attached).toBeLessThan(ROUNDS);
  });
});
