// Options: everything that a heap can be told when it is made: where it lives, and its settings.
//
// Owns:  the option types; how settings are checked and shown.
// Needs: the engine's settings: their defaults, their rules and the words in the image that keep them.
//
// Unknown keys and bad values are refused by name. What is not in `HeapOptions` can be changed later: `heap.options`.

import type { Base } from "../kernel/address.ts";
import { engine } from "../kernel/design.ts";
import type { HeapSettings } from "../kernel/engine.ts";
import type { Machine } from "../kernel/machine.ts";
import { checkKeys, describe, refuseKey } from "../memory/arguments.ts";
import { checkViewLife, type ViewLife } from "../memory/lasting.ts";
import type { Memory } from "../memory/memory.ts";
import { printable, printed, shown } from "../memory/printed.ts";
import type { WasmGlobalObject, WasmMemoryObject } from "../memory/webassembly.ts";

export type { HeapSettings };

/** What Heap.create can be told. */
export interface HeapOptions extends Partial<HeapSettings> {
  /** Where the heap lives. Default: a WebAssembly.Memory of its own. */
  memory?: Memory | WasmMemoryObject | ArrayBufferLike;
  /**
   * The address of the heap's first byte: a multiple of 16, not 0. Or a module's global that holds one, such as the
   * __heap_base that it exports, which is rounded up. Default: the end of a WebAssembly.Memory that was given; else 16, for 0
   * is nobody's address.
   */
  base?: number | WasmGlobalObject;
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
   * Whether any number of threads may use the heap at the same time: each gets `heap.handle` and says `Heap.attach(handle)`. In a
   * shared WebAssembly.Memory or a SharedArrayBuffer the default is true. false is a heap for one thread at a time, which is smaller.
   * docs/THREADS.md says what it costs.
   */
  shared?: boolean;
  /**
   * The most bytes that the memory may have, if it is made here: a WebAssembly.Memory's maximum. Of a shared heap 0.1 percent of it is
   * the map's, untouched at first. Default: of a shared heap 1 GiB, else what WebAssembly allows.
   */
  maximum?: number;
  /**
   * Of a shared heap: for how many milliseconds a thread need not be heard of before `release` may take its place back. Threads say by
   * themselves that they are there, while their event loop runs. Default 10 000.
   */
  lease?: number;
  /**
   * Whether references look, at each use, if what they refer to is still alive, and raw pointers that become references lead to
   * live blocks. Not kept in the image: `heap.checking` sets it for a window. Default: true, unless NODE_ENV is "production", in
   * Node at run time or in a bundle when it is made.
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

const SETTINGS = engine.settings.names;
/** What Heap.create can be told besides settings, and Heap.inside. */
const CREATE_OPTIONS = [
  "memory",
  "base",
  "size",
  "alone",
  "reserve",
  "shared",
  "maximum",
  "lease",
  "checking",
  "views",
];
export const INSIDE_OPTIONS: readonly string[] = ["reserve", "checking"];

/** Throws if options have a key that is neither a setting nor one of those besides, or a value that its rule forbids. */
export function checkOptions(options: HeapOptions, besides: readonly string[] = CREATE_OPTIONS): void {
  checkKeys(options, [...besides, ...SETTINGS]);
  for (const name of SETTINGS) if (options[name] !== undefined) checkSetting(name, options[name]);
  const { views, lease } = options;
  if (lease !== undefined && !(Number.isInteger(lease) && lease > 0 && lease < 2 ** 31)) {
    const Kind = typeof lease === "number" ? RangeError : TypeError;
    throw new Kind(`lease: expected milliseconds, an integer from 1 to 2147483647, got ${describe(lease)}`);
  }
  for (const name of ["alone", "shared"] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== "boolean")
      throw new TypeError(`${name}: expected true or false, got ${describe(value)}`);
  }
  if (views !== undefined) checkViewLife(views);
}

function checkSetting(name: keyof HeapSettings, value: unknown): void {
  const { settings } = engine;
  if (settings.holds(name, value)) return;
  const message = `${name}: expected ${settings.rule(name)}, got ${describe(value)}`;
  throw typeof value === typeof settings.fallback(name) ? new RangeError(message) : new TypeError(message);
}

/** Changes those settings of a heap that are given. */
export function changeSettings(settings: HeapSettings, given: Partial<HeapSettings>): void {
  const change = <K extends keyof HeapSettings>(name: K): void => {
    const value: HeapSettings[K] | undefined = given[name];
    if (value !== undefined) settings[name] = value;
  };
  for (const name of SETTINGS) change(name);
}

/** Puts checked options, and the defaults of the others, into a new heap's image. */
export function applyOptions(m: Machine, heap: Base, options: Partial<HeapSettings>): void {
  const apply = <K extends keyof HeapSettings>(name: K): void => {
    const given: HeapSettings[K] | undefined = options[name];
    engine.settings.write(m, heap, name, given ?? engine.settings.fallback(name));
  };
  for (const name of SETTINGS) apply(name);
}

/** The growth step that a heap will have: the first footprint depends on it. */
export function growthStepOf(options: HeapOptions): number {
  return options.growthStep ?? engine.settings.fallback("growthStep");
}

/** The settings of a heap as an object: reading a property reads the image, writing one checks and writes it. */
export function settingsOf(fresh: () => Machine, heap: Base): HeapSettings {
  const settings = {} as HeapSettings;
  const define = <K extends keyof HeapSettings>(name: K): void => {
    Object.defineProperty(settings, name, {
      enumerable: true,
      get: () => engine.settings.read(fresh(), heap, name),
      set: (value: HeapSettings[K]) => {
        checkSetting(name, value);
        engine.settings.write(fresh(), heap, name, value);
      },
    });
  };
  for (const name of SETTINGS) define(name);
  printable(settings, function () {
    return printed(
      () => `HeapSettings ${shown(Object.fromEntries(SETTINGS.map((name) => [name, this[name]])))}`,
    );
  });
  // Without the trap the language refuses an unknown name, but does not say which are known, nor at all in sloppy code.
  return new Proxy(Object.preventExtensions(settings), {
    set: (target, key, value) => {
      if (!Object.hasOwn(target, key)) refuseKey(String(key), SETTINGS);
      return Reflect.set(target, key, value);
    },
  });
}
