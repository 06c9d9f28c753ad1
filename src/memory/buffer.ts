// Buffer memory: the bytes of an ArrayBuffer or a SharedArrayBuffer. Fixed: it never grows.

import type { Memory } from "./memory.ts";

/** A Memory over all of a buffer. A heap in a part of it is given its `base` and `size`. */
export function bufferMemory(buffer: ArrayBufferLike): Memory {
  // Access to a buffer that can change its size is twice as slow in V8, and one that shrinks would cut the heap off.
  if ("resizable" in buffer ? buffer.resizable : "growable" in buffer && buffer.growable) {
    throw new TypeError(
      "memory: a resizable buffer cannot hold a heap; pass a buffer of fixed length, or a WebAssembly.Memory to grow",
    );
  }
  return { buffer, grow: () => 0, fixed: true, untouched: buffer.byteLength };
}
