// Alone: whether somebody else may take memory in a WebAssembly.Memory that a heap is to grow in.
//
// Owns:  which memories have been found, or said, to be morecore's alone.
// Needs: nothing.
//
// Who exports a memory cannot be asked: it is an ordinary object. What can be seen is whether somebody has
// been there. A module's memory holds its data from the moment that it is instantiated; one that was just
// made is zero. A module's malloc may take all below the memory's size (memory/module.ts). A heap that grows
// there of its own accord loses its blocks to it, without a word. Better ask once too often, and be told.

import { AT_MAGIC, GRANULE, MAGIC, MEMORY_UNIT } from "../kernel/engine.ts";
import { isWasmGlobal } from "../memory/slots.ts";
import type { WasmMemoryObject } from "../memory/webassembly.ts";
import type { HeapOptions } from "./options.ts";

const alone = new WeakSet<WebAssembly.Memory>();

/** The first wasm pages are looked at whole … */
const WHOLE_BYTES = 2 * MEMORY_UNIT;
/** … and of those up to here the beginning: data that lie behind a stack begin with one. To look costs a page fault each. */
const LOOKED_AT_BYTES = 32 * 1024 * 1024;
const FIRST_BYTES = 4096;
const NOTHING = -1;

/** Throws unless a heap may be made in a memory as the options say, by what they say and by what is there. */
export function checkAlone(memory: WasmMemoryObject, options: HeapOptions): void {
  const { base, size, alone: said } = options;
  if (said !== true) {
    const why = whyNot(memory, options);
    // A region within what is there: somebody has set it aside. Nothing of a module's lies behind a global but its own heap.
    const isRegion =
      typeof base === "number" && size !== undefined && base + size <= memory.buffer.byteLength;
    if (why !== undefined && isRegion) return;
    if (why !== undefined) refuse(why);
  }
  alone.add(memory);
}

/** What speaks against growing in a memory. */
function whyNot(memory: WebAssembly.Memory, { base, alone: said }: HeapOptions): string | undefined {
  if (said === false) return "alone is false";
  if (isWasmGlobal(base)) return "base is a module's global";
  if (alone.has(memory)) return undefined;
  const at = firstWritten(memory);
  return at === NOTHING ? undefined : `it holds bytes that others have written, at ${at}`;
}

function refuse(why: string): never {
  throw new TypeError(
    `memory: others may take memory here (${why}), and a heap that grows beside them loses its blocks to their malloc. ` +
      "Expected Heap.inside(exports), which grows by the module's own malloc; or `base` and `size` of a region that the module " +
      "gave; or `alone: true`, if nothing else takes or grows this memory",
  );
}

/** Where somebody has written who is no heap of morecore's; NOTHING: nowhere, as far as a look tells that is not dear. */
function firstWritten({ buffer }: WebAssembly.Memory): number {
  const end = Math.min(buffer.byteLength, LOOKED_AT_BYTES);
  for (let page = 0; page < end; page += MEMORY_UNIT) {
    const bytes = page < WHOLE_BYTES ? MEMORY_UNIT : FIRST_BYTES;
    const words = new Uint32Array(buffer, page, bytes / 4);
    for (let index = 0; index < words.length; index++) {
      if (words[index] === 0) continue;
      const at = page + index * 4;
      // Made by another thread, in a memory where nobody was before: what follows is the heap's.
      const isHeap = at % GRANULE === AT_MAGIC && words[index] === MAGIC;
      return isHeap ? NOTHING : at;
    }
  }
  return NOTHING;
}
