// Module parts: a module's memory and its allocator, found among what the module exports.
//
// Owns:  the names that toolchains give them, and what each of these functions wants.
// Needs: module, promises.
//
//     C and C++ (wasi-libc, Emscripten's bare module)   memory, malloc, free
//     Emscripten's JavaScript                           wasmMemory or HEAPU8, _malloc, _free
//     Rust with wasm-bindgen                            memory, __wbindgen_malloc, __wbindgen_free
//     AssemblyScript (--exportRuntime)                  memory, __new, __pin, __unpin
//     any, without a malloc                             memory, sbrk

import { describe } from "./arguments.ts";
import { type Bytes, type Giver, ModuleMemory } from "./module.ts";
import { isBuffer, isWasmMemory } from "./slots.ts";
import { checkedWasm } from "./wasm.ts";
import type { WasmExports } from "./webassembly.ts";

/** What a module exports; of another name than toolchains give it, put under one of these. */
type Part = WasmExports[string] | undefined;

/** A module's memory and its allocator. */
export interface ModuleParts {
  /** The module's memory: a WebAssembly.Memory. */
  readonly memory?: Part;
  /** Emscripten's JavaScript has the memory under this name, or … */
  readonly wasmMemory?: Part;
  /** … only a view of it, which it makes anew when the memory has grown. */
  readonly HEAPU8?: Uint8Array;
  /** Is given the bytes, and 16 if it has a second parameter; answers with an address, or 0. */
  readonly malloc?: Part;
  /** Is given the address; the bytes, if it has a second parameter; and 16, if it has a third. */
  readonly free?: Part;
  /** `malloc`, by the name that Emscripten's JavaScript gives it. */
  readonly _malloc?: Part;
  /** `free`, by the name that Emscripten's JavaScript gives it. */
  readonly _free?: Part;
  /** Rust's, by wasm-bindgen's name: is given the bytes and the alignment. */
  readonly __wbindgen_malloc?: Part;
  /** Rust's, by wasm-bindgen's name: is given the address, the bytes and the alignment. */
  readonly __wbindgen_free?: Part;
  /** AssemblyScript's: makes an object of so many bytes. */
  readonly __new?: Part;
  /** AssemblyScript's: keeps an object from being collected. */
  readonly __pin?: Part;
  /** AssemblyScript's: lets an object be collected. */
  readonly __unpin?: Part;
  /** C's sbrk: is given the bytes, and answers with the address of the first, or -1. Takes nothing back. */
  readonly sbrk?: Part;
  /** `sbrk`, by the name that Emscripten's JavaScript gives it. */
  readonly _sbrk?: Part;
}

type Parts = Readonly<Record<string, unknown>>;
/** A function of the module, or of whoever stands for it. */
type Call = (...numbers: number[]) => unknown;

const PAIRS = [
  ["malloc", "free"],
  ["_malloc", "_free"],
  ["__wbindgen_malloc", "__wbindgen_free"],
] as const;
const SBRKS = ["sbrk", "_sbrk", "emscripten_sbrk", "_emscripten_sbrk"] as const;
/** What a heap's addresses are multiples of. */
const ALIGNMENT = 16;
/** AssemblyScript's number for a class without references. */
const OBJECT_ID = 0;
/** What sbrk says for no. */
const NO_MORE = 0xffff_ffff;

/** A memory that a module's own allocator gives. Throws a TypeError that says what is missing. */
export function moduleMemory(exports: WasmExports | ModuleParts): ModuleMemory {
  if (typeof exports !== "object" || exports === null)
    throw new TypeError(`exports: expected what a module exports, got ${describe(exports)}`);
  // By any name, whatever it is: each is looked at before it is used.
  const parts = exports as Parts;
  return new ModuleMemory(bytesIn(parts), giverIn(parts));
}

function bytesIn(parts: Parts): WebAssembly.Memory | Bytes {
  const { memory } = parts;
  if (memory !== undefined) return checkedWasm("memory", memory);
  const { wasmMemory } = given(parts, "wasmMemory");
  if (isWasmMemory(wasmMemory)) return checkedWasm("wasmMemory", wasmMemory);
  if (bufferOf(given(parts, "HEAPU8")) !== undefined)
    return {
      get buffer(): ArrayBufferLike {
        const buffer = bufferOf(parts);
        if (buffer === undefined)
          throw new TypeError(
            `HEAPU8: expected a Uint8Array over the memory, got ${describe(parts["HEAPU8"])}`,
          );
        return buffer;
      },
    };
  throw new TypeError(
    "exports: expected the module's memory as `memory` or `wasmMemory` (a WebAssembly.Memory), or as `HEAPU8`, found none of them",
  );
}

