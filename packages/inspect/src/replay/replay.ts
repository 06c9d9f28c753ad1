// Replay: plays a trace on a heap, and finds out whether the heap kept its word.
//
// Owns:       the player that verifies everything. (The one that only calls is in play.ts.)
// Needs:      format, play, stamp, inspect/heap-map. Any heap with the members named here.
// Invariants: R1  every payload lies where it may: aligned, inside the memory, large enough       O(1) a call
//             R2  every payload is as it was stamped, at free and at realloc (stamp.ts: S1 to S4)  O(bytes)
//             R3  all bytes of a calloc are zero, the common prefix of a realloc is kept           O(bytes)
//             R4  the heap's own check() holds, every so many calls and at the end
//             R5  when all is freed, the heap has no chunk but its top

import { checkKeys, isError } from "morecore/engine";
import { KIND, kindName, type Trace } from "../trace/format.ts";
import { type HeapMap, type Inspectable, takeHeapMap } from "./heap-map.ts";
import { type Allocator, findPeak } from "./play.ts";
import { type BrokenStamp, Stamper, stampSeed } from "./stamp.ts";

/** What replay looks at besides. A Heap is one. */
export interface ReplayHeap extends Allocator, Inspectable {
  /** All bytes of the heap's memory, as they are now. */
  readonly buffer: ArrayBufferLike;
  /** Bytes that it has got from its memory. */
  readonly footprint: number;
  /** The largest footprint so far. */
  readonly maxFootprint: number;
  /** How many bytes may be used at an address. */
  usableSize(ptr: number): number;
  /** Throws if the heap is not sound. */
  check(): void;
  /** Gives back what is not needed. */
  trim(): boolean;
  /** How often it grew, and merged free neighbours. */
  statistics(): { readonly growthCount: number; readonly coalesceCount: number };
}

/** What replay can be told. */
export interface ReplayOptions {
  /** check() runs after every so many calls, and at the end. 0: only at the end. Default 25 000. */
  readonly checkEvery?: number;
  /** About how many samples to take over the run, evenly spaced. Default 600. */
  readonly sampleCount?: number;
  /** Called now and then with the number of calls played. */
  readonly onProgress?: (calls: number) => void;
}

/** What a replay found wrong. */
export interface ReplayError {
  /** The record that was played, from 0; the trace's opCount for what was found at the end. */
  readonly call: number;
  /** What was wrong, in a sentence. */
  readonly message: string;
}

/** What a replay measured in a part of the run. */
export interface ReplaySample {
  /** Calls played. */
  readonly calls: number;
  /** The largest and smallest sum of live requested sizes since the sample before. */
  readonly liveBytes: number;
  /** The smallest sum of live requested sizes since the sample before. */
  readonly leastLiveBytes: number;
  /** The largest after any call since the sample before: a heap that trims may have had it for one call only. */
  readonly footprint: number;
}

/** What a replay found out. */
export interface ReplayResult {
  /** How many calls were played. */
  readonly calls: number;
  /** How long it took, with all that was verified. */
  readonly seconds: number;
  /** The most bytes that were live at once, as they were asked for. */
  readonly peakLiveBytes: number;
  /** The call after which live bytes first were at their peak. */
  readonly peakCall: number;
  /** The most bytes that the heap had got from its memory. */
  readonly peakFootprint: number;
  /** How often the heap asked its memory for more. */
  readonly growthCount: number;
  /** How often free neighbours were merged. */
  readonly coalesceCount: number;
  /** How many errors there were. */
  readonly errorCount: number;
  /** The first of them. */
  readonly errors: readonly ReplayError[];
  /** True when the heap was found broken, or threw, and the calls that follow were not played. */
  readonly stopped: boolean;
  /** The run in about as many parts as were asked for. */
  readonly samples: readonly ReplaySample[];
  /** The heap at peakCall; undefined when the replay stopped before. */
  readonly peakMap: HeapMap | undefined;
}

