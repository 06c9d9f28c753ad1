// Options: everything that a heap can be told, in one table: name, default, unit, rule, consequence.
//
// Owns:  the option types, defaults and rules.
// Needs: the kernel's options, which keep the values in the heap's image.
//
// Unknown keys and bad values are refused by name. What is not in `HeapOptions` can be changed later: `heap.options`.

import { type Base } from "../kernel/address.ts";
import { GRANULE, NO_ADVANCE, SMALL_MAX, UNLIMITED } from "../kernel/layout.ts";
import type { Machine } from "../kernel/machine.ts";
import * as kernel from "../kernel/options.ts";
import { checkKeys, describe, refuseKey } from "../memory/arguments.ts";
import { checkViewLife, type ViewLife } from "../memory/lasting.ts";
import type { Memory } from "../memory/memory.ts";

/** What can be set when a heap is made, and changed later. All are kept in the heap's image. */
export interface HeapSettings {
  /** The footprint grows by multiples of this many bytes: a power of two from 4096 to 2^30. Default 4096. */
  growthStep: number;
  /**
   * How much memory is asked for in advance, as a fraction of the footprint: 1, 1/2, 1/4 … 1/256, or 0 for none.
   * More means fewer calls of `memory.grow`, which are dear; untouched pages are not resident. Default 1/2; of Heap.inside 1.
   */
  advance: number;
  /**
   * The largest request, in bytes, that is served from slabs, where blocks have no headers: a multiple of 16 up to 256; 0
   * makes every block a chunk of its own, merged as soon as it is freed. Blocks that are in slabs already stay there. A slab takes
   * at most the 128th part of the region, or of footprintLimit: below 128 KiB there are none, from 256 KiB on all classes have them.
   * Default 256.
   */
  smallLimit: number;
  /** A free that leaves more than this many bytes in top gives them back; Infinity for never. Default 2 MiB. */
  trimThreshold: number;
  /** The footprint never grows beyond this many bytes; 0: it never grows at all; Infinity: no limit. The default. */
  footprintLimit: number;
  /** What realloc(p, 0) does: "alloc" gives a smallest block (BSD, musl), "free" frees and returns 0 (glibc). Default "alloc". */
  zeroSizeRealloc: "alloc" | "free";
}

/** What Heap.create can be told. */
export interface HeapOptions extends Partial<HeapSettings> {
  /** Where the heap lives. Default: a WebAssembly.Memory of its own. */
  memory?: Memory | WebAssembly.Memory | ArrayBufferLike;
  /**
   * The address of the heap's first byte: a multiple of 16, not 0; or a module's global that holds one, such as the
   * __heap_base that it exports, which is rounded up. Default: the end of a WebAssembly.Memory that was given; else 16, for 0
   * is nobody's address.
   */
  base?: number | WebAssembly.Global;
  /** Bytes of the region [base, base + size), outside of which the heap never goes. Default: to the memory's end, and on. */
  size?: number;
  /**
   * true: nobody else takes memory in this WebAssembly.Memory; heaps of morecore's may. It must be said of one that holds bytes of
   * others, as one does that a module exports, unless `size` bounds the heap. A module's malloc would take what is ours:
   * Emscripten's, wasi-libc's and AssemblyScript's take all below the memory's size. Heap.inside goes on beside them.
   */
  alone?: boolean;
  /** Bytes of memory to have from the beginning, without a growth. Default 1 MiB in a memory of its own, else 0. */
  reserve?: number;
  /**
   * Whether references look, at each use, if what they refer to is still alive, and raw pointers that become references lead to
   * live blocks. Not kept in the image: `heap.checking` sets it for a window. Default: true, unless NODE_ENV is "production".
   */
  checking?: boolean;
  /**
   * "lasting": views of the heap stay valid when the memory grows, at the price of slower access to them. In engines that have
   * WebAssembly.Memory.prototype.toResizableBuffer, or in memory where views last anyway; else a TypeError. A WebAssembly.Memory
   * that is given must have a maximum; views of it that there are already become empty once. Default "until-growth": get views anew.
   */
  views?: ViewLife;
}

