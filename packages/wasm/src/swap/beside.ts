// Beside: allocators of its own in a program that imports the kernel's functions.
//
// Owns:  which of them would take the kernel's memory, and what is said then.
// Needs: module, flow's facts, room.
//
// The kernel's heap begins behind the program's data, or where its memory ends, and grows by memory.grow. That is no
// harm to an allocator which uses what memory.grow gives to it alone, as Rust's and Zig's do. It is to one that takes
// memory without asking: all from __heap_base on, or all up to memory.size, whoever grew it. wasi-libc's, Emscripten's,
// AssemblyScript's, TinyGo's and Go's do. Lea's malloc is found by decide.ts and put on the kernel's heap. Of any other
// its way of taking memory is all that is known: it is refused.

import { WasmFormatError } from "../format/binary.ts";
import { followAll } from "./dlmalloc.ts";
import type { FunctionFacts, ModuleFacts } from "./module.ts";
import { isSbrkPlain } from "./room.ts";

const GRANULE = 16;
const WORD_BYTES = 4;
/** Round numbers stand in programs for many reasons, not only as the address at which a heap begins. */
const ROUND = 1024;
/** What asks JavaScript for memory, in Emscripten. */
const ASKS_HOST = /\.(_?emscripten_resize_heap|_?sbrk|enlargeMemory|a_grow_memory)$/;
/** lib/morecore.c for Emscripten exports its sbrk, and the kernel asks that for all of its memory. */
const GROW_EXPORT = "morecore_grow";
const ADVICE =
  "Build it with lib/morecore.c in place of its C library's malloc, so that there is one heap; --no-swap leaves it as it is";

/** Whether there can be such an allocator at all; cheap. */
export function mayTakeMemory(facts: ModuleFacts, heapBase: number | undefined): boolean {
  if (facts.functions.some(({ exportedAs }) => exportedAs.includes(GROW_EXPORT))) return false;
  const bases = basesOf(heapBase);
  return (
    canGrow(facts) ||
    facts.functions.some(({ readsSize }) => readsSize) ||
    facts.functions.some(({ numbers }) => bases.some((base) => numbers.has(base))) ||
    isInData(facts, bases)
  );
}

/** Throws a WasmFormatError if something of the program's takes memory that it has not got by memory.grow. */
export function checkNoTakers(bytes: Uint8Array, facts: ModuleFacts, heapBase: number | undefined): void {
  const bases = basesOf(heapBase);
  const takers = takersOfBase(bytes, facts, bases);
  if (isInData(facts, bases))
    takers.push("its data has the address __heap_base in it, where its memory begins to be free");
  if (canGrow(facts) || bases.length === 0)
    for (const each of facts.functions)
      if (each.readsSize && !isSbrk(facts, each))
        takers.push(
          `${described(each)} looks where the memory ends (memory.size), as if all up to there were its own`,
        );
  if (takers.length > 0)
    throw new WasmFormatError(
      `it has an allocator of its own beside morecore's, and both would take the same memory: ${takers.slice(0, MOST_TOLD).join("; ")}. ${ADVICE}`,
    );
}

const MOST_TOLD = 3;

/** The malloc was found, and cannot be put on the kernel's heap. */
export function secondMallocError(cause: Error): WasmFormatError {
  return new WasmFormatError(
    `it has a malloc of its own beside morecore's, which must be put on the same heap and cannot: ${cause.message}. ${ADVICE}`,
    { cause },
  );
}

/** The address as an allocator may know it; none if it is not known, or round. */
function basesOf(heapBase: number | undefined): number[] {
  if (heapBase === undefined || heapBase === 0 || heapBase % ROUND === 0) return [];
  return [...new Set([heapBase, Math.ceil(heapBase / GRANULE) * GRANULE])];
}

function canGrow({ functions }: ModuleFacts): boolean {
  return functions.some(
    ({ growsMemory, imported }) => growsMemory || (imported !== undefined && ASKS_HOST.test(imported)),
  );
}

/** sbrk as in wasi-libc: what it gives is memory.grow's; sbrk(0) tells the memory's size. */
function isSbrk(facts: ModuleFacts, { index, signature }: FunctionFacts): boolean {
  return signature.text === "i32 -> i32" && isSbrkPlain(facts, index) === true;
}

/** A variable that begins with the address lies in the data. */
function isInData({ data }: ModuleFacts, bases: readonly number[]): boolean {
  if (bases.length === 0) return false;
  return data.some(({ address = 0, bytes }) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const first = -address & (WORD_BYTES - 1);
    for (let at = first; at + WORD_BYTES <= bytes.length; at += WORD_BYTES)
      if (bases.includes(view.getUint32(at, true))) return true;
    return false;
  });
}

/** Functions that read or write at the address, or hand it on otherwise than as an argument. */
function takersOfBase(bytes: Uint8Array, facts: ModuleFacts, bases: readonly number[]): string[] {
  if (!facts.functions.some(({ numbers }) => bases.some((base) => numbers.has(base)))) return [];
  const flows = followAll(bytes, facts);
  return facts.functions.flatMap((each) => {
    const flow = flows.get(each.index);
    const takes = bases.some(
      (base) => flow?.accessed.has(base) || (flow?.escaping.has(base) && !flow.passed.has(base)),
    );
    return takes ? [`${described(each)} uses the memory from __heap_base on`] : [];
  });
}

function described({ index, name, exportedAs: [exported] }: FunctionFacts): string {
  const known = name ?? exported;
  return `function ${index}${known === undefined ? "" : ` (${known})`}`;
}
