// Lasting: memories over which a view stays what it is when the memory grows.
//
// Owns:  which memories are so, and how a WebAssembly.Memory is made so.
// Needs: the memories. Engines that have WebAssembly.Memory.prototype.toResizableBuffer: Node 26, and browsers of 2026.
//
// A buffer that can be resized is not detached by a growth: views over its old part go on. What the engine gives for it is
// that each access looks whether the buffer has shrunk, which costs (`npm run bench:views`). So it is chosen, not the default.

import { describe } from "./arguments.ts";
import type { Memory } from "./memory.ts";
import { isSharedArrayBuffer } from "./slots.ts";
import { isResizable } from "./views.ts";
import { wasmOf } from "./wasm.ts";

/** How long a view of a heap is good for: until the memory grows, or as long as there is the memory. */
export type ViewLife = "until-growth" | "lasting";

/** Not in the types of this project's library yet. */
interface Convertible {
  toResizableBuffer?(): ArrayBufferLike;
}

export function checkViewLife(value: unknown): void {
  if (value === "lasting" || value === "until-growth") return;
  const message = `views: expected "until-growth" or "lasting", got ${describe(value)}`;
  throw typeof value === "string" ? new RangeError(message) : new TypeError(message);
}

/** How long views of a memory are good for, as it is now. */
export function viewLifeOf(memory: Memory): ViewLife {
  const { buffer } = memory;
  const stays = memory.fixed === true || memory.size !== undefined;
  return stays || isResizable(buffer) || isSharedArrayBuffer(buffer) ? "lasting" : "until-growth";
}

/**
 * From now on views of the memory last. Those that there are of a WebAssembly.Memory are empty then, as after a growth. Throws
 * a TypeError if it cannot be done, and nothing has changed.
 */
export function makeLasting(memory: Memory): void {
  if (viewLifeOf(memory) === "lasting") return;
  const wasm: (WebAssembly.Memory & Convertible) | undefined = wasmOf(memory);
  if (wasm === undefined)
    throw new TypeError(
      'views: "lasting" cannot be had in this Memory: expected a WebAssembly.Memory, or one that is fixed, ' +
        "shared, over a resizable buffer, or a reservation with a size",
    );
  if (wasm.toResizableBuffer === undefined)
    throw new TypeError(
      'views: "lasting" needs WebAssembly.Memory.prototype.toResizableBuffer, which this engine does not have ' +
        "(Node 26 has it)",
    );
  try {
    wasm.toResizableBuffer();
  } catch (error) {
    throw new TypeError('views: "lasting" needs a WebAssembly.Memory that was made with a maximum', {
      cause: error,
    });
  }
}
