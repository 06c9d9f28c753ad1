// Take-over: a thread stops between any two stores of any call, and its heap is taken over. The heap is sound then; every block that was
// live is as it was, but for those that the call was about; and the next thread that comes goes on there.

import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../../test/support/os.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import { asPtr, type Base } from "../../src/kernel/address.ts";
import { TAKEN_BACK } from "../../src/kernel/codes.ts";
import { joinHeap, leaveHeap } from "../../src/kernel/common.ts";
import { walk } from "../../src/kernel/describe.ts";
import { calloc, free, malloc, memalign, realloc, trim } from "../../src/kernel/family.ts";
import { AT_FOOTPRINT, CLOSED, GONE, MAIL_SLABS, THREAD } from "../../src/kernel/layout.ts";
import { Machine } from "../../src/kernel/machine.ts";
import { takeOver } from "../../src/kernel/take-over.ts";
import { isFirstHeader, otherHeader } from "../../src/kernel/units.ts";
import { COMMON, Crew, refusalOf } from "./crew.ts";

const seed = seedOf("MORECORE_SEED");

class Killed extends Error {}

/** A machine that dies when it has stored `left` words. */
class Mortal extends Machine {
  left: number;

  constructor(crew: Crew, left: number) {
    super(crew.memory, (code, address) => {
      throw new Error(`refused: ${code} at ${address}`);
    });
    this.threads = true;
    this.left = left;
    const { words } = this;
    this.real = words;
    this.words = new Proxy(words, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
      set: (target, key, value) => {
        this.live();
        return Reflect.set(target, key, value, target);
      },
    });
  }

  private readonly real: Uint32Array;

  private live(): void {
    if (this.left === 0) throw new Killed();
    this.left -= 1;
  }

  private change(address: number, to: (before: number) => number): number {
    this.live();
    const before = this.real[address >>> 2] as number;
    this.real[address >>> 2] = to(before);
    return before;
  }

  override loadShared(address: number): number {
    return this.real[address >>> 2] as number;
  }

  override storeShared(address: number, value: number): void {
    this.change(address, () => value);
  }

  override exchange(address: number, value: number): number {
    return this.change(address, () => value);
  }

  override compareExchange(address: number, expected: number, value: number): number {
    return this.change(address, (before) => (before === expected ? value : before));
  }

  override orShared(address: number, bits: number): number {
    return this.change(address, (before) => before | bits);
  }

  override andShared(address: number, bits: number): number {
    return this.change(address, (before) => before & bits);
  }

  override addShared(address: number, value: number): number {
    return this.change(address, (before) => before + value);
  }
}

/** A block that the test knows of: what its payload begins and ends with. */
interface Block {
  readonly ptr: number;
  readonly bytes: number;
  readonly tag: number;
}

/** Two threads that call at random, and the blocks that live. */
class Play {
  readonly crew: Crew = new Crew({ threads: 2, bytes: 1 << 19 });
  readonly random: (bound: number) => number;
  blocks: Block[] = [];

  constructor(of: number) {
    this.random = randomFrom(of);
  }

  stamp(ptr: number, bytes: number): Block {
    const tag = 1 + this.random(2 ** 30);
    for (let at = 0; at + 4 <= bytes; at += 4) this.crew.poke(ptr + at, tag);
    return { ptr, bytes, tag };
  }

  verify({ ptr, bytes, tag }: Block): void {
    for (let at = 0; at + 4 <= bytes; at += 4)
      if (this.crew.word(ptr + at) !== tag) throw new Error(`the block at ${ptr} is not as it was, at ${at}`);
  }

  bytes(): number {
    const kind = this.random(10);
    return kind < 7 ? this.random(300) : kind < 9 ? this.random(3000) : this.random(40_000);
  }

