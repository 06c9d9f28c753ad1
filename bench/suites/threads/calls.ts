// Calls: patterns whose loop is in JavaScript, and which call the allocator from there.
//
// Owns:  the loops of programs/c/threads/own.c, larson.c and xmalloc.c in JavaScript.
// Needs: the functions of a module, or morecore.

import { Heap } from "morecore";
import { ThreadInstance } from "./instance.ts";
import type { Part } from "./part.ts";
import type { Order } from "./protocol.ts";

interface Calls {
  malloc(bytes: number): number;
  free(ptr: number): void;
  leave(): void;
}

/** One thread's, in an array that all have. */
interface Hand extends Calls {
  readonly index: number;
  readonly count: number;
  /** SLOTS for each thread. */
  readonly slots: Uint32Array;
  /** For each two threads two counters, and RING batches. */
  readonly ring: Int32Array;
  random: number;
}

const SLOTS = 4096;
const LIVE = 1024;
const BATCH = 128;
const RING = 16;
const LOOKS = 4000;
const RING_WORDS = 64 + RING * BATCH;
const FILLED = 0;
const EMPTIED = 32;

/** What the loops of so many threads keep. */
export function javascriptState(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * threads * (SLOTS + RING_WORDS));
}

export function javascriptPlay(order: Order): Part {
  const { caller, index, among: count, pattern } = order;
  if (caller.kind !== "javascript") throw new Error("the caller is in WebAssembly");
  const slots = new Uint32Array(caller.state, 0, count * SLOTS);
  const ringAt = 4 * (count * SLOTS + (index >>> 1) * RING_WORDS);
  const ring = new Int32Array(caller.state, ringAt, RING_WORDS);
  const random = Math.imul(2654435769, index + 1) | 0;
  const hand: Hand = { ...callsOf(order), index, count, slots, ring, random };
  const loop = LOOPS[pattern];
  if (loop === undefined) throw new Error(`${pattern} is played within wasm only`);
  return {
    begin: () => undefined,
    play: (turn, steps) => loop(hand, turn, steps),
    finish: () => {
      for (let slot = index * SLOTS; slot < (index + 1) * SLOTS; slot++) {
        hand.free(slots[slot] ?? 0);
        slots[slot] = 0;
      }
      hand.leave();
    },
  };
}

function callsOf({ memory, index, caller }: Order): Calls {
  if (caller.kind !== "javascript") throw new Error("the caller is in WebAssembly");
  if ("base" in caller.from) {
    const heap = Heap.attach({ memory, base: caller.from.base });
    return {
      malloc: (bytes) => heap.malloc(bytes),
      free: (ptr) => heap.free(ptr),
      leave: () => heap.dispose(),
    };
  }
  const instance = new ThreadInstance(caller.from.module, memory, index);
  const [malloc, free] = [instance.function("malloc"), instance.function("free")];
  // The other two arguments are none of theirs.
  return {
    malloc: (bytes) => malloc(bytes, 0, 0) >>> 0,
    free: (ptr) => void free(ptr, 0, 0),
    leave: () => instance.leave(),
  };
}

type Loop = (hand: Hand, turn: number, steps: number) => number;

const LOOPS: Readonly<Record<string, Loop>> = {
  "own-small": (hand, _turn, steps) => playOwn(hand, steps, 16, 241),
  "own-chunks": (hand, _turn, steps) => playOwn(hand, steps, 96, 2977),
  larson: playLarson,
  "xmalloc-64": playXmalloc,
};

function drawnBelow(hand: Hand, limit: number): number {
  let x = hand.random;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  hand.random = x;
  return (((x >>> 0) * limit) / 2 ** 32) >>> 0;
}

function replace(hand: Hand, slot: number, bytes: number): void {
  hand.free(hand.slots[slot] ?? 0);
  hand.slots[slot] = taken(hand, bytes);
}

function taken(hand: Hand, bytes: number): number {
  const ptr = hand.malloc(bytes);
  if (ptr === 0) throw new Error("no memory");
  return ptr;
}

function playOwn(hand: Hand, steps: number, least: number, range: number): number {
  const first = hand.index * SLOTS;
  for (let i = 0; i < steps / 2; i++) replace(hand, first + (i % LIVE), least + drawnBelow(hand, range));
  for (let i = 0; i < steps / 2; i++)
    replace(hand, first + drawnBelow(hand, LIVE), least + drawnBelow(hand, range));
  return steps;
}

function playLarson(hand: Hand, turn: number, steps: number): number {
  const first = ((hand.index + turn) % hand.count) * SLOTS;
  for (let i = 0; i < steps; i++) replace(hand, first + drawnBelow(hand, SLOTS), 8 + drawnBelow(hand, 993));
  return steps;
}

function playXmalloc(hand: Hand, _turn: number, steps: number): number {
  const batches = Math.floor(steps / BATCH);
  for (let batch = 0; batch < batches; batch++) {
    if (hand.count === 1) {
      fillBatch(hand, 0);
      emptyBatch(hand, 0);
    } else if (hand.index % 2 === 0) {
      const filled = Atomics.load(hand.ring, FILLED);
      waitWhile(hand.ring, EMPTIED, filled - RING);
      fillBatch(hand, filled % RING);
      step(hand.ring, FILLED);
    } else {
      const emptied = Atomics.load(hand.ring, EMPTIED);
      waitWhile(hand.ring, FILLED, emptied);
      emptyBatch(hand, emptied % RING);
      step(hand.ring, EMPTIED);
    }
  }
  return hand.index % 2 === 0 ? batches * BATCH : 0;
}

function fillBatch(hand: Hand, batch: number): void {
  const first = 64 + batch * BATCH;
  for (let i = 0; i < BATCH; i++) hand.ring[first + i] = taken(hand, 64);
}

function emptyBatch(hand: Hand, batch: number): void {
  const first = 64 + batch * BATCH;
  for (let i = 0; i < BATCH; i++) hand.free((hand.ring[first + i] ?? 0) >>> 0);
}

function waitWhile(ring: Int32Array, counter: number, seen: number): void {
  for (let look = 0; look < LOOKS; look++) if (Atomics.load(ring, counter) !== seen) return;
  while (Atomics.load(ring, counter) === seen) Atomics.wait(ring, counter, seen);
}

function step(ring: Int32Array, counter: number): void {
  Atomics.add(ring, counter, 1);
  Atomics.notify(ring, counter);
}
