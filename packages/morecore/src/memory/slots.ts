// Slots: what an object of the platform is, told by what it has inside.
//
// Owns:  the only questions of that kind that sources may ask (test/walls).
// Needs: words for a message; of WebAssembly and SharedArrayBuffer not even that they are there.
//
// Why not instanceof: an iframe, a vm context and Jest have classes of their own, and their objects work as well as ours. And
// Object.create(ArrayBuffer.prototype) would pass. A getter of the platform reads an internal slot: it serves objects of any
// realm that have the slot, and throws for all others. A throw costs microseconds, so none of this belongs into a call's path.

import { describe } from "./arguments.ts";
import type { WasmGlobalObject, WasmMemoryObject } from "./webassembly.ts";

/** Whether a getter that reads a slot works on a value. */
function hasSlot(prototype: object | undefined, name: PropertyKey, value: unknown): boolean {
  const read = prototype && Object.getOwnPropertyDescriptor(prototype, name)?.get;
  if (read === undefined || typeof value !== "object" || value === null) return false;
  try {
    read.call(value);
    return true;
  } catch {
    return false;
  }
}

const tagOf = (value: unknown): string => Object.prototype.toString.call(value);

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  // A tag can be anybody's. It says which slot is likely to be there, so that the other is not missed at a price.
  if (tagOf(value) === "[object SharedArrayBuffer]" && isSharedArrayBuffer(value)) return false;
  return hasSlot(ArrayBuffer.prototype, "byteLength", value);
}

/** The class is missing in pages that are not cross-origin isolated; its objects may be there all the same. */
export function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer {
  if (typeof SharedArrayBuffer !== "undefined")
    return hasSlot(SharedArrayBuffer.prototype, "byteLength", value);
  return isViewable(value) && !hasSlot(ArrayBuffer.prototype, "byteLength", value);
}

export function isBuffer(value: unknown): value is ArrayBufferLike {
  return isArrayBuffer(value) || isSharedArrayBuffer(value);
}

/** Whether a view can be made over a value: it is a buffer of either kind, and not detached. */
function isViewable(value: unknown): boolean {
  try {
    return new DataView(value as ArrayBufferLike) !== undefined;
  } catch {
    return false;
  }
}

export function isTypedArray(value: unknown): value is ArrayLike<number> | ArrayLike<bigint> {
  return ArrayBuffer.isView(value) && !hasSlot(DataView.prototype, "buffer", value);
}

export function isWasmMemory(value: unknown): value is WasmMemoryObject {
  return typeof WebAssembly !== "undefined" && hasSlot(WebAssembly.Memory?.prototype, "buffer", value);
}

/**
 * Whether a memory has addresses of 64 bits. What is no number at all grows neither kind. But only where a BigInt is expected, is
 * it a SyntaxError. Engines without Memory.prototype.type have no other question that leaves the memory as it is.
 */
export function hasLongAddresses(memory: WasmMemoryObject): boolean {
  try {
    WebAssembly.Memory.prototype.grow.call(memory, "no number" as unknown as number);
    return false;
  } catch (error) {
    return isErrorOf(error, "SyntaxError");
  }
}

export function isWasmGlobal(value: unknown): value is WasmGlobalObject {
  return typeof WebAssembly !== "undefined" && hasSlot(WebAssembly.Global?.prototype, "value", value);
}

/** What was given for an object of the platform, as it is shown in messages. What has only the class's name is called that. */
export function describeOther(value: unknown): string {
  const shown = describe(value);
  const [, name] = / class (ArrayBuffer|SharedArrayBuffer|Memory|Global)$/.exec(shown) ?? [];
  const isSome = isBuffer(value) || isWasmMemory(value) || isWasmGlobal(value);
  return name === undefined || isSome ? shown : `${shown} that is none`;
}

export function isError(value: unknown): value is Error {
  return tagOf(value) === "[object Error]";
}

/** Whether an error is of one of the platform's kinds, or of a subclass that has kept the name. */
export function isErrorOf(error: unknown, ...kinds: readonly string[]): error is Error {
  return isError(error) && kinds.includes(error.name);
}

/** What an engine says that has no memory for something; undefined: what it threw means something else. Firefox throws a string. */
export function outOfMemory(thrown: unknown): string | undefined {
  if (thrown === "out of memory") return thrown;
  return isErrorOf(thrown, "RangeError") ? thrown.message : undefined;
}