  /** A call of a thread's. The block that it is about, and what it gives. */
  call(heap: Base): { readonly about?: Block | undefined; readonly act: (m: Machine) => Block | undefined } {
    const bytes = this.bytes();
    const made = (ptr: number) => (ptr === 0 ? undefined : { ptr, bytes, tag: 0 });
    const kind = this.random(12);
    const about = this.blocks[this.random(this.blocks.length)];
    if (kind < 4 || about === undefined) return { act: (m) => made(malloc(m, heap, bytes)) };
    if (kind === 4) return { act: (m) => made(calloc(m, heap, 1, bytes)) };
    if (kind === 5) return { act: (m) => made(memalign(m, heap, 32 << this.random(5), bytes)) };
    if (kind === 6) return { act: (m) => void trim(m, heap, 0) };
    if (kind < 9) return { about, act: (m) => made(realloc(m, heap, asPtr(about.ptr), bytes)) };
    return { about, act: (m) => void free(m, heap, asPtr(about.ptr)) };
  }

  /** Lets a call come to its end. */
  finish({ about, act }: ReturnType<Play["call"]>, isRealloc = false): void {
    const got = act(this.crew.m);
    const isMoved = about !== undefined && (got !== undefined || !isRealloc);
    if (isMoved) this.blocks = this.blocks.filter((block) => block !== about);
    if (got !== undefined) this.blocks.push(this.stamp(got.ptr, got.bytes));
  }

  /** Calls of both threads, which leave the heap with all that there can be in it. */
  warmUp(calls: number): void {
    for (let count = 0; count < calls; count++) {
      const heap = this.crew.heaps[this.random(2)] as Base;
      const call = this.call(heap);
      const had = call.about;
      const got = call.act(this.crew.m);
      // A realloc that failed leaves its block; a free has none to give.
      const isGone = had !== undefined && (got !== undefined || this.isFreed(had));
      if (isGone) this.blocks = this.blocks.filter((block) => block !== had);
      if (got !== undefined) this.blocks.push(this.stamp(got.ptr, got.bytes));
    }
  }

  /** Whether a block is no longer live, as its own heap or the mail tells. */
  isFreed({ ptr }: Block): boolean {
    const { m, heaps } = this.crew;
    const before = this.crew.bytes();
    const refused = refusalOf(() => free(m, heaps[0] as Base, asPtr(ptr)));
    this.crew.m.u8.set(before);
    return refused !== undefined;
  }
}

/** What a heap that was taken over must be like: sound, its blocks as they were, and good for the next thread. */
function expectTaken(play: Play, about: Block | undefined): void {
  const { crew } = play;
  const gone = crew.heaps[0] as Base;
  const taken = takeOver(crew.m, COMMON, gone);
  expect(taken).toBe(otherHeader(gone));
  crew.check();
  const [left] = crew.heaps.slice(1);
  for (const block of play.blocks) {
    if (block === about) continue;
    play.verify(block);
    free(crew.m, left as Base, asPtr(block.ptr));
  }
  const next = joinHeap(crew.m, COMMON);
  expect(next).toBe(taken);
  const ptr = malloc(crew.m, next, 100);
  expect(ptr).not.toBe(0);
  free(crew.m, next, asPtr(ptr));
  crew.check();
  leaveHeap(crew.m, next);
  crew.check();
}

describe(`a thread that stops (seed ${seed})`, () => {
  it("between any two stores of a call leaves a heap that can be taken over", { timeout: 120_000 }, () => {
    let deaths = 0;
    for (let round = 0; round < 12; round++) {
      const play = new Play(seed + round * 7919);
      play.warmUp(120);
      const before = play.crew.bytes();
      const state = play.random(2 ** 30);
      for (let left = 0; ; left++) {
        play.crew.m.u8.set(before);
        const again = new Play(state);
        again.blocks = play.blocks;
        const call = again.call(play.crew.heaps[0] as Base);
        const mortal = new Mortal(play.crew, left);
        try {
          call.act(mortal);
          break;
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
        }
        deaths += 1;
        expectTaken(play, call.about);
      }
    }
    expect(deaths).toBeGreaterThan(100);
  });
});

