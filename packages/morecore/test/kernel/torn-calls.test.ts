// Torn calls: a process dies between any two stores of any call. It leaves a heap whose headers lead from the
// first chunk to top. The heap is sound or can be repaired. Every block that was live is as it was, but for
// those that the call was about. One that dies in the repair leaves such a heap, too.

import { HeapCorruptError, type Memory, Heap as PlainHeap } from "morecore";
import { describe, expect, test } from "vitest";
import { randomFrom } from "../../../../test/support/os.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import { JavaScriptCalls } from "../../src/heap/family-calls.ts";
import { asBase, asPtr } from "../../src/kernel/address.ts";
import { checkHeap } from "../../src/kernel/check.ts";
import * as kernel from "../../src/kernel/family.ts";
import {
  AT_END,
  AT_TOP,
  FLAGS,
  HEADER_BYTES,
  HEADER_WORD,
  IN_USE,
  OWN,
  PREVIOUS_IN_USE,
  RESERVED_FLAG,
  SEGMENT_CHUNKS,
} from "../../src/kernel/layout.ts";
import { Machine } from "../../src/kernel/machine.ts";
import { repair } from "../../src/kernel/repair.ts";

const BASE = 4096;
const UNIT = 65_536;
const BUFFER = 16 * UNIT;
const CALLS = 200;
const MOST_LIVE = 60;

/** A buffer of which a part is in use: what a mapped file is. */
class Reservation implements Memory {
  readonly buffer: ArrayBuffer = new ArrayBuffer(BUFFER);
  size: number = UNIT;

  get untouched(): number {
    return this.size;
  }

  grow(bytes: number): number {
    const from = this.size;
    if (bytes > BUFFER - from) return 0;
    this.size += bytes;
    return from;
  }
}

class Killed extends Error {}

/** A machine that dies when it has stored `left` words. */
function mortal(memory: Memory, life: { left: number }): Machine {
  const machine = new Machine(memory, (code, address) => {
    throw new Error(`refused: ${code} at ${address}`);
  });
  const { words } = machine;
  machine.words = new Proxy(words, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, key, value) => {
      if (life.left === 0) throw new Killed();
      life.left -= 1;
      return Reflect.set(target, key, value, target);
    },
  });
  machine.refresh = () => undefined;
  return machine;
}

interface Call {
  readonly name: string;
  /** The blocks that the call is about. */
  readonly about: readonly number[];
  /** What it gives: new blocks, and others that stand for those it was about. */
  readonly act: (calls: JavaScriptCalls, machine: Machine) => readonly number[];
}

const heap = asBase(BASE);

/** A call that gives one block, or none. */
function giving(name: string, act: (calls: JavaScriptCalls) => number): Call {
  return { name, about: [], act: (calls) => [act(calls)].filter((ptr) => ptr !== 0) };
}

/** A call that gives none. */
function taking(name: string, about: readonly number[], act: (calls: JavaScriptCalls) => void): Call {
  return {
    name: `${name} ${about.join(", ")}`,
    about,
    act: (calls) => {
      act(calls);
      return [];
    },
  };
}

/** The addresses in an array of the heap's, and the array. */
function listed(machine: Machine, array: number, count: number): number[] {
  const places = Array.from({ length: array === 0 ? 0 : count }, (_, index) => array + index * 4);
  return [array, ...places.map((at) => machine.load32(at))].filter((ptr) => ptr !== 0);
}

/** Any call that gives blocks. */
function anyGiving(random: (bound: number) => number): Call {
  const bytes = random(4) < 3 ? random(300) : random(9000);
  const kind = random(8);
  if (kind < 4) return giving(`malloc ${bytes}`, (calls) => calls.malloc(bytes));
  if (kind === 4) return giving(`calloc ${bytes}`, (calls) => calls.calloc(1, bytes));
  if (kind < 7) {
    const alignment = 32 << random(6);
    return giving(`memalign ${alignment} ${bytes}`, (calls) => calls.memalign(alignment, bytes));
  }
  const count = 1 + random(4);
  const act = (calls: JavaScriptCalls, machine: Machine): number[] =>
    listed(machine, calls.independentCalloc(count, bytes), count);
  return { name: `independent_calloc ${count} ${bytes}`, about: [], act };
}

