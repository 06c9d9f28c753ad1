// Settings: what a heap can be told, by name: rule, default, and the words that keep it. Only JavaScript needs names.
//
// Owns:  the defaults and rules.
// Needs: options, which keeps the values in the heap's image.

import type { Base } from "./address.ts";
import type { HeapSettings, Settings } from "./engine.ts";
import { FAR_MAX, GRANULE, NO_ADVANCE, UNLIMITED } from "./layout.ts";
import type { Machine } from "./machine.ts";
import * as kernel from "./options.ts";

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
    fallback: FAR_MAX,
    rule: `a multiple of ${GRANULE} from 0 to ${FAR_MAX}`,
    holds: (value) => integerWithin(value, 0, FAR_MAX) && value % GRANULE === 0,
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

const NAMES = Object.keys(RULES) as (keyof HeapSettings)[];

export const settings: Settings = {
  names: NAMES,
  fallback: (name) => RULES[name].fallback,
  rule: (name) => RULES[name].rule,
  holds: (name, value) => RULES[name].holds(value),
  read: (m, heap, name) => RULES[name].get(m, heap),
  write: (m, heap, name, value) => RULES[name].set(m, heap, value),
  broken: brokenSettings,
  reset: resetSetting,
};

/** The settings whose words in a heap's image are none that could have been set. */
export function brokenSettings(m: Machine, heap: Base): (keyof HeapSettings)[] {
  return NAMES.filter((name) => !RULES[name].holds(RULES[name].get(m, heap)));
}

/** Gives a setting of a heap its default, whatever stands there. */
export function resetSetting<K extends keyof HeapSettings>(m: Machine, heap: Base, name: K): void {
  RULES[name].set(m, heap, RULES[name].fallback);
}
