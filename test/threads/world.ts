// World: a heap that several threads share, in one simulation, and a ledger of the blocks that live in it. Whatever a call gives, the
// ledger checks at once; what the bytes say of all blocks is compared with it by audit.ts, at moments at which no call is under way.

import { asBase, asPtr, type Base } from "../../packages/morecore/src/kernel/address.ts";
import {
  AT_ADVANCE_LOG2,
  AT_FIRST_HEAP,
  AT_FOOTPRINT_LIMIT,
  AT_SMALL_LIMIT,
  AT_TRIM_THRESHOLD,
  FAR_MAX,
  FIXED_REGION,
  NEXT_HEAP,
  NO_ADVANCE,
  UNLIMITED,
} from "../../packages/morecore/src/kernel/layout.ts";
import { Machine, NEVER, Refused, type Steps, type Stops, Words } from "./machine.ts";
import type { ScheduledKernel } from "./scheduled.ts";

export interface Shape {
  /** How many threads have a heap when it begins. */
  readonly threads: number;
  /** How many more have a machine, but no heap yet. */
  readonly newcomers?: number;
  /** Bytes of the memory … */
  readonly size: number;
  /** … and how many it may grow to; without it, it never grows. */
  readonly most?: number;
  readonly step?: number;
  readonly trimThreshold?: number;
}

const COMMON = asBase(16);
const GROWTH_STEP = 256;
/** In blocks of more words, the ends are stamped. */
const STAMPED = 64;

/** What stands in a block's words; it tells of no order, so that equal heaps have equal bytes. */
function stampOf(ptr: number, index: number): number {
  return Math.imul(ptr + index * 4, 0x0101_0105) >>> 0;
}

export class World {
  readonly kernel: ScheduledKernel;
  readonly memory: Words;
  readonly common: Base = COMMON;
  readonly machines: readonly Machine[];
  /** Each thread's heap; 0: none. */
  heaps: Base[];
  /** The blocks that live: bytes asked for, by address. */
  live = new Map<number, number>();

  constructor(kernel: ScheduledKernel, shape: Shape) {
    const { threads, newcomers = 0, size, most, step = GROWTH_STEP, trimThreshold = UNLIMITED } = shape;
    this.kernel = kernel;
    this.memory = new Words(most ?? size, size);
    this.machines = Array.from(
      { length: threads + newcomers },
      (_, number) => new Machine(this.memory, number, NEVER),
    );
    const m = this.machine(0);
    const flags = most === undefined ? FIXED_REGION : 0;
    this.now(kernel.formatCommon(m, COMMON, size, most ?? size, COMMON, flags, step));
    this.now(kernel.openCommon(m, COMMON));
    this.set(AT_SMALL_LIMIT, FAR_MAX);
    this.set(AT_TRIM_THRESHOLD, trimThreshold);
    this.set(AT_ADVANCE_LOG2, NO_ADVANCE);
    this.heaps = this.machines.map(() => asBase(0));
    for (let thread = 0; thread < threads; thread++) this.now(this.join(thread));
  }

  machine(thread: number): Machine {
    return this.machines[thread] as Machine;
  }

  heap(thread: number): Base {
    return this.heaps[thread] as Base;
  }

  load(address: number): number {
    return this.memory.read(address >>> 2);
  }

  /** Sets a word of common's header. */
  set(at: number, value: number): void {
    this.memory.write((COMMON + at) >>> 2, value);
  }

  /** From now on the footprint may grow by so many bytes. */
  allowMore(footprint: number, bytes: number): void {
    this.set(AT_FOOTPRINT_LIMIT, footprint + bytes);
  }

  /** The heaps of all threads that ever came. */
  allHeaps(): Base[] {
    const heaps: Base[] = [];
    for (let at = this.load(COMMON + AT_FIRST_HEAP); at !== 0; at = this.load(at - NEXT_HEAP)) {
      if (heaps.length > 100) throw new Error("the list of heaps does not end");
      heaps.push(asBase(at));
    }
    return heaps;
  }

  /** Does a call at one go. */
  now<Result>(steps: Steps<Result>): Result {
    const before: readonly Stops[] = this.machines.map((machine) => machine.stops);
    for (const machine of this.machines) machine.stops = NEVER;
    try {
      for (;;) {
        const { done, value } = steps.next();
        if (done === true) return value;
      }
    } finally {
      for (const [index, machine] of this.machines.entries()) {
        machine.stops = before[index] as Stops;
        machine.reset();
      }
    }
  }

  /** A call that is one of a thread's: the thread goes on by what it returns. */
  *call<Result>(thread: number, steps: Steps<Result>): Steps<Result> {
    return this.machine(thread).back(yield* steps);
  }