const ERRORS_KEPT = 20;
const PROGRESS_CALLS = 8192;
/** What the heap promises for any payload. */
const ALIGNMENT = 16;

/**
 * Plays a trace on a heap that nobody else uses and verifies R1 to R5. Never throws for what the heap does: errors are
 * counted, the first ones kept with their calls. Out of memory is one. The blocks still live at the end are freed.
 *
 * @example
 *
 * ```ts
 * const trace = decodeTrace(encodeTrace([{ kind: KIND.malloc, slot: 0, size: 10 }]));
 * const result = replay(trace, Heap.create());
 * console.log(result.calls, result.errorCount, result.peakLiveBytes); // 1 0 10
 * ```
 */
export function replay(trace: Trace, heap: ReplayHeap, options: ReplayOptions = {}): ReplayResult {
  return new Replay(trace, heap, options).run();
}

class Replay {
  readonly #trace: Trace;
  readonly #heap: ReplayHeap;
  /** Chunks of the heap's own before the first call: a heap that threads share keeps one. */
  readonly #own: number;
  readonly #stamper: Stamper;
  readonly #checkEvery: number;
  readonly #sampleEvery: number;
  readonly #onProgress: (calls: number) => void;
  readonly #peakCall: number;
  // By slot. A pointer of 0 is a slot that is free, or whose allocation failed.
  readonly #pointers: Uint32Array;
  readonly #sizes: Uint32Array;
  readonly #generations: Uint32Array;
  #call = 0;
  #liveBytes = 0;
  #mostLiveBytes = 0;
  #leastLiveBytes = 0;
  #mostFootprint = 0;
  #errorCount = 0;
  readonly #errors: ReplayError[] = [];
  readonly #samples: ReplaySample[] = [];
  #peakMap: HeapMap | undefined;

  constructor(trace: Trace, heap: ReplayHeap, options: ReplayOptions) {
    checkKeys(options, ["checkEvery", "sampleCount", "onProgress"]);
    const { checkEvery = 25_000, sampleCount = 600, onProgress = () => {} } = options;
    this.#trace = trace;
    this.#heap = heap;
    this.#own = takeHeapMap(heap).counts.overhead;
    this.#stamper = new Stamper(heap);
    this.#checkEvery = naturalNumber("checkEvery", checkEvery, 0) || Number.POSITIVE_INFINITY;
    this.#sampleEvery = Math.max(1, Math.ceil(trace.opCount / naturalNumber("sampleCount", sampleCount, 1)));
    this.#onProgress = onProgress;
    this.#peakCall = findPeak(trace);
    this.#mostFootprint = heap.footprint;
    this.#pointers = new Uint32Array(trace.slotCount);
    this.#sizes = new Uint32Array(trace.slotCount);
    this.#generations = new Uint32Array(trace.slotCount);
  }

