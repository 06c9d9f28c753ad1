// Slots: 16 384 values that are found by keys which outlive them: looked up at random, and replaced at random.
//
// What users would pick: a Map from ever new numbers, and an array whose free places are listed, with a version in each place.

import { f64, Heap, type Key, moveTo, SlotMap, struct } from "morecore";
import type { LoopGroup, Run } from "./loop.ts";

const COUNT = 1 << 14;
const MASK = COUNT - 1;

const Body = struct({ x: f64, mass: f64 }, { name: "Body" });

interface PlainBody {
  x: number;
  readonly mass: number;
}

/** One way to keep them. */
interface Keeper<K> {
  insert(x: number): K;
  remove(key: K): void;
  /** Adds the mass to x, and gives x. */
  touch(key: K): number;
}

function slotMap(): Keeper<Key<typeof Body>> {
  const heap = Heap.create();
  const map = new SlotMap(heap, Body);
  const at = heap.cursor(Body);
  return {
    insert: (x) => map.insert({ x, mass: 1.5 }),
    remove: (key) => map.remove(key),
    touch: (key) => {
      moveTo(at, map.ptrOf(key));
      at.x += at.mass;
      return at.x;
    },
  };
}

function plainMap(): Keeper<number> {
  const map = new Map<number, PlainBody>();
  let last = 0;
  return {
    insert: (x) => {
      last += 1;
      map.set(last, { x, mass: 1.5 });
      return last;
    },
    remove: (key) => map.delete(key),
    touch: (key) => {
      const body = map.get(key);
      if (body === undefined) return 0;
      body.x += body.mass;
      return body.x;
    },
  };
}

/** A key is a place and its version, as SlotMap's are, in one number: 2^20 places. */
function freeList(): Keeper<number> {
  const places: (PlainBody | undefined)[] = [];
  const versions: number[] = [];
  const free: number[] = [];
  const PLACES = 1 << 20;
  const find = (key: number): number => {
    const place = key % PLACES;
    return versions[place] === Math.floor(key / PLACES) ? place : -1;
  };
  return {
    insert: (x) => {
      const place = free.pop() ?? places.length;
      places[place] = { x, mass: 1.5 };
      versions[place] ??= 0;
      return (versions[place] as number) * PLACES + place;
    },
    remove: (key) => {
      const place = find(key);
      if (place < 0) return;
      places[place] = undefined;
      versions[place] = (versions[place] as number) + 1;
      free.push(place);
    },
    touch: (key) => {
      const body = places[find(key)];
      if (body === undefined) return 0;
      body.x += body.mass;
      return body.x;
    },
  };
}

/** A place in the list of keys, scattered by Fibonacci hashing. */
function scattered(i: number): number {
  return (Math.imul(i, 0x9e37_79b1) >>> 7) & MASK;
}

function lookUp<K>(keeper: Keeper<K>): Run {
  const keys: K[] = [];
  for (let i = 0; i < COUNT; i++) keys.push(keeper.insert(i));
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += keeper.touch(keys[scattered(i)] as K);
    return sum;
  };
}

function replace<K>(keeper: Keeper<K>): Run {
  const keys: K[] = [];
  for (let i = 0; i < COUNT; i++) keys.push(keeper.insert(i));
  return (count) => {
    for (let i = 0; i < count; i++) {
      const place = scattered(i);
      keeper.remove(keys[place] as K);
      keys[place] = keeper.insert(i);
    }
    return keeper.touch(keys[0] as K);
  };
}

export const slots: LoopGroup = {
  title: `Slots: ns for one of ${COUNT} values by its key`,
  loops: [
    {
      name: "look up and change",
      variants: {
        SlotMap: () => lookUp(slotMap()),
        Map: () => lookUp(plainMap()),
        "array and free list": () => lookUp(freeList()),
      },
    },
    {
      name: "remove and insert",
      variants: {
        SlotMap: () => replace(slotMap()),
        Map: () => replace(plainMap()),
        "array and free list": () => replace(freeList()),
      },
    },
  ],
};