/**
 * A part that is simply there. Emscripten's JavaScript has getters for what was not exported, which end the program when
 * somebody looks.
 */
function given(parts: Parts, name: string): Parts {
  return { [name]: Object.getOwnPropertyDescriptor(parts, name)?.value };
}

function bufferOf(parts: Parts): ArrayBufferLike | undefined {
  const view = parts["HEAPU8"];
  return ArrayBuffer.isView(view) && isBuffer(view.buffer) ? view.buffer : undefined;
}

function giverIn(parts: Parts): Giver {
  for (const [malloc, free] of PAIRS)
    if (parts[malloc] !== undefined)
      return mallocGiver(malloc, functionOf(parts, malloc), functionOf(parts, free, malloc));
  if (parts["__new"] !== undefined)
    return assemblyScriptGiver(
      functionOf(parts, "__new"),
      functionOf(parts, "__pin", "__new"),
      functionOf(parts, "__unpin", "__new"),
    );
  const sbrk = SBRKS.find((name) => parts[name] !== undefined);
  if (sbrk !== undefined) return sbrkGiver(sbrk, functionOf(parts, sbrk));
  const pairs = PAIRS.map(([malloc, free]) => `${malloc} and ${free}`).join(", ");
  throw new TypeError(
    `exports: expected an allocator (${pairs}, __new, __pin and __unpin, or sbrk), found none of them; ` +
      "one of another name can be given as `malloc` and `free`. If nothing in the module allocates, and nobody else grows its " +
      "memory: Heap.create({ memory, base, alone: true })",
  );
}

function functionOf(parts: Parts, name: string, beside?: string): Call {
  const found = parts[name];
  if (typeof found === "function") return found as Call;
  const why = beside === undefined ? "" : ` to go with ${beside}`;
  throw new TypeError(`${name}: expected a function${why}, got ${describe(found)}`);
}

/** C's malloc and free, or such as take a size and an alignment, too, as Rust's do: each gets what it has parameters for. */
function mallocGiver(name: string, malloc: Call, free: Call): Giver {
  const asFarAs = (call: Call, ...numbers: number[]): unknown =>
    call(...numbers.slice(0, Math.max(1, call.length)));
  return {
    name,
    slack: ALIGNMENT,
    allocate: (bytes) => addressOf(name, asFarAs(malloc, bytes, ALIGNMENT)),
    free: (ptr, bytes) => asFarAs(free, ptr, bytes, ALIGNMENT),
  };
}

/** AssemblyScript's runtime: an object that is pinned is never collected. */
function assemblyScriptGiver(make: Call, pin: Call, unpin: Call): Giver {
  return {
    name: "__new",
    slack: ALIGNMENT,
    allocate(bytes) {
      const ptr = addressOf("__new", make(bytes, OBJECT_ID));
      if (ptr !== 0) pin(ptr);
      return ptr;
    },
    free: (ptr) => unpin(ptr),
  };
}

/** C's sbrk. What it gives mostly follows what it gave before. Some align it to less than 16. */
function sbrkGiver(name: string, sbrk: Call): Giver {
  const more = (bytes: number): number => addressOf(name, sbrk(bytes));
  return {
    name,
    slack: 0,
    allocate(bytes) {
      const ptr = more(bytes);
      if (ptr === NO_MORE) return 0;
      const lacks = (ALIGNMENT - (ptr % ALIGNMENT)) % ALIGNMENT;
      // The few bytes are lost if somebody else was faster.
      return lacks === 0 || more(lacks) === ptr + bytes ? ptr + lacks : 0;
    },
  };
}

/** An address as wasm gives it: signed, or by JavaScript that knows better, unsigned. */
function addressOf(name: string, answer: unknown): number {
  if (typeof answer !== "number")
    throw new TypeError(`${name}: expected it to give an address, got ${describe(answer)}`);
  if (!Number.isInteger(answer) || answer < -(2 ** 31) || answer >= 2 ** 32)
    throw new RangeError(`${name}: expected it to give an address of 32 bits, got ${answer}`);
  return answer >>> 0;
}
