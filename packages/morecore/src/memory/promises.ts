// Promises: what a Memory says of itself and answers, looked at before it is used.
//
// Owns:  the rules of memory.ts as functions, and the sentences for what breaks them.
// Needs: memory, arguments.
//
// A Memory may be anybody's object. A number that is none, an address that leads elsewhere or a buffer that is gone would be
// written into the heap, which would then be beyond repair. What cannot be looked at cheaply is believed: that new bytes are
// zero, and nobody else's.

import { describe } from "./arguments.ts";
import { bytesOf, type Memory } from "./memory.ts";
import { describeOther, isBuffer } from "./slots.ts";

/** What the addresses that a memory gives are multiples of. */
const GRANULE = 16;

/** Throws unless a memory says of itself what a Memory may. */
export function checkMemory(memory: Memory): void {
  const { buffer, size, untouched, fixed, release } = memory as Unchecked;
  if (!isBuffer(buffer)) refuseBuffer(buffer);
  const bytes = buffer.byteLength;
  if (size !== undefined) checkCount("memory.size", size, bytes);
  checkCount("memory.untouched", untouched, bytes);
  if (fixed !== undefined && typeof fixed !== "boolean")
    throw new TypeError(`memory.fixed: expected true or false, got ${describe(fixed)}`);
  if (release !== undefined && typeof release !== "function")
    throw new TypeError(`memory.release: expected a function, got ${describe(release)}`);
}

/** What anybody's object may have under the names of a Memory's members. */
type Unchecked = { readonly [K in keyof Memory]: unknown };

function refuseBuffer(buffer: unknown): never {
  throw new TypeError(
    `memory.buffer: expected an ArrayBuffer or a SharedArrayBuffer, got ${describeOther(buffer)}`,
  );
}

function checkCount(name: string, count: unknown, most: number): void {
  if (typeof count !== "number") throw new TypeError(`${name}: expected a number, got ${describe(count)}`);
  if (!Number.isInteger(count) || count < 0 || count > most)
    throw new RangeError(`${name}: expected an integer from 0 to ${most}, the buffer's bytes, got ${count}`);
}

/**
 * Asks a memory for more: the address of the first new byte, or 0 for no. Throws what the memory throws, and, for an answer
 * that breaks a promise, an error that says which. `above`: where the bytes end that the heap has already.
 */
export function askMemory(memory: Memory, bytes: number, above: number): number {
  const from: unknown = memory.grow(bytes);
  if (from === 0) return 0;
  if (typeof from !== "number")
    throw new TypeError(`memory.grow: expected an address, or 0 for no, got ${describe(from)}`);
  if (!Number.isInteger(from) || from < 0 || from % GRANULE !== 0)
    throw new RangeError(
      `memory.grow: expected the address of a multiple of ${GRANULE}, or 0 for no, got ${from}`,
    );
  if (from < above)
    throw new RangeError(
      `memory.grow: expected new bytes behind those that the heap has, from ${above} on, got ${from}`,
    );
  const end = Math.min(bytesOf(memory), memory.buffer.byteLength);
  if (!(from + bytes <= end))
    throw new RangeError(
      `memory.grow: expected ${bytes} bytes inside the memory, which ends at ${end}, got the address ${from}`,
    );
  return from;
}

/** Throws unless a memory still has the bytes that it had. */
export function checkLasting(memory: Memory, had: number): void {
  const buffer: unknown = memory.buffer;
  if (!isBuffer(buffer)) refuseBuffer(buffer);
  if (buffer.byteLength < had)
    throw new RangeError(
      `memory.buffer: expected at least the ${had} bytes that it had, got ${buffer.byteLength}`,
    );
}
