// Support for the tests of swap: packages' files, the swapped module, and the memory that a package's JavaScript made.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { SwapRefusedError, type SwapReport, swapModule } from "@morecore/wasm/swap";
import { Heap } from "morecore";
import { expect } from "vitest";

const require = createRequire(import.meta.url);

/** A file of an installed package, by its path in node_modules. */
export function packageFile(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../node_modules/${path}`, import.meta.url)));
}

export function packageText(path: string): string {
  return new TextDecoder().decode(packageFile(path));
}

/** A CommonJS package, loaded anew: some keep the first instance that they made. */
export function load(name: string): unknown {
  delete require.cache[require.resolve(name)];
  return require(name);
}

/** Large results are compared, and shown when they differ, by their digests. */
export function digest(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** What the swap refuses a module for. Fails if it does not. */
export async function refusal(bytes: Uint8Array, glue?: string): Promise<SwapReport> {
  try {
    await swapModule(bytes, glue === undefined ? {} : { glue });
  } catch (error) {
    if (error instanceof SwapRefusedError) return error.report;
    throw error;
  }
  throw new Error("the module was not refused");
}

/** The functions that a report says are replaced: role → index. */
export function replacedIn({ functions }: SwapReport): Record<string, number> {
  const replaced = functions.filter(({ action }) => action === "replaced");
  return Object.fromEntries(replaced.map(({ role, index }) => [role, index]));
}

export interface Run<T> {
  readonly result: T;
  readonly memory: WebAssembly.Memory;
  /** The memory's size when the module was made, in bytes. */
  readonly initialBytes: number;
}

/** Runs what makes an instance and works with it, and catches the first memory that is made or exported. */
export async function runWithMemory<T>(work: () => Promise<T>): Promise<Run<T>> {
  const original = WebAssembly.instantiate;
  let memory: WebAssembly.Memory | undefined;
  let initialBytes = 0;
  const note = (found: WebAssembly.Memory | undefined) => {
    if (memory !== undefined || found === undefined) return;
    memory = found;
    initialBytes = found.buffer.byteLength;
  };
  const catching = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    // The two signatures of instantiate differ by what they are given.
    const made = await original(source as BufferSource, imports);
    const { exports } = "instance" in made ? made.instance : (made as unknown as WebAssembly.Instance);
    note(memoryIn(imports ?? {}) ?? memoryIn({ exports }));
    return made;
  };
  WebAssembly.instantiate = catching as typeof WebAssembly.instantiate;
  try {
    const result = await work();
    if (memory === undefined) throw new Error("no memory was seen");
    return { result, memory, initialBytes };
  } finally {
    WebAssembly.instantiate = original;
  }
}

function memoryIn(modules: Record<string, object>): WebAssembly.Memory | undefined {
  for (const module of Object.values(modules))
    for (const value of Object.values(module)) if (value instanceof WebAssembly.Memory) return value;
  return undefined;
}

/** The heap in a memory, found by its magic word; undefined: there is none. */
export function findHeap(memory: WebAssembly.Memory): Heap | undefined {
  const bytes = Buffer.from(memory.buffer);
  for (let at = bytes.indexOf("MORE"); at >= 0; at = bytes.indexOf("MORE", at + 1)) {
    if (at % 16 !== 0) continue;
    try {
      return Heap.attach(memory, at);
    } catch {
      // The same four bytes by chance.
    }
  }
  return undefined;
}

/** The swapped run did the same, in a memory that had to grow, on our heap, and left that sound. */
export function expectSwapped<T>(original: Run<T>, swapped: Run<T>): void {
  expect(swapped.result).toEqual(original.result);
  expect(findHeap(original.memory)).toBeUndefined();
  const heap = findHeap(swapped.memory);
  if (heap === undefined) throw new Error("there is no heap of morecore in the memory");
  expect(() => heap.check()).not.toThrow();
  expect(heap.footprint).toBeGreaterThan(0);
  expect(swapped.memory.buffer.byteLength).toBeGreaterThan(swapped.initialBytes);
}
