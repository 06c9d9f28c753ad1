// Watch: what a program calls of its heap, counted, recorded and checked on the way.
//
// Owns:  a function of JavaScript around each function of the malloc family.
// Needs: a heap's functions; trace/record.
//
// The heap's own functions go from wasm to wasm; these do not, and are only put between when somebody wants to know.
// A call is noted after it has succeeded: one that the heap refuses has not happened. Words come signed from wasm.

import { type WasmFunction } from "morecore";
import {
  type Call,
  type CName,
  familyCalls,
  hex,
  isError,
  type ParameterKind,
  type TracedKind,
} from "morecore/engine";
import { LiveBlockError, type TraceRecorder } from "../record/record.ts";

/**
 * The heap was found corrupt by a check between two calls.
 *
 * @example
 *
 * ```ts
 * const watch = new HeapWatch({
 *   recorder: new TraceRecorder(),
 *   checkEvery: 1,
 *   check: () => {
 *     throw new Error("broken");
 *   },
 *   words: () => new Uint32Array(),
 * });
 * try {
 *   watch.check();
 * } catch (error) {
 *   console.log(error instanceof HeapCheckError && error.lastSound); // 0
 * }
 * ```
 */
export class HeapCheckError extends Error {
  override readonly name = "HeapCheckError";
  /** The number of the call after which it was found, from 1. */
  readonly call: number;
  /** The number of the last call after which the heap was sound; 0: none. */
  readonly lastSound: number;

  /** `name`: the call, as it is written; undefined: the program had ended. */
  constructor(call: number, name: string | undefined, lastSound: number, cause: Error) {
    const found = name === undefined ? `at the end, after call ${call}` : `after call ${call}, ${name}`;
    const before =
      lastSound === 0 ? "it had not been checked before" : `it was sound after call ${lastSound}`;
    super(`${cause.message}; found ${found}; ${before}`, { cause });
    this.call = call;
    this.lastSound = lastSound;
  }
}

export interface WatchOptions {
  readonly recorder: TraceRecorder;
  /** Check the heap after every so many calls; 0: never. */
  readonly checkEvery: number;
  /** Throws if the heap is not sound. */
  check(): void;
  /** The words of the program's memory from an address on: as many as there are, if they are fewer. */
  words(at: number, count: number): Uint32Array;
}

/** The kinds of calls that are counted apart; all others are "other". */
export const CALL_KINDS = [
  "malloc",
  "calloc",
  "realloc",
  "aligned",
  "free",
  "other",
] as const satisfies readonly (TracedKind | "other")[];
/** A kind of calls that is counted. */
export type CallKind = (typeof CALL_KINDS)[number];

type Wrapper = (call: WasmFunction, options: WatchOptions) => WasmFunction;

interface Rule {
  readonly kind: CallKind;
  /** Around a call, to note what it did. Without one there is nothing to note. */
  readonly wrapper?: Wrapper;
}

/**
 * Counts, records and checks the calls of one program.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const watch = new HeapWatch({
 *   recorder: new TraceRecorder(),
 *   checkEvery: 1,
 *   check: () => heap.check(),
 *   words: (at, count) => heap.u32(at, count),
 * });
 * const { malloc } = watch.watched(heap.exports);
 * malloc?.(100);
 * console.log(watch.counts.malloc); // 1
 * ```
 */
export class HeapWatch {
  /** Calls by kind, those that failed or were refused included. */
  readonly counts: Record<CallKind, number> = {
    malloc: 0,
    calloc: 0,
    realloc: 0,
    aligned: 0,
    free: 0,
    other: 0,
  };
  /** Calls in all. */
  calls = 0;
  readonly #options: WatchOptions;
  #lastSound = 0;