describe("a heap that was taken over", () => {
  const taken = () => {
    const crew = new Crew({ threads: 2, bytes: 1 << 18 });
    const [gone, other] = crew.heaps as [Base, Base];
    const ptrs = [50, 50, 5000].map((bytes) => crew.malloc(gone, bytes));
    const heap = takeOver(crew.m, COMMON, gone) as Base;
    return { crew, gone, other, heap, ptrs };
  };

  it("refuses its old thread's next call, and the blocks are as any other's to that", () => {
    const { crew, gone, heap, ptrs } = taken();
    for (const bytes of [10, 100, 1000, 100_000])
      expect(refusalOf(() => crew.malloc(gone, bytes))).toEqual([TAKEN_BACK, gone]);
    expect(refusalOf(() => memalign(crew.m, gone, 64, 100))).toEqual([TAKEN_BACK, gone]);
    expect(refusalOf(() => trim(crew.m, gone, 0))).toEqual([TAKEN_BACK, gone]);
    for (const ptr of ptrs) crew.free(gone, ptr);
    crew.check();
    leaveHeap(crew.m, joinHeap(crew.m, COMMON));
    crew.check();
    expect(crew.word(heap - THREAD)).toBe(0);
  });

  it("is taken over once, by one", () => {
    const { crew, gone, heap } = taken();
    expect(crew.word(gone - THREAD)).toBe(GONE);
    expect(crew.word(gone - MAIL_SLABS)).toBe(CLOSED);
    expect(takeOver(crew.m, COMMON, gone)).toBeUndefined();
    // It is nobody's now.
    expect(takeOver(crew.m, COMMON, heap)).toBeUndefined();
  });

  it("goes from one of its two headers to the other, as often as it is taken over", () => {
    const { crew, gone, heap, ptrs } = taken();
    let at = heap;
    for (let round = 0; round < 4; round++) {
      expect(isFirstHeader(at)).toBe(round % 2 === 1);
      expect(joinHeap(crew.m, COMMON)).toBe(at);
      ptrs.push(crew.malloc(at, 200), crew.malloc(at, 2000));
      at = takeOver(crew.m, COMMON, at) as Base;
      crew.check();
    }
    expect(at).toBe(otherHeader(gone));
    for (const ptr of ptrs) crew.free(crew.heaps[1] as Base, ptr);
    const next = joinHeap(crew.m, COMMON);
    leaveHeap(crew.m, next);
    crew.check();
    expect(crew.word(next + AT_FOOTPRINT)).toBeLessThan(16_384);
  });
});

