// Uses the list, and then does ten thousand random things to it and to an array beside it, which must stay equal.

import assert from "node:assert/strict";
import { Heap, NULL } from "morecore";
import { List } from "./list.mjs";

const heap = Heap.create();
const list = new List(heap);
for (const value of [1, 2, 3, 4, 5]) list.push(value);
console.log("pushed: ", ...list.values());
list.remove(list.next(list.first));
console.log("removed:", ...list.values());
list.insert(list.first, 0.5);
console.log("before: ", ...list.values());
list.reverse();
console.log("turned: ", ...list.values());

const guests = new List(heap);
const nodes = [10, 20, 30, 40].map((value) => guests.push(value));
list.splice(list.next(list.first), guests, nodes[1], nodes[2], 2);
console.log("spliced:", ...list.values(), "| left:", ...guests.values());
console.log("sum:    ", list.sum());
guests.clear();
list.clear();

/** The same numbers in every run (Numerical Recipes' generator), from 0 up to 1. */
let state = 2026;
const random = () => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};

/** The n-th node; NULL is behind the last. */
const nodeAt = (index) => {
  let node = list.first;
  for (let i = 0; i < index && node !== NULL; i++) node = list.next(node);
  return node;
};

const array = [];
const done = { inserted: 0, removed: 0, spliced: 0, reversed: 0 };
for (let step = 0; step < 10_000; step++) {
  const index = Math.floor(random() * (array.length + 1));
  const choice = random();
  if (choice < 0.55) {
    array.splice(index, 0, step);
    list.insert(nodeAt(index), step);
    done.inserted += 1;
  } else if (choice < 0.9 && index < array.length) {
    array.splice(index, 1);
    list.remove(nodeAt(index));
    done.removed += 1;
  } else if (choice < 0.98) {
    const other = new List(heap);
    const values = Array.from({ length: 1 + Math.floor(random() * 5) }, (_, i) => -step - i);
    for (const value of values) other.push(value);
    list.splice(nodeAt(index), other, other.first, other.last, values.length);
    array.splice(index, 0, ...values);
    assert.equal(other.length, 0);
    done.spliced += 1;
  } else {
    array.reverse();
    list.reverse();
    done.reversed += 1;
  }
  if (array.length > 300) {
    array.length = 0;
    list.clear();
  }
  assert.equal(list.length, array.length);
  if (step % 100 === 0) assert.deepEqual([...list.values()], array);
}
assert.deepEqual([...list.values()], array);
console.log(done);

list.clear();
heap.check();
let live = 0;
heap.inspectAll(({ state }) => {
  if (state === "live") live += 1;
});
console.log("equal to an array all the way; blocks left in the heap:", live);
