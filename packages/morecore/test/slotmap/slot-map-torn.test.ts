// SlotMap: a process ends between any two stores of any call; who opens the file finds the map before the call, or after it.

import { expect, it } from "vitest";
import { randomFrom } from "../../../../test/support/random.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import { expectWhole } from "../../../../test/support/torn-container.ts";
import { tearableHeap } from "../../../../test/support/torn-stores.ts";
import { type Heap, type Key, SlotMap, struct, text, u32 } from "../../src/index.ts";

const CALLS = 40;
const Item = struct({ name: text, number: u32 }, { name: "Item" });
type ItemKey = Key<typeof Item>;

const nameOf = (number: number): string => `name ${number} `.repeat(number % 4);

/** A call on a map, and how it is called. */
function anyCall(
  map: SlotMap<typeof Item>,
  random: (bound: number) => number,
): [name: string, act: () => void] {
  const keys = [...map.keys()];
  const key = keys[random(keys.length)];
  const value = { name: nameOf(random(100)), number: random(100) };
  const kind = random(20);
  if (key === undefined || kind < 9) return ["insert", () => void map.insert(value)];
  if (kind < 11) return [`replace ${key}`, () => void map.replace(key, { number: value.number })];
  if (kind < 12) return [`set ${key}`, () => void map.set(key, { number: value.number })];
  if (kind < 18) return [`remove ${key}`, () => void map.remove(key)];
  if (kind === 18) return [`reserve ${map.size + 5}`, () => map.reserve(map.size + 5)];
  return ["clear", () => map.clear()];
}

/** What is in a map that is opened, and which keys it gives next. */
function stateOf(heap: Heap, ptr: number): string {
  const map = SlotMap.attach(heap, Item, ptr);
  map.check();
  const values = Array.from(map, ([key, item]) => `${key}: ${item.name}, ${item.number}`);
  const next = [1, 2, 3, 4].map((number) => map.insert({ name: nameOf(number), number }));
  const state = JSON.stringify({ size: map.size, retired: map.retired, values, next });
  for (const key of next) map.remove(key);
  map.check();
  map.dispose();
  heap.check();
  return state;
}

it.each([1, 2, 1000])(
  "any call is whole or not there, wherever it is cut short; slots give %i keys",
  (versionLimit) => {
    const random = randomFrom(seedOf("torn slot map"));
    const heap = tearableHeap(1 << 14);
    const map = new SlotMap(heap, Item, { versionLimit });
    const torn = {
      attach: (there: Heap): void => void SlotMap.attach(there, Item, map.ptr),
      stateOf: (there: Heap): string => stateOf(there, map.ptr),
    };
    let states = 0;
    for (let index = 0; index < CALLS; index++) {
      const [call, act] = anyCall(map, random);
      states += expectWhole(heap, torn, call, act);
      map.check();
    }
    console.log(`torn slot map: ${states} states`);
    expect(states).toBeGreaterThan(100);
  },
);

it("a key that was removed before is good in no state", () => {
  const heap = tearableHeap(1 << 14);
  const map = new SlotMap(heap, Item);
  const old: ItemKey = map.insert({ name: "old" });
  const kept: ItemKey = map.insert({ name: "kept" });
  map.remove(old);
  const torn = {
    attach: (there: Heap): void => void SlotMap.attach(there, Item, map.ptr),
    stateOf: (there: Heap): string => {
      const again = SlotMap.attach(there, Item, map.ptr);
      expect([again.has(old), again.get(kept)?.name]).toEqual([false, "kept"]);
      return "";
    },
  };
  expectWhole(heap, torn, "insert", () => map.insert({ name: "new" }));
});