/** independent_comalloc of sizes that stand in a block. */
function comalloc(machine: Machine, block: number): Call {
  const count = Math.min(4, Math.floor(kernel.usableSize(machine, heap, asPtr(block)) / 4));
  const act = (calls: JavaScriptCalls, dying: Machine): number[] => {
    const array = calls.independentComalloc(count, block);
    return [block, ...listed(dying, array, count)];
  };
  return { name: `independent_comalloc of what stands at ${block}`, about: [block], act };
}

/** Frees the blocks that a list in a block says. */
function bulkFree(block: number, others: readonly number[]): Call {
  const act = (_: JavaScriptCalls, dying: Machine): number[] => {
    for (const [index, ptr] of others.entries()) dying.store32(block + index * 4, ptr);
    kernel.bulkFree(dying, heap, asPtr(block), others.length);
    return [block];
  };
  return { name: `bulk_free ${others.join(", ")}`, about: [block, ...others], act };
}

/** Any call on any block. */
function anyCall(random: (bound: number) => number, live: readonly number[], machine: Machine): Call {
  const about = live[random(live.length)];
  const kind = live.length >= MOST_LIVE ? 8 + random(2) : random(14);
  if (about === undefined || kind < 6) return anyGiving(random);
  if (kind === 6) return comalloc(machine, about);
  if (kind < 9) return taking("free", [about], (calls) => calls.free(about));
  if (kind === 9) return bulkFree(about, live.filter((ptr) => ptr !== about && random(16) === 0).slice(0, 3));
  if (kind === 10) {
    const usable = kernel.usableSize(machine, heap, asPtr(about));
    return taking("free_sized", [about], (calls) => calls.freeSized(about, usable));
  }
  if (kind === 11 && random(4) === 0) return taking("trim", [], (calls) => calls.trim(0));
  const bytes = 1 + (random(4) < 3 ? random(300) : random(9000));
  return {
    name: `realloc ${about} ${bytes}`,
    about: [about],
    act: (calls) => {
      const moved = calls.realloc(about, bytes);
      return [moved === 0 ? about : moved];
    },
  };
}

/** What the headers say as they stand: the chunks from the first to top, or beyond where that was. Throws if they do not lead there. */
function chainOf(m: Machine): Map<number, number> {
  const fence = m.load32(BASE + AT_END) - HEADER_WORD;
  const top = m.load32(BASE + AT_TOP);
  const chain = new Map<number, number>();
  let at = BASE + HEADER_BYTES + SEGMENT_CHUNKS;
  while (at < top) {
    const head = m.load32(at);
    const bytes = head - (head & FLAGS);
    if (bytes === 0 || (head & RESERVED_FLAG) !== 0 || bytes > fence - at)
      throw new Error(`no header at ${at}: ${head}`);
    chain.set(at, head);
    at += bytes;
  }
  return chain;
}

/** Every block that is no slab's and that the call is not about has its header in the chain, as it was. */
function expectChain(m: Machine, before: ReadonlyMap<number, number>, call: Call): void {
  const now = chainOf(m);
  for (const [at, head] of before) {
    if ((head & IN_USE) === 0 || call.about.includes(at + HEADER_WORD)) continue;
    const is = now.get(at) ?? 0;
    if ((head & OWN) === 0 && (is & ~PREVIOUS_IN_USE) !== (head & ~PREVIOUS_IN_USE))
      throw new Error(`the header at ${at} was ${head}, is ${is}`);
  }
}

/** What the other live blocks hold, and that they are live. */
function expectKept(memory: Memory, live: ReadonlyMap<number, number>, about: readonly number[]): void {
  const plain = PlainHeap.attach(memory, BASE);
  for (const [ptr, stamp] of live) {
    if (about.includes(ptr)) continue;
    const words = plain.u32(ptr);
    if (words[0] !== stamp || words.at(-1) !== stamp) throw new Error(`the block at ${ptr} was overwritten`);
  }
}

interface Tally {
  states: number;
  repaired: number;
  /** Repairs that died. */
  torn: number;
}

/** So many repairs, and stores of one, are skipped from one that dies to the next. */
const REPAIRS_BETWEEN = 601;
const STORES_BETWEEN = 11;