describe("a heap that is being taken over, while another thread frees a block of it", () => {
  const SHARED = ["storeShared", "exchange", "compareExchange", "addShared", "andShared"] as const;
  const WRITES = ["store32", ...SHARED] as const;
  const ALL = [...WRITES, "orShared", "load32", "loadShared"] as const;

  /** Calls back before the step of a machine's whose number that is, and says how many there were. */
  function interrupt(
    machine: Machine,
    number: number,
    callback: () => void,
    names: readonly (typeof ALL)[number][] = WRITES,
  ): () => number {
    let steps = 0;
    for (const name of names) {
      const step = machine[name].bind(machine) as (...args: number[]) => number;
      machine[name] = (...args: number[]) => {
        if (steps++ === number) callback();
        return step(...args);
      };
    }
    return () => steps;
  }

  /** No block lives in any heap, and none waits to be taken back. */
  function expectEmpty(crew: Crew): void {
    walk(crew.m, COMMON, ({ state, ptr }) => {
      if (state === "live" || state === "cached") throw new Error(`${state}: ${ptr}`);
    });
  }

  /** A thread's own view of the memory, on which nothing is refused. */
  function viewOf(crew: Crew): Machine {
    const machine = new Machine(crew.memory, (code, address) => {
      throw new Error(`refused: ${code} at ${address}`);
    });
    machine.threads = true;
    return machine;
  }

  /** Takes a heap over, and lets another thread free one of its blocks before a step. How many steps there are. */
  function takenMeanwhile(bytes: number, rounds: number, number: number): number {
    const crew = new Crew({ threads: 2 });
    const [first, other] = crew.heaps as [Base, Base];
    let gone = first;
    for (let round = 0; round < rounds; round++) {
      gone = takeOver(crew.m, COMMON, gone) as Base;
      joinHeap(crew.m, COMMON);
    }
    // The second time it is a full slab's, of which others are told.
    const blocks = Array.from({ length: bytes < 500 ? 400 : 3 }, () => crew.malloc(gone, bytes));
    const ptr = blocks[1] as number;
    const machine = viewOf(crew);
    let freed = false;
    const steps = interrupt(machine, number, () => {
      freed = true;
      crew.free(other, ptr);
    });
    const heap = takeOver(machine, COMMON, gone) as Base;
    if (!freed) crew.free(other, ptr);
    crew.check();
    expect(joinHeap(crew.m, COMMON)).toBe(heap);
    expect(refusalOf(() => crew.free(other, ptr))?.[1]).toBe(ptr);
    for (const each of blocks) if (each !== ptr) crew.free(heap, each);
    leaveHeap(crew.m, heap);
    crew.check();
    // All of it has come back, the freed block too.
    expectEmpty(crew);
    expect(crew.word(heap + AT_FOOTPRINT)).toBeLessThan(16_384);
    return steps();
  }

  it.each([
    ["a chunk", 1000, 0],
    ["a chunk, when its heap has the other header", 1000, 1],
    ["a block of a slab", 100, 0],
    ["a block of a slab, when its heap has the other header", 100, 1],
  ])("%s: is sound, and gets the block back, whichever step comes between", (_, bytes, rounds) => {
    const steps = takenMeanwhile(bytes, rounds, Number.POSITIVE_INFINITY);
    expect(steps).toBeGreaterThan(50);
    for (let number = 0; number < steps; number++) takenMeanwhile(bytes, rounds, number);
  });

  /** How a thread's free was interrupted: at which step of how many, and at which step of the take-over in between another thread freed. */
  interface Between {
    readonly frees: number;
    readonly takes: number;
  }

  /**
   * A thread frees a block. Before a step of that a heap is taken over from its thread, and before a step of that a third thread frees
   * another block. Says how many steps both had.
   */
  function freedAround(
    bytes: number,
    count: number,
    blocks: readonly [number, number],
    at: Between,
  ): Between {
    const crew = new Crew({ threads: 3 });
    const [gone, second, third] = crew.heaps as [Base, Base, Base];
    const all = Array.from({ length: count }, () => crew.malloc(gone, bytes));
    const [mine, yours] = blocks.map((index) => all[index] as number) as [number, number];
    const [freeing, taking] = [viewOf(crew), viewOf(crew)];
    let heap: Base | undefined;
    let freed = false;
    // What others may see half done: its other stores are looked at above.
    const inBetween = (): void => {
      freed = true;
      crew.free(third, yours);
    };
    const takes = interrupt(taking, at.takes, inBetween, SHARED);
    const takeAll = (): void => {
      heap = takeOver(taking, COMMON, gone);
    };
    const frees = interrupt(freeing, at.frees, takeAll, ALL);
    free(freeing, second, asPtr(mine));
    if (heap === undefined) takeAll();
    if (!freed) crew.free(third, yours);
    crew.check();
    const next = joinHeap(crew.m, COMMON);
    expect(next).toBe(heap);
    // Its own frees and mallocs find all that the two have freed.
    for (const ptr of [mine, yours]) expect(refusalOf(() => crew.free(second, ptr))?.[1]).toBe(ptr);
    for (const ptr of all) if (ptr !== mine && ptr !== yours) crew.free(next, ptr);
    leaveHeap(crew.m, next);
    crew.check();
    expectEmpty(crew);
    expect(crew.word(next + AT_FOOTPRINT)).toBeLessThan(16_384);
    return { frees: frees(), takes: takes() };
  }

  it.each<[string, number, number, [number, number]]>([
    ["two chunks", 1000, 3, [0, 2]],
    ["two chunks side by side", 1000, 3, [0, 1]],
    ["two blocks of a slab with room", 100, 4, [0, 2]],
    ["two blocks of a full slab", 100, 60, [1, 2]],
    ["a block of a full slab, and one of the current slab", 100, 60, [1, 59]],
  ])("in whatever orders three threads come: %s", { timeout: 120_000 }, (_, bytes, count, blocks) => {
    const never = Number.POSITIVE_INFINITY;
    const { frees, takes } = freedAround(bytes, count, blocks, { frees: never, takes: never });
    expect(frees).toBeGreaterThan(2);
    expect(takes).toBeGreaterThan(20);
    for (let free = 0; free < frees; free++)
      for (let take = 0; take <= takes; take++)
        freedAround(bytes, count, blocks, { frees: free, takes: take });
  });
});