  run(): ReplayResult {
    const { opCount } = this.#trace;
    const start = performance.now();
    let stopped = false;
    try {
      for (let next = 0; next < opCount; next = this.#call) this.#playUntil(this.#pause(next));
      this.#pause(opCount);
    } catch (error) {
      this.#fail(this.#call, `${this.#callText()}: ${messageOf(error)}`);
      stopped = true;
    }
    const seconds = (performance.now() - start) / 1000;
    const { growthCount, coalesceCount } = this.#heap.statistics();
    if (this.#samples.at(-1)?.calls !== this.#call) this.#sample();
    if (!stopped) stopped = !this.#finish();
    this.#onProgress(opCount);
    return {
      calls: opCount,
      seconds,
      peakLiveBytes: this.#trace.peakLiveBytes,
      peakCall: this.#peakCall,
      peakFootprint: this.#heap.maxFootprint,
      growthCount,
      coalesceCount,
      errorCount: this.#errorCount,
      errors: this.#errors,
      stopped,
      samples: this.#samples,
      peakMap: this.#peakMap,
    };
  }

  /** Does what is due after `calls` calls, and returns up to where the calls can be played without a pause. */
  #pause(calls: number): number {
    if (calls > 0 && calls % this.#checkEvery === 0) this.#heap.check();
    if (calls % this.#sampleEvery === 0) this.#sample();
    if (calls % PROGRESS_CALLS === 0) this.#onProgress(calls);
    if (calls === this.#peakCall + 1) this.#peakMap = takeHeapMap(this.#heap);
    let until = this.#trace.opCount;
    for (const every of [this.#checkEvery, this.#sampleEvery, PROGRESS_CALLS]) {
      until = Math.min(until, calls - (calls % every) + every);
    }
    return calls <= this.#peakCall ? Math.min(until, this.#peakCall + 1) : until;
  }

  #playUntil(end: number): void {
    const { kinds, slots, sizes } = this.#trace;
    while (this.#call < end) {
      const kind = kinds[this.#call] ?? 0;
      const slot = slots[this.#call] ?? 0;
      const size = sizes[this.#call] ?? 0;
      const old = this.#sizes[slot] ?? 0;
      if (kind === KIND.free) this.#free(slot);
      else if (kind === KIND.realloc) this.#reallocate(slot, size);
      else this.#allocate(kind, slot, size, this.#trace.alignments[this.#call] ?? 0);
      this.#liveBytes += size - old;
      this.#sizes[slot] = size;
      if (this.#liveBytes > this.#mostLiveBytes) this.#mostLiveBytes = this.#liveBytes;
      if (this.#liveBytes < this.#leastLiveBytes) this.#leastLiveBytes = this.#liveBytes;
      const { footprint } = this.#heap;
      if (footprint > this.#mostFootprint) this.#mostFootprint = footprint;
      this.#call++;
    }
  }

  #allocate(kind: number, slot: number, size: number, alignment: number): void {
    let ptr: number;
    if (kind === KIND.malloc) ptr = this.#heap.malloc(size);
    else if (kind === KIND.calloc) ptr = this.#heap.calloc(1, size);
    else ptr = this.#heap.memalign(alignment, size);
    if (!this.#isPlaced(ptr, size, Math.max(alignment, ALIGNMENT))) return;
    if (kind === KIND.calloc) {
      const offset = this.#stamper.firstNonZero(ptr, size);
      if (offset >= 0) this.#failCall(`byte ${offset} of ${size} is not zero`);
    }
    this.#place(slot, ptr, size);
  }

  #reallocate(slot: number, size: number): void {
    const old = this.#pointers[slot] ?? 0;
    const oldSize = this.#sizes[slot] ?? 0;
    if (old !== 0) this.#verify(slot, old, oldSize, oldSize, "before");
    const ptr = old === 0 ? this.#heap.malloc(size) : this.#heap.realloc(old, size);
    if (ptr === 0 && old !== 0) {
      this.#failCall(outOfMemory(size));
      // The old block must be as it was. The program would give up here; the replay goes on without the block.
      this.#verify(slot, old, oldSize, oldSize, "after");
      this.#heap.free(old);
      this.#pointers[slot] = 0;
      return;
    }
    this.#pointers[slot] = 0;
    if (!this.#isPlaced(ptr, size, ALIGNMENT)) return;
    if (old !== 0) this.#verify(slot, ptr, oldSize, Math.min(oldSize, size), "after");
    this.#place(slot, ptr, size);
  }

  #free(slot: number): void {
    const ptr = this.#pointers[slot] ?? 0;
    if (ptr === 0) return;
    const size = this.#sizes[slot] ?? 0;
    this.#verify(slot, ptr, size, size, "before");
    this.#pointers[slot] = 0;
    this.#heap.free(ptr);
  }

  /** R1. A payload that is not where it may be is not stamped, as that could break a heap that is not to blame. */
  #isPlaced(ptr: number, size: number, alignment: number): boolean {
    if (ptr === 0) {
      this.#failCall(outOfMemory(size));
      return false;
    }
    const { byteLength } = this.#stamper;
    if (ptr % alignment !== 0) this.#failCall(`${hex(ptr)} is not a multiple of ${alignment}`);
    else if (!(ptr > 0 && ptr + size <= byteLength)) this.#failCall(`${hex(ptr)} is outside the memory`);
    else {
      const usable = this.#heap.usableSize(ptr);
      if (usable >= size) return true;
      this.#failCall(`${hex(ptr)} has ${usable} usable bytes of the ${size} asked for`);
    }
    return false;
  }

  #place(slot: number, ptr: number, size: number): void {
    const generation = (this.#generations[slot] ?? 0) + 1;
    this.#generations[slot] = generation;
    this.#pointers[slot] = ptr;
    this.#stamper.stamp(ptr, size, stampSeed(slot, generation));
  }

  /** R2 and R3: the first `prefix` bytes of the stamp that the slot has for `size` bytes, found at ptr. */
  #verify(slot: number, ptr: number, size: number, prefix: number, when: "before" | "after"): void {
    const seed = stampSeed(slot, this.#generations[slot] ?? 0);
    const broken = this.#stamper.verify(ptr, size, seed, prefix);
    if (broken !== undefined) this.#failCall(brokenText(broken, ptr, size, when));
  }

  /** Frees what is live, and looks at what is left: R4 and R5. Returns false when the heap threw. */
  #finish(): boolean {
    try {
      for (let slot = 0; slot < this.#pointers.length; slot++) this.#free(slot);
      this.#heap.check();
      this.#heap.trim();
      const { counts } = takeHeapMap(this.#heap);
      if (counts.live + counts.cached + counts.free > 0 || counts.overhead > this.#own) {
        const left = `${counts.live} live, ${counts.overhead} of its own, ${counts.cached} cached, ${counts.free} free`;
        this.#failCall(`all is freed, and the heap still has chunks besides its top: ${left}`);
      }
      return true;
    } catch (error) {
      this.#failCall(messageOf(error));
      return false;
    }
  }

  #sample(): void {
    this.#samples.push({
      calls: this.#call,
      liveBytes: this.#mostLiveBytes,
      leastLiveBytes: this.#leastLiveBytes,
      footprint: this.#mostFootprint,
    });
    this.#mostFootprint = this.#heap.footprint;
    this.#mostLiveBytes = this.#liveBytes;
    this.#leastLiveBytes = this.#liveBytes;
  }

  #failCall(message: string): void {
    this.#fail(this.#call, `${this.#callText()}: ${message}`);
  }

  #fail(call: number, message: string): void {
    this.#errorCount++;
    if (this.#errors.length < ERRORS_KEPT) this.#errors.push({ call, message });
  }

  #callText(): string {
    const { opCount, kinds, slots, sizes } = this.#trace;
    if (this.#call >= opCount) return "at the end";
    const kind = kinds[this.#call] ?? 0;
    const size = kind === KIND.free ? "" : `, ${sizes[this.#call]} bytes`;
    return `call ${this.#call} (${kindName(kind)}, slot ${slots[this.#call]}${size})`;
  }
}

function brokenText(broken: BrokenStamp, ptr: number, size: number, when: "before" | "after"): string {
  const { offset, expected, found } = broken;
  const where = `payload ${hex(ptr)} of ${size} bytes is not as stamped ${when} the call`;
  return `${where}: at byte ${offset} expected ${hex(expected)}, found ${hex(found)}`;
}

function outOfMemory(size: number): string {
  return `out of memory for ${size} bytes`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function messageOf(error: unknown): string {
  return isError(error) ? `${error.name}: ${error.message}` : String(error);
}

function naturalNumber(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`${name} must be a whole number of at least ${least}, not ${value}`);
}
