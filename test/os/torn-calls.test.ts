// Torn calls: a process that dies between any two stores of any call leaves a heap that is sound or can be repaired, and
// every block that was live, but for the one that the call was about, is as it was.

import { describe, expect, test } from "vitest";
import { type Calls, JavaScriptCalls } from "../../src/heap/calls.ts";
import { HeapCorruptError, type Memory, Heap as PlainHeap } from "../../src/index.ts";
import { asBase } from "../../src/kernel/address.ts";
import { checkHeap } from "../../src/kernel/check.ts";
import * as kernel from "../../src/kernel/family.ts";
import { Machine } from "../../src/kernel/machine.ts";
import { CarefulCalls } from "../../src/os/careful.ts";
import { repairHeap } from "../../src/os/repair.ts";
import { randomFrom } from "../support/os.ts";
import { seedOf } from "../support/seed.ts";

const BASE = 4096;
const UNIT = 65_536;
const BUFFER = 16 * UNIT;
const CALLS = 150;
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

/** The calls as heaps in files have them. */
function careful(machine: Machine): Calls {
  return new CarefulCalls(new JavaScriptCalls(machine, heap), new Uint8Array(machine.memory.buffer));
}

type Act = (calls: Calls) => number;
interface Call {
  readonly name: string;
  /** The block that the call is about; 0: none yet. */
  readonly about: number;
  readonly act: Act;
}

const heap = asBase(BASE);

/** Any call on any block. */
function anyCall(random: (bound: number) => number, live: readonly number[]): Call {
  const bytes = random(4) < 3 ? random(300) : random(9000);
  const about = live[random(live.length)] ?? 0;
  const kind = live.length >= MOST_LIVE ? 5 + random(2) : random(8);
  if (kind < 3) return { name: `malloc ${bytes}`, about: 0, act: (calls) => calls.malloc(bytes) };
  if (kind === 3) return { name: `calloc ${bytes}`, about: 0, act: (calls) => calls.calloc(1, bytes) };
  if (kind === 4) return { name: `memalign ${bytes}`, about: 0, act: (calls) => calls.memalign(256, bytes) };
  if (kind < 7 && about !== 0)
    return {
      name: `free ${about}`,
      about,
      act: (calls) => {
        calls.free(about);
        return 0;
      },
    };
  if (kind === 7 && random(8) === 0)
    return {
      name: "trim",
      about: 0,
      act: (calls) => {
        calls.trim(0);
        return 0;
      },
    };
  return {
    name: `realloc ${about} ${bytes}`,
    about,
    act: (calls) => calls.realloc(about, bytes + 1),
  };
}

/** What the other live blocks hold, and that they are live. */
function expectKept(memory: Memory, live: ReadonlyMap<number, number>, about: number): void {
  const plain = PlainHeap.attach(memory, BASE);
  for (const [ptr, stamp] of live) {
    if (ptr === about) continue;
    const words = plain.u32(ptr);
    if (words[0] !== stamp || words.at(-1) !== stamp) throw new Error(`the block at ${ptr} was overwritten`);
  }
}

interface Tally {
  states: number;
  repaired: number;
  lost: number;
}

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
  for (let stores = 0; ; stores++) {
    let died = false;
    try {
      call.act(careful(mortal(memory, { left: stores })));
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      died = true;
    }
    if (died) {
      tally.states += 1;
      expectSoundAfter(memory, checker, `${call.name}, killed after ${stores} stores`, tally);
      try {
        expectKept(memory, live, call.about);
      } catch (error) {
        throw new Error(`${call.name}, killed after ${stores} stores: ${String(error)}`, { cause: error });
      }
      expectServes(checker, `${call.name}, killed after ${stores} stores`);
    }
    bytes.set(before);
    memory.size = size;
    if (!died) return;
  }
}

/** Small blocks of each class, and a larger one, can be had and freed. */
function expectServes(m: Machine, what: string): void {
  try {
    const ptrs = [10, 100, 200, 250, 600].map((bytes) => kernel.malloc(m, heap, bytes));
    checkHeap(m, heap);
    for (const ptr of ptrs) kernel.free(m, heap, ptr);
    checkHeap(m, heap);
  } catch (error) {
    throw new Error(`${what}, it does not serve on: ${String(error)}`, { cause: error });
  }
}

function expectSoundAfter(memory: Memory, checker: Machine, what: string, tally: Tally): void {
  try {
    checkHeap(checker, heap);
  } catch (found) {
    if (!(found instanceof HeapCorruptError)) throw found;
    try {
      const report = repairHeap(memory, BASE, found.message);
      tally.repaired += 1;
      tally.lost += report.lost.length;
      expect(report.lostRuns).toEqual([]);
      expect(report.lost.length).toBeLessThanOrEqual(1);
      checkHeap(checker, heap);
    } catch (error) {
      throw new Error(`${what}: ${found.message}; repaired: ${String(error)}`, { cause: error });
    }
  }
}

describe("a process dies between two stores", () => {
  test("of any call: the heap is repaired, and no other block is touched", () => {
    // A repair decides by what headers look like, and may be wrong (docs/OS.md): no run is to fail by chance.
    const random = randomFrom(seedOf("torn calls", 101));
    const tally: Tally = { states: 0, repaired: 0, lost: 0 };
    for (const smallLimit of [256, 0]) {
      const memory = new Reservation();
      const plain = PlainHeap.create({ memory, base: BASE, smallLimit, advance: 0, trimThreshold: 20_000 });
      const machine = new Machine(memory, (code) => {
        throw new Error(`refused ${code}`);
      });
      const live = new Map<number, number>();
      for (let index = 0; index < CALLS; index++) {
        const call = anyCall(random, [...live.keys()]);
        dieEverywhere(memory, call, live, tally);
        const got = call.act(careful(machine));
        plain.check();
        if (got !== 0 || call.name.startsWith("free")) live.delete(call.about);
        if (got === 0) continue;
        // Numbers that could be headers: what is left of them must not be taken for any.
        const stamp = random(3000);
        plain.u32(got).fill(stamp);
        live.set(got, stamp);
      }
    }
    console.log(
      `torn calls: ${tally.states} states, ${tally.repaired} repaired, ${tally.lost} lost stretches`,
    );
    expect(tally.repaired).toBeGreaterThan(500);
    expect(tally.repaired).toBeLessThan(tally.states);
  });
});