  /** Around a heap that the options tell how to check. */
  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** The functions, watched. Their names are C's, with or without a prefix: "mc_", "_". */
  watched(functions: Readonly<Record<string, WasmFunction>>): Readonly<Record<string, WasmFunction>> {
    return Object.fromEntries(
      Object.entries(functions).map(([name, call]) => [name, this.#watch(name.replace(/^(mc)?_/, ""), call)]),
    );
  }

  /** Checks the heap now, after the last call. */
  check(): void {
    this.#check(undefined);
  }

  #watch(name: string, call: WasmFunction): WasmFunction {
    const { kind, wrapper } = RULES.get(name) ?? OTHER;
    const inner = wrapper === undefined ? call : wrapper(call, this.#options);
    const { checkEvery } = this.#options;
    return (...words) => {
      this.calls++;
      this.counts[kind]++;
      const result = this.#noted(() => inner(...words), name, kind, words);
      if (checkEvery > 0 && this.calls % checkEvery === 0) this.#check(callText(name, kind, words));
      return result;
    };
  }

  /** The recorder says so when the heap has given a block that is live already: then it is no heap any more. */
  #noted<T>(call: () => T, name: string, kind: CallKind, words: readonly number[]): T {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof LiveBlockError)) throw error;
      throw new HeapCheckError(this.calls, callText(name, kind, words), this.#lastSound, error);
    }
  }

  #check(name: string | undefined): void {
    try {
      this.#options.check();
    } catch (error) {
      throw isError(error) ? new HeapCheckError(this.calls, name, this.#lastSound, error) : error;
    }
    this.#lastSound = this.calls;
  }
}

/** "realloc(0x00010dc0, 24)": an address as errors write it. */
function callText(name: string, kind: CallKind, words: readonly number[]): string {
  const takesBlock = kind === "free" || kind === "realloc";
  const texts = words.map(unsigned).map((word, index) => (takesBlock && index === 0 ? hex(word) : word));
  return `${name}(${texts.join(", ")})`;
}

const WORD_BYTES = 4;

const unsigned = (word: number): number => word >>> 0;

/** … → ptr */
const gives =
  (note: (recorder: TraceRecorder, ptr: number, words: readonly number[]) => void): Wrapper =>
  (call, { recorder }) =>
  (...words) => {
    const ptr = call(...words);
    note(recorder, ptr >>> 0, words.map(unsigned));
    return ptr;
  };

/** ptr, … → nothing */
const frees: Wrapper =
  (call, { recorder }) =>
  (...words) => {
    const nothing = call(...words);
    recorder.free(unsigned(words[0] ?? 0));
    return nothing;
  };

/** result, alignment, bytes → errno */
const posixMemalign: Wrapper = (call, options) => (result, alignment, bytes) => {
  const errno = call(result ?? 0, alignment ?? 0, bytes ?? 0);
  if (errno === 0) {
    const [ptr = 0] = options.words(unsigned(result ?? 0), 1);
    options.recorder.aligned(ptr, unsigned(alignment ?? 0), unsigned(bytes ?? 0));
  }
  return errno;
};

/** An address, size → the address, or 0: the block is as it was. */
const inPlace = gives((recorder, ptr, [old = 0, bytes = 0]) => {
  if (ptr !== 0) recorder.realloc(old, ptr, bytes);
});

/** count, bytes, result → an array of blocks, which is a block itself unless `result` was given */
const independentCalloc: Wrapper =
  (call, { recorder, words: wordsAt }) =>
  (...words) => {
    const [count = 0, bytes = 0, result = 0] = words.map(unsigned);
    const array = unsigned(call(...words));
    if (array === 0) return array;
    if (result === 0) recorder.malloc(array, count * WORD_BYTES);
    for (const ptr of wordsAt(array, count)) recorder.calloc(ptr, bytes);
    return array;
  };

/** count, sizes, result → an array of blocks, as above */
const independentComalloc: Wrapper =
  (call, { recorder, words: wordsAt }) =>
  (...words) => {
    const [count = 0, sizes = 0, result = 0] = words.map(unsigned);
    // A copy: `result` may be the same array.
    const asked = wordsAt(sizes, count).slice();
    const array = unsigned(call(...words));
    if (array === 0) return array;
    if (result === 0) recorder.malloc(array, count * WORD_BYTES);
    for (const [index, ptr] of wordsAt(array, count).entries()) recorder.malloc(ptr, asked[index] ?? 0);
    return array;
  };

/** list, count → nothing; the list's words are zero afterwards */
const bulkFree: Wrapper =
  (call, { recorder, words: wordsAt }) =>
  (...words) => {
    const [list = 0, count = 0] = words.map(unsigned);
    const ptrs = wordsAt(list, count).slice();
    const nothing = call(...words);
    for (const ptr of ptrs) recorder.free(ptr);
    return nothing;
  };

const OTHER: Rule = { kind: "other" };

/** How what a trace has of a call is read from its words, whose meanings the table gives: by what the trace has it as. */
const NOTED: Readonly<Record<TracedKind, (call: Call) => Wrapper>> = {
  malloc: (call) => gives((recorder, ptr, words) => recorder.malloc(ptr, bytesIn(call, words))),
  calloc: (call) => gives((recorder, ptr, words) => recorder.calloc(ptr, bytesIn(call, words))),
  realloc: (call) =>
    gives((recorder, ptr, words) => recorder.realloc(words[0] ?? 0, ptr, bytesIn(call, words))),
  aligned: (call) =>
    gives((recorder, ptr, words) =>
      recorder.aligned(ptr, wordOf(call, words, "alignment") ?? 0, bytesIn(call, words)),
    ),
  free: () => frees,
};

/** The word that a call was given for a parameter of a kind; undefined: it has none. */
function wordOf({ parameters }: Call, words: readonly number[], kind: ParameterKind): number | undefined {
  return words[parameters.findIndex(([, each]) => each === kind)];
}

/** The bytes that a call asks for: count * bytes where it has a count. */
function bytesIn(call: Call, words: readonly number[]): number {
  return (wordOf(call, words, "count") ?? 1) * (wordOf(call, words, "bytes") ?? 0);
}

/** Calls whose words do not tell it all. */
const OWN: { readonly [Name in CName]?: Wrapper } = {
  posix_memalign: posixMemalign,
  realloc_in_place: inPlace,
  independent_calloc: independentCalloc,
  independent_comalloc: independentComalloc,
  bulk_free: bulkFree,
};

/** For each call that a trace has something of. */
const RULES: ReadonlyMap<string, Rule> = new Map(
  familyCalls().map(([, call]): [string, Rule] => {
    const { c, traced } = call;
    const own: Wrapper | undefined = OWN[c as CName];
    if (traced === undefined) return [c, own === undefined ? OTHER : { kind: "other", wrapper: own }];
    return [c, { kind: traced, wrapper: own ?? NOTED[traced](call) }];
  }),
);