/** Lets a call die after each of its stores, on the memory as it is now; leaves the memory so. */
function dieEverywhere(
  memory: Reservation,
  call: Call,
  live: ReadonlyMap<number, number>,
  tally: Tally,
): void {
  const bytes = new Uint8Array(memory.buffer);
  const { size } = memory;
  const before = bytes.slice();
  const checker = new Machine(memory, (code, address) => {
    throw new HeapCorruptError(String(code), address, `code ${code} at ${address}`);
  });
  const chain = chainOf(checker);
  for (let stores = 0; ; stores++) {
    let died = false;
    try {
      const dying = mortal(memory, { left: stores });
      call.act(new JavaScriptCalls(dying, heap), dying);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      died = true;
    }
    if (died) {
      tally.states += 1;
      within(`${call.name}, killed after ${stores} stores`, () => {
        expectChain(checker, chain, call);
        expectSoundAfter(memory, checker, tally);
        expectKept(memory, live, call.about);
        expectServes(checker);
      });
    }
    bytes.set(before);
    memory.size = size;
    if (!died) return;
  }
}

/** Says in what state something was found. */
function within(state: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new Error(`${state}: ${String(error)}`, { cause: error });
  }
}

/** Small blocks of each class, and a larger one, can be had and freed. */
function expectServes(m: Machine): void {
  const ptrs = [10, 100, 200, 250, 600].map((bytes) => kernel.malloc(m, heap, bytes));
  checkHeap(m, heap);
  for (const ptr of ptrs) kernel.free(m, heap, ptr);
  checkHeap(m, heap);
}

/** The heap is sound, or a repair that loses nothing makes it so. */
function expectSoundAfter(memory: Memory, checker: Machine, tally: Tally): void {
  try {
    checkHeap(checker, heap);
  } catch (found) {
    if (!(found instanceof HeapCorruptError)) throw found;
    within(found.message, () => {
      if (tally.repaired % REPAIRS_BETWEEN === 0) dieRepairing(memory, checker, found.message, tally);
      expectRepair(checker, found.message);
      tally.repaired += 1;
    });
  }
}

/** A repair that loses nothing makes the heap sound. */
function expectRepair(checker: Machine, reason: string): void {
  const report = repair(checker, heap, reason);
  expect({ slabs: report.lostSlabs, stretches: report.lost }).toEqual({ slabs: [], stretches: [] });
  checkHeap(checker, heap);
}

/** Lets a repair die after many of its stores: the next one makes the heap sound, and the same blocks are live. */
function dieRepairing(memory: Memory, checker: Machine, reason: string, tally: Tally): void {
  const bytes = new Uint8Array(memory.buffer);
  const before = bytes.slice();
  expectRepair(checker, reason);
  const live = liveBlocks(memory);
  for (let stores = 0; ; stores += STORES_BETWEEN) {
    bytes.set(before);
    try {
      repair(mortal(memory, { left: stores }), heap, reason);
      break;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
    tally.torn += 1;
    within(`the repair killed after ${stores} stores`, () => {
      expectRepair(checker, reason);
      expect(liveBlocks(memory)).toEqual(live);
    });
  }
  bytes.set(before);
}

function liveBlocks(memory: Memory): number[] {
  const found: number[] = [];
  PlainHeap.attach(memory, BASE).inspectAll(({ ptr, state }) => {
    if (state === "live") found.push(ptr);
  });
  return found;
}

describe("a process dies between two stores", () => {
  test("of any call: the headers lead to top, the heap is repaired, and no other block is touched", () => {
    const random = randomFrom(seedOf("torn calls"));
    const tally: Tally = { states: 0, repaired: 0, torn: 0 };
    for (const smallLimit of [496, 0]) {
      const memory = new Reservation();
      const plain = PlainHeap.create({ memory, base: BASE, smallLimit, advance: 0, trimThreshold: 20_000 });
      const machine = new Machine(memory, (code) => {
        throw new Error(`refused ${code}`);
      });
      const live = new Map<number, number>();
      for (let index = 0; index < CALLS; index++) {
        const call = anyCall(random, [...live.keys()], machine);
        dieEverywhere(memory, call, live, tally);
        const got = call.act(new JavaScriptCalls(machine, heap), machine);
        plain.check();
        for (const ptr of call.about) live.delete(ptr);
        for (const ptr of got) {
          // Numbers that could be headers: what is left of them must not be taken for any.
          const stamp = random(3000);
          plain.u32(ptr).fill(stamp);
          live.set(ptr, stamp);
        }
      }
    }
    console.log(`torn calls: ${tally.states} states, ${tally.repaired} repaired; ${tally.torn} torn repairs`);
    expect(tally.torn).toBeGreaterThan(100);
    expect(tally.repaired).toBeGreaterThan(500);
    expect(tally.repaired).toBeLessThan(tally.states);
  });
});