/** What Heap.inside can be told. */
export interface InsideOptions extends Partial<HeapSettings>, Pick<HeapOptions, "checking"> {
  /** Bytes of memory to have from the beginning; each later loan is at least 64 KiB, too. Default 64 KiB. */
  reserve?: number;
}

interface Rule<T> {
  readonly fallback: T;
  readonly rule: string;
  readonly holds: (value: unknown) => boolean;
  readonly get: (m: Machine, heap: Base) => T;
  readonly set: (m: Machine, heap: Base, value: T) => void;
}

const KIBIBYTE = 1024;
const MEBIBYTE = KIBIBYTE * KIBIBYTE;
const GIBIBYTE = KIBIBYTE * MEBIBYTE;
const MIN_STEP = 4 * KIBIBYTE;
/** The fractions that `advance` can be: 2^-0 to 2^-8. */
const MAX_ADVANCE_LOG2 = 8;

function integerWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function wordOrInfinity(value: unknown): boolean {
  return value === Number.POSITIVE_INFINITY || integerWithin(value, 0, UNLIMITED - 1);
}

/** Infinity is stored as the largest word. */
const unlimited = (stored: number): number => (stored === UNLIMITED ? Number.POSITIVE_INFINITY : stored);
const stored = (value: number): number => (value === Number.POSITIVE_INFINITY ? UNLIMITED : value);

const RULES: { readonly [K in keyof HeapSettings]: Rule<HeapSettings[K]> } = {
  growthStep: {
    fallback: MIN_STEP,
    rule: "a power of two from 4096 to 2^30",
    holds: (value) => integerWithin(value, MIN_STEP, GIBIBYTE) && (value & (value - 1)) === 0,
    get: kernel.growthStep,
    set: kernel.setGrowthStep,
  },
  advance: {
    fallback: 1 / 2,
    rule: "0, or 1 divided by a power of two up to 256",
    holds: (value) =>
      value === 0 || (typeof value === "number" && integerWithin(-Math.log2(value), 0, MAX_ADVANCE_LOG2)),
    get: (m, heap) => {
      const log2 = kernel.advanceLog2(m, heap);
      // A word that stands for no fraction must not read as 0, which is one.
      return log2 === NO_ADVANCE ? 0 : 2 ** -Math.min(log2, MAX_ADVANCE_LOG2 + 1);
    },
    set: (m, heap, value) => kernel.setAdvanceLog2(m, heap, value === 0 ? NO_ADVANCE : -Math.log2(value)),
  },
  smallLimit: {
    fallback: SMALL_MAX,
    rule: `a multiple of ${GRANULE} from 0 to ${SMALL_MAX}`,
    holds: (value) => integerWithin(value, 0, SMALL_MAX) && value % GRANULE === 0,
    get: kernel.smallLimit,
    set: kernel.setSmallLimit,
  },
  trimThreshold: {
    fallback: 2 * MEBIBYTE,
    rule: "an integer from 0 to 4294967294, or Infinity",
    holds: wordOrInfinity,
    get: (m, heap) => unlimited(kernel.trimThreshold(m, heap)),
    set: (m, heap, value) => kernel.setTrimThreshold(m, heap, stored(value)),
  },
  footprintLimit: {
    fallback: Number.POSITIVE_INFINITY,
    rule: "an integer from 0 to 4294967294, or Infinity",
    holds: wordOrInfinity,
    get: (m, heap) => unlimited(kernel.footprintLimit(m, heap)),
    set: (m, heap, value) => kernel.setFootprintLimit(m, heap, stored(value)),
  },
  zeroSizeRealloc: {
    fallback: "alloc",
    rule: '"alloc" or "free"',
    holds: (value) => value === "alloc" || value === "free",
    get: (m, heap) => (kernel.zeroReallocFrees(m, heap) ? "free" : "alloc"),
    set: (m, heap, value) => kernel.setZeroReallocFrees(m, heap, value === "free"),
  },
};

