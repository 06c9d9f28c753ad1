// Buffer memory: the bytes of an ArrayBuffer or a SharedArrayBuffer. Fixed: it never grows.

import type { Memory } from "./memory.ts";
import { describeOther, isBuffer } from "./slots.ts";
import { isResizable } from "./views.ts";

/** A buffer is one memory, whoever asks for it. */
const known = new WeakMap<ArrayBufferLike, Memory>();

/**
 * The Memory over all of a buffer: the same one each time. A heap in a part of it is given its `base` and `size`.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create({ memory: bufferMemory(new ArrayBuffer(65_536)) });
 * console.log(heap.malloc(100_000)); // 0
 * ```
 */
export function bufferMemory(buffer: ArrayBufferLike): Memory {
  const made = known.get(buffer);
  if (made !== undefined) return made;
  if (!isBuffer(buffer))
    throw new TypeError(
      `memory: expected an ArrayBuffer or a SharedArrayBuffer, got ${describeOther(buffer)}`,
    );
  // Access to a buffer that can change its size is twice as slow in V8, and one that shrinks would cut the heap off.
  if (isResizable(buffer))
    throw new TypeError(
      "memory: a resizable buffer cannot hold a heap; pass a buffer of fixed length, or a WebAssembly.Memory to grow",
    );
  const memory = { buffer, grow: () => 0, fixed: true, untouched: buffer.byteLength };
  known.set(buffer, memory);
  return memory;
}
