// Torn stores: the stores that a function makes in a heap's memory, one by one, and the memory as any prefix
// of them leaves it. That is what a process leaves in a file that dies between two of them.
//
// Both layers are recorded into one list. The typed one writes through the arrays of the heap's Space, the
// kernel through those of its Machine. For that each array is replaced by a proxy of it. A bulk call (fill,
// set, copyWithin) counts as stores of a word each, in the order in which memmove goes.

import { Heap, HeapCorruptError } from "morecore";
import { asBase, engine, Machine, repairs } from "morecore/engine";
import { bufferMemory } from "../../packages/morecore/src/memory/buffer.ts";
import { SPACE } from "../../packages/morecore/src/typed/ref.ts";

/** Bytes as they came to lie at an address. */
export interface Store {
  readonly at: number;
  readonly bytes: Uint8Array;
}

type AnyArray = Uint8Array | Uint32Array | BigUint64Array;
type Write = (at: number, bytes: number) => void;

const SPACE_ARRAYS = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"] as const;
const WORD = 4;

/** A heap in a buffer of its own, which does not grow. */
export function tearableHeap(bytes: number): Heap {
  return Heap.create({ memory: bufferMemory(new ArrayBuffer(bytes)), base: 16, checking: true });
}

/** The stores that a function makes in a heap's memory, in their order; its error goes on. */
export function storesOf(heap: Heap, act: () => void): Store[] {
  const { buffer } = heap.memory;
  const stores: Store[] = [];
  const write: Write = (at, bytes) =>
    stores.push({ at, bytes: new Uint8Array(buffer).slice(at, at + bytes) });
  const space = heap[SPACE];
  // The kernel's arrays: nobody but the heap has its machine.
  const { machine } = heap as unknown as { machine: Machine };
  const undo: (() => void)[] = [];
  const stay = (): void => undefined;
  // The buffer does not grow, and new arrays would not be recorded.
  swap(undo, space, "refresh", stay);
  swap(undo, machine, "refresh", stay);
  for (const name of SPACE_ARRAYS) swap(undo, space, name, recorded(space[name] as AnyArray, write));
  swap(undo, space, "view", recordedView(space.view, write));
  swap(undo, machine, "words", recorded(machine.words, write));
  swap(undo, machine, "u8", recorded(machine.u8, write));
  try {
    act();
  } finally {
    for (const back of undo.reverse()) back();
  }
  return stores;
}

/** Calls a function with a copy of the memory as each prefix of the stores leaves it: first none, at last all. */
export function eachPrefix(
  before: ArrayBuffer,
  stores: readonly Store[],
  visit: (copy: ArrayBuffer, count: number) => void,
): void {
  const state = new Uint8Array(before.slice(0));
  for (let count = 0; count <= stores.length; count++) {
    visit(state.buffer.slice(0), count);
    const next = stores[count];
    if (next !== undefined) state.set(next.bytes, next.at);
  }
}

/** What opening a file does: repairs the heap if it is torn, and attaches. */
export function openTorn(copy: ArrayBuffer, base: number): Heap {
  const memory = bufferMemory(copy);
  const machine = new Machine(memory, (code, address) => {
    throw new HeapCorruptError(String(code), address, `code ${code} at ${address}`);
  });
  try {
    engine.check(machine, asBase(base));
  } catch (found) {
    if (!(found instanceof HeapCorruptError)) throw found;
    repairs.repair(machine, asBase(base), found.message);
  }
  const heap = Heap.attach(memory, base);
  heap.check();
  return heap;
}

/** Puts another value in place of a property, until `undo` is run. */
function swap(undo: (() => void)[], owner: object, name: string, value: unknown): void {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  undo.push(() => {
    if (own === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, own);
  });
}

/** An array whose stores are told. */
function recorded(array: AnyArray, write: Write): AnyArray {
  const each = array.BYTES_PER_ELEMENT;
  const place = (index: number): number => array.byteOffset + index * each;
  const methods: Readonly<Record<string, (...given: never[]) => unknown>> = {
    fill: (value: never, from = 0, to = array.length) => {
      array.fill(value, from, to);
      writeWords(write, place(from), place(to), false);
    },
    set: (values: ArrayLike<never>, from = 0) => {
      array.set(values, from);
      writeWords(write, place(from), place(from + values.length), false);
    },
    copyWithin: (to: number, from: number, end = array.length) => {
      array.copyWithin(to, from, end);
      writeWords(write, place(to), place(to + end - from), from < to);
    },
    sort: (...given: never[]) => {
      array.sort(...given);
      writeWords(write, place(0), place(array.length), false);
    },
    subarray: (from: number, to: number) => recorded(array.subarray(from, to) as AnyArray, write),
  };
  return new Proxy(array, {
    get: (target, key) => {
      const method = typeof key === "string" && Object.hasOwn(methods, key) ? methods[key] : undefined;
      if (method !== undefined) return method;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, key, value) => {
      const done = Reflect.set(target, key, value, target);
      if (Number(key) < target.length) write(place(Number(key)), each);
      return done;
    },
  });
}

/** The same for a DataView: only what it sets. */
function recordedView(view: DataView, write: Write): DataView {
  return new Proxy(view, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      const bits = /^set\D*(\d+)$/.exec(String(key))?.[1];
      return (at: number, ...rest: unknown[]) => {
        const got: unknown = value.call(target, at, ...rest);
        if (bits !== undefined) write(target.byteOffset + at, Number(bits) / 8);
        return got;
      };
    },
  });
}

/** Tells the words between two addresses, in either direction; at odd ends bytes. The bytes lie there already. */
function writeWords(write: Write, from: number, to: number, downwards: boolean): void {
  const pieces: [at: number, bytes: number][] = [];
  for (let at = from; at < to; ) {
    const bytes = at % WORD === 0 && to - at >= WORD ? WORD : 1;
    pieces.push([at, bytes]);
    at += bytes;
  }
  if (downwards) pieces.reverse();
  for (const [at, bytes] of pieces) write(at, bytes);
}
