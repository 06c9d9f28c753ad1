// Views: typed arrays over a memory, and the rule that says whether they still cover it.
//
// Owns:  when arrays are made anew. Which arrays is the subclass's: the kernel's Machine, the references' Space.
// Needs: a Memory.
// Invariants: V1  arrays that were just made end where the memory does                          O(1)
//
// Nobody tells that a memory has grown, so sizes are compared. A growth of a plain WebAssembly.Memory empties
// the old arrays, so there their own length is enough. To ask the memory would double what a call takes. In
// shared memory and over a resizable buffer old arrays stay as they were, so the memory is asked. Of which
// kind it is can change at any time (toResizableBuffer); that empties the arrays, so it is found out whenever
// they are made anew.
//
// Over a resizable buffer, too, arrays have a fixed length. Those that follow the buffer would never be stale, but V8 takes
// many times as long for an element of one in shared memory (`npm run bench:views`).

import type { Memory } from "./memory.ts";
import { isArrayBuffer } from "./slots.ts";

export abstract class MemoryViews {
  readonly memory: Memory;
  /** All bytes that the arrays cover. */
  u8!: Uint8Array;
  /** How many bytes the memory had when the arrays were made. */
  private bytes = 0;
  /** Whether only the memory can tell that it has grown. */
  protected watched = false;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** Makes the arrays over a buffer, each of a fixed length. */
  protected abstract cover(buffer: ArrayBufferLike): void;

  /** Makes the arrays anew, over what the memory is now. Throws a TypeError if a Memory breaks its promise about old buffers. */
  refresh(): void {
    this.memory.settle?.();
    const { buffer } = this.memory;
    if (this.u8 !== undefined) checkLeft(this.u8.buffer, buffer);
    if (buffer.byteLength === 0 && this.bytes > 0) refuseDetached();
    this.bytes = buffer.byteLength;
    this.watched = isWatched(this.memory, buffer);
    this.cover(buffer);
  }

  /** Sees to it that bytes are within the arrays. False: they are not within the memory. */
  reaches(end: number): boolean {
    if (end <= this.u8.length) return true;
    this.refresh();
    return end <= this.u8.length;
  }
}

function refuseDetached(): never {
  throw new TypeError(
    "memory: its buffer has been detached, as when a WebAssembly.Memory grows or a buffer is transferred; attach to the memory instead",
  );
}

/** Whether a buffer can change its size while it is the same object. */
export function isResizable(buffer: ArrayBufferLike): boolean {
  return "resizable" in buffer ? buffer.resizable === true : "growable" in buffer && buffer.growable === true;
}

/** Whether a memory can grow without emptying the arrays over its buffer. */
function isWatched(memory: Memory, buffer: ArrayBufferLike): boolean {
  if (isResizable(buffer)) return true;
  // One that is a reservation has the same buffer for ever.
  const stays = memory.fixed === true || memory.size !== undefined;
  return !stays && !isArrayBuffer(buffer);
}

/** An ArrayBuffer that was left for another must be empty: what is read and written there by old views would be lost. */
function checkLeft(before: ArrayBufferLike, now: ArrayBufferLike): void {
  if (before === now || !isArrayBuffer(before) || before.byteLength === 0) return;
  throw new TypeError(
    "memory: expected a buffer that has been left for another to be detached, found one of " +
      `${before.byteLength} bytes (ArrayBuffer.prototype.transfer does that)`,
  );
}
