// HashMap: a process ends between any two stores of any call; who opens the file finds the map before the call, or after it.

import { expect, it } from "vitest";
import { randomFrom } from "../../../../test/support/random.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import { expectWhole } from "../../../../test/support/torn-container.ts";
import { tearableHeap } from "../../../../test/support/torn-stores.ts";
import { f64, HashMap, type Heap, i32, type Ptr, struct, type Type, text, u8 } from "../../src/index.ts";

const CALLS = 30;
const Named = struct({ name: text, at: struct({ x: f64, y: f64 }) }, { name: "Named" });
const Cell = struct({ small: u8, name: text }, { name: "Cell" });

interface Kinds<K extends Type, V extends Type> {
  readonly key: K;
  readonly value: V;
  readonly keyFor: (number: number) => never;
  readonly valueFor: (number: number) => never;
}

function kinds<K extends Type, V extends Type>(
  key: K,
  value: V,
  keyFor: (number: number) => unknown,
  valueFor: (number: number) => unknown,
): Kinds<K, V> {
  return { key, value, keyFor, valueFor } as Kinds<K, V>;
}

const nameOf = (number: number): string => (number % 5 === 0 ? "" : `name ${number} `.repeat(number % 4));
const KINDS = [
  [
    "numbers",
    kinds(
      i32,
      f64,
      (n) => n,
      (n) => n / 3,
    ),
  ],
  ["texts", kinds(text, text, (n) => `key ${n}`, nameOf)],
  [
    "structs",
    kinds(
      Cell,
      Named,
      (n) => ({ small: n, name: nameOf(n) }),
      (n) => ({ name: nameOf(n), at: { y: n } }),
    ),
  ],
] as const;

/** A call on a map, and how it is called. */
function anyCall<K extends Type, V extends Type>(
  map: HashMap<K, V>,
  { keyFor, valueFor }: Kinds<K, V>,
  random: (bound: number) => number,
): [name: string, act: () => void] {
  const [key, value] = [random(14), random(1000)];
  const kind = random(20);
  if (kind < 9) return [`set ${key}`, () => map.set(keyFor(key), valueFor(value))];
  if (kind < 11) return [`replace ${key}`, () => map.replace(keyFor(key), valueFor(value))];
  if (kind < 18) return [`delete ${key}`, () => map.delete(keyFor(key))];
  if (kind === 18) return [`reserve ${map.size + 3}`, () => map.reserve(map.size + 3)];
  return ["clear", () => map.clear()];
}

it.each(KINDS)("any call on a map of %s is whole or not there, wherever it is cut short", (name, of) => {
  const random = randomFrom(seedOf(`torn hash map, ${name}`));
  const heap = tearableHeap(1 << 14);
  const { key, value, keyFor, valueFor } = of as unknown as Kinds<typeof i32, typeof f64>;
  const map = new HashMap(heap, key, value);
  const ptr: Ptr<HashMap<typeof i32, typeof f64>> = map.ptr;
  const attach = (there: Heap): HashMap<typeof i32, typeof f64> => HashMap.attach(there, key, value, ptr);
  const stateOf = (there: Heap): string => {
    const again = attach(there);
    again.check();
    const state = JSON.stringify(again);
    for (let number = 0; number < 20; number += 3) again.set(keyFor(number), valueFor(number));
    for (let number = 0; number < 20; number += 2) again.delete(keyFor(number));
    again.check();
    again.dispose();
    there.check();
    return state;
  };
  let states = 0;
  for (let index = 0; index < CALLS; index++) {
    const [call, act] = anyCall(map, { key, value, keyFor, valueFor }, random);
    states += expectWhole(heap, { attach, stateOf }, call, act);
    map.check();
  }
  console.log(`torn hash map of ${name}: ${states} states`);
  expect(states).toBeGreaterThan(100);
});

it("a map that is disposed of loses memory at worst, wherever that is cut short", () => {
  const heap = tearableHeap(1 << 14);
  const map = new HashMap(heap, text, Named);
  for (let number = 0; number < 9; number++) map.set(`key ${number}`, { name: nameOf(number) });
  const ptr = map.ptr;
  const attach = (there: Heap): HashMap<typeof text, typeof Named> | undefined =>
    there.u32(ptr, 1)[0] === 0 ? undefined : HashMap.attach(there, text, Named, ptr);
  const stateOf = (there: Heap): string => {
    const again = attach(there);
    again?.check();
    const state = JSON.stringify(again?.size ?? 0);
    again?.dispose();
    there.check();
    return state;
  };
  expect(expectWhole(heap, { attach, stateOf }, "dispose", () => map.dispose())).toBeGreaterThan(20);
});