const SETTINGS = Object.keys(RULES) as (keyof HeapSettings)[];
/** What Heap.create can be told besides settings, and Heap.inside. */
const CREATE_OPTIONS = ["memory", "base", "size", "alone", "reserve", "checking", "views"];
export const INSIDE_OPTIONS: readonly string[] = ["reserve", "checking"];

/** Throws if options have a key that is neither a setting nor one of those besides, or a value that its rule forbids. */
export function checkOptions(options: HeapOptions, besides: readonly string[] = CREATE_OPTIONS): void {
  checkKeys(options, [...besides, ...SETTINGS]);
  for (const name of SETTINGS) if (options[name] !== undefined) checkSetting(name, options[name]);
  const { alone, views } = options;
  if (alone !== undefined && typeof alone !== "boolean")
    throw new TypeError(`alone: expected true or false, got ${describe(alone)}`);
  if (views !== undefined) checkViewLife(views);
}

function checkSetting(name: keyof HeapSettings, value: unknown): void {
  const { rule, holds } = RULES[name];
  if (holds(value)) return;
  const message = `${name}: expected ${rule}, got ${describe(value)}`;
  throw typeof value === typeof RULES[name].fallback ? new RangeError(message) : new TypeError(message);
}

/** Changes those settings of a heap that are given. */
export function changeSettings(settings: HeapSettings, given: Partial<HeapSettings>): void {
  const change = <K extends keyof HeapSettings>(name: K): void => {
    const value: HeapSettings[K] | undefined = given[name];
    if (value !== undefined) settings[name] = value;
  };
  for (const name of SETTINGS) change(name);
}

/** The settings whose words in a heap's image are none that could have been set. */
export function brokenSettings(m: Machine, heap: Base): (keyof HeapSettings)[] {
  return SETTINGS.filter((name) => !RULES[name].holds(RULES[name].get(m, heap)));
}

/** Gives a setting of a heap its default, whatever stands there. */
export function resetSetting<K extends keyof HeapSettings>(m: Machine, heap: Base, name: K): void {
  RULES[name].set(m, heap, RULES[name].fallback);
}

/** Puts checked options, and the defaults of the others, into a new heap's image. */
export function applyOptions(m: Machine, heap: Base, options: Partial<HeapSettings>): void {
  const apply = <K extends keyof HeapSettings>(name: K): void => {
    const given: HeapSettings[K] | undefined = options[name];
    RULES[name].set(m, heap, given ?? RULES[name].fallback);
  };
  for (const name of SETTINGS) apply(name);
}

/** The growth step that a heap will have: the first footprint depends on it. */
export function growthStepOf(options: HeapOptions): number {
  return options.growthStep ?? RULES.growthStep.fallback;
}

/** The settings of a heap as an object: reading a property reads the image, writing one checks and writes it. */
export function settingsOf(fresh: () => Machine, heap: Base): HeapSettings {
  const settings = {};
  const define = <K extends keyof HeapSettings>(name: K): void => {
    Object.defineProperty(settings, name, {
      enumerable: true,
      get: () => RULES[name].get(fresh(), heap),
      set: (value: HeapSettings[K]) => {
        checkSetting(name, value);
        RULES[name].set(fresh(), heap, value);
      },
    });
  };
  for (const name of SETTINGS) define(name);
  // Without the trap the language refuses an unknown name, but does not say which are known, nor at all in sloppy code.
  return new Proxy(Object.preventExtensions(settings) as HeapSettings, {
    set: (target, key, value) => {
      if (!Object.hasOwn(target, key)) refuseKey(String(key), SETTINGS);
      return Reflect.set(target, key, value);
    },
  });
}