  *join(thread: number): Steps<Base> {
    const heap = yield* this.call(thread, this.kernel.joinHeap(this.machine(thread), COMMON));
    if (heap !== 0 && this.heaps.includes(heap)) throw new Error(`heap ${heap.toString(16)} has two threads`);
    this.heaps[thread] = heap;
    return heap;
  }

  *leave(thread: number): Steps<void> {
    const heap = this.heap(thread);
    // Whoever comes next may have it before the call ends.
    this.heaps[thread] = asBase(0);
    yield* this.call(thread, this.kernel.leaveHeap(this.machine(thread), heap));
  }

  /** 0: no memory, which is wrong unless the caller says that there may be none. */
  *malloc(thread: number, bytes: number, certain = true): Steps<number> {
    const ptr = yield* this.call(thread, this.kernel.malloc(this.machine(thread), this.heap(thread), bytes));
    return this.got(ptr, bytes, certain);
  }

  *calloc(thread: number, bytes: number, certain = true): Steps<number> {
    const ptr = yield* this.call(
      thread,
      this.kernel.calloc(this.machine(thread), this.heap(thread), 1, bytes),
    );
    for (let at: number = ptr; ptr !== 0 && at < ptr + (bytes & ~3); at += 4) {
      if (this.load(at) !== 0) throw new Error(`calloc: ${at.toString(16)} is not zero`);
    }
    return this.got(ptr, bytes, certain);
  }

  *free(thread: number, ptr: number): Steps<void> {
    this.take(ptr);
    yield* this.call(thread, this.kernel.free(this.machine(thread), this.heap(thread), asPtr(ptr)));
  }

  /** Whether a free of what is no live block is refused. */
  *isRefused(thread: number, ptr: number): Steps<boolean> {
    const machine = this.machine(thread);
    try {
      yield* this.call(thread, this.kernel.free(machine, this.heap(thread), asPtr(ptr)));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      machine.reset();
      return true;
    }
    return false;
  }

  *realloc(thread: number, ptr: number, bytes: number, certain = true): Steps<number> {
    const before = this.take(ptr);
    const now = yield* this.call(
      thread,
      this.kernel.realloc(this.machine(thread), this.heap(thread), asPtr(ptr), bytes),
    );
    if (now === 0) {
      if (certain) throw new Error(`no memory for ${bytes} bytes`);
      this.got(ptr, before, true);
      return 0;
    }
    this.compare(now, ptr, before, Math.min(before, bytes));
    return this.got(now, bytes, true);
  }

  /** Frees blocks that are listed in another, which lives on. */
  *bulkFree(thread: number, list: number, ptrs: readonly number[]): Steps<void> {
    for (const ptr of ptrs) this.take(ptr);
    for (const [index, ptr] of ptrs.entries()) this.memory.write((list >>> 2) + index, ptr);
    yield* this.call(
      thread,
      this.kernel.bulkFree(this.machine(thread), this.heap(thread), asPtr(list), ptrs.length),
    );
    this.stamp(list, this.live.get(list) as number);
  }

  /** Takes a block out of the ledger. What was written to it must still be there. */
  take(ptr: number): number {
    const bytes = this.live.get(ptr);
    if (bytes === undefined) throw new Error(`${ptr.toString(16)} is no live block`);
    this.compare(ptr, ptr, bytes, bytes);
    this.live.delete(ptr);
    return bytes;
  }

  private got(ptr: number, bytes: number, certain: boolean): number {
    if (ptr === 0) {
      if (certain) throw new Error(`no memory for ${bytes} bytes`);
      return 0;
    }
    if (ptr % 16 !== 0) throw new Error(`${ptr.toString(16)} is not aligned`);
    for (const [other, size] of this.live) {
      if (ptr < other + Math.max(size, 1) && other < ptr + Math.max(bytes, 1))
        throw new Error(
          `${ptr.toString(16)}, of ${bytes} bytes, is given: ${other.toString(16)} lives there`,
        );
    }
    this.live.set(ptr, bytes);
    this.stamp(ptr, bytes);
    return ptr;
  }

  private stamp(ptr: number, bytes: number): void {
    for (const index of stamped(bytes)) this.memory.write((ptr >>> 2) + index, stampOf(ptr, index));
  }

  /** Whether the first bytes of a block are those of one that was at `from` and had `had`. */
  private compare(ptr: number, from: number, had: number, bytes: number): void {
    for (const index of stamped(had)) {
      if (index >= bytes >>> 2 || this.load(ptr + index * 4) === stampOf(from, index)) continue;
      throw new Error(`${ptr.toString(16)}, a live block, was written to at +${index * 4}`);
    }
  }
}

/** Which words of a block are stamped. */
function* stamped(bytes: number): Generator<number> {
  const words = bytes >>> 2;
  for (let index = 0; index < words; index++) {
    if (index < STAMPED || index >= words - 4) yield index;
    else index = words - 5;
  }
}
