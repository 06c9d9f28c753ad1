// Text: strings of UTF-8 in memory: in a fixed number of bytes, or owned, with memory of their own.
//
// Owns:  the encoding; the memory of owned strings.
// Needs: space, life.
// Invariants: X1  after each store to memory, an owned string's two words say nothing, or a block that it owns and all of whose
//                 bytes are written: also what a process leaves that is killed between two stores

import { describe } from "../memory/arguments.ts";
import { OutOfMemoryError } from "./errors.ts";
import type { Life } from "./life.ts";
import type { Space } from "./space.ts";
import { typePrinting, type ValueType } from "./type.ts";

/**
 * Up to so many characters of ASCII are written by a loop, and read: a call of the engine's coders takes longer. A string that is put
 * together from more than twelve is a tree in V8, which has to be made flat again.
 */
const MOST_WRITTEN = 48;
const MOST_READ = 12;
/** Up to so many bytes a zero is looked for by a loop. */
const MOST_SEARCHED = 64;
const ASCII = 0x7f;

const encoder = new TextEncoder();
/** Keeps a U+FEFF at the beginning: what was written is what is read. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function encode(value: unknown, what: string): Uint8Array {
  if (typeof value !== "string") throw new TypeError(`${what}: expected a string, got ${describe(value)}`);
  return (value.length <= MOST_WRITTEN ? encodeAscii(value) : undefined) ?? encoder.encode(value);
}

/** The bytes of a string of ASCII; undefined: it is none. */
function encodeAscii(value: string): Uint8Array | undefined {
  const bytes = new Uint8Array(value.length);
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code > ASCII) return undefined;
    bytes[index] = code;
  }
  return bytes;
}

/** Bytes as a string. Invalid UTF-8 gives U+FFFD. */
export function decode(space: Space, at: number, bytes: number): string {
  const { u8 } = space;
  const short = bytes <= MOST_READ ? decodeAscii(u8, at, at + bytes) : undefined;
  return short ?? decodeView(u8.subarray(at, at + bytes));
}

/** Bytes of ASCII as a string; undefined: they are none, or there are not so many. */
function decodeAscii(u8: Uint8Array, from: number, to: number): string | undefined {
  let text = "";
  for (let at = from; at < to; at++) {
    const code = u8[at];
    if (code === undefined || code > ASCII) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}

/** The same, of a view. A copy is decoded: decoders refuse shared memory. */
export function decodeView(view: Uint8Array): string {
  return decoder.decode(view.slice());
}

/**
 * A string in a fixed number of bytes, C's `char name[bytes]`. It is filled up with zeros, and read up to the first zero, if
 * there is one. A string that is too long, or has a zero inside, is refused with a RangeError; nothing is cut off.
 *
 * @example
 *
 * ```ts
 * const Item = struct({ id: utf8(8) });
 * const item = Heap.create().new(Item, { id: "grüße" });
 * console.log(Item.size, item.id); // 8 grüße
 * ```
 */
export function utf8(bytes: number): ValueType<string> {
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > MAX_BYTES)
    throw new RangeError(`utf8: expected a number of bytes from 0 to ${MAX_BYTES}, got ${describe(bytes)}`);
  const name = `utf8(${bytes})`;
  const load = (space: Space, at: number): string | undefined => {
    if (at + bytes > space.u8.length) return undefined;
    return decode(space, at, bytesBeforeZero(space.u8, at, bytes));
  };
  const read = (_: Space, value: unknown): Uint8Array => {
    const encoded = encode(value, name);
    if (encoded.length > bytes)
      throw new RangeError(`${name}: expected at most ${bytes} bytes, got ${encoded.length}`);
    if (encoded.includes(0)) throw new RangeError(`${name}: expected a string without U+0000, which ends it`);
    return encoded;
  };
  const store = (space: Space, at: number, encoded: Uint8Array): boolean => {
    if (at + bytes > space.u8.length) return false;
    space.u8.set(encoded, at);
    space.u8.fill(0, at + encoded.length, at + bytes);
    return true;
  };
  return { ...typePrinting(), kind: "utf8", name, size: bytes, align: 1, load, read, store, copy: load };
}

/** How many bytes lie before the first zero; all, if there is none. */
function bytesBeforeZero(u8: Uint8Array, at: number, bytes: number): number {
  if (bytes > MOST_SEARCHED) {
    const end = u8.subarray(at, at + bytes).indexOf(0);
    return end < 0 ? bytes : end;
  }
  let count = 0;
  while (count < bytes && u8[at + count] !== 0) count++;
  return count;
}

const MAX_BYTES = 2 ** 30;
const AT_LENGTH = 4;

/** The type has the value's name, as scalars' have. */
export interface text extends ValueType<string> {}

/**
 * A string with memory of its own: eight bytes, an address and a length in bytes. Writing it frees what it had and allocates
 * what it needs, in whatever allocated the struct; deleting the struct frees it. No memory: an OutOfMemoryError, and it is as it was.
 */
export const text: text = ownedText();

function ownedText(): text {
  return {
    ...typePrinting(),
    kind: "text",
    name: "text",
    size: 8,
    align: 4,
    load: loadText,
    read: (_, value) => encode(value, "text"),
    store: (space: Space, at: number, encoded: Uint8Array, life: Life): boolean => {
      if (at + 8 > space.u8.length) return false;
      const made = encoded.length === 0 ? 0 : life.source.allocate(encoded.length, 1);
      if (made === 0 && encoded.length > 0) throw new OutOfMemoryError(encoded.length, "a text");
      if (!space.reaches(made + encoded.length)) return false;
      space.u8.set(encoded, made);
      exchange(space, at, made, encoded.length, life);
      return true;
    },
    copy: loadText,
    drop: dropText,
  };
}

function loadText(space: Space, at: number): string | undefined {
  const length = space.u32[(at + AT_LENGTH) >>> 2];
  if (length === undefined) return undefined;
  const ptr = space.u32[at >>> 2] as number;
  // Its bytes may lie where the memory has grown to, if somebody else has written it.
  return space.reaches(ptr + length) ? decode(space, ptr, length) : undefined;
}

function dropText(space: Space, at: number, life: Life): void {
  exchange(space, at, 0, 0, life);
}

/** The two words of a text that are to be written at once, and the same as one number of eight bytes. */
const pair = new Uint32Array(2);
const pairAsOne = new Float64Array(pair.buffer);

/**
 * Writes which block a text has, and frees the one that it had. Where both words lie in one unit of eight bytes it is one store.
 * (As a double: a length is far below what would make it NaN, whose bits an engine may change.) Else the text is empty in between.
 */
function exchange(space: Space, at: number, ptr: number, length: number, life: Life): void {
  const { u32 } = space;
  const word = at >>> 2;
  const [hadPtr, hadLength] = [u32[word] as number, u32[word + 1] as number];
  if (at % 8 === 0 && length <= MAX_BYTES) {
    pair[0] = ptr;
    pair[1] = length;
    space.f64[at >>> 3] = pairAsOne[0] as number;
  } else {
    u32[word + 1] = 0;
    u32[word] = ptr;
    u32[word + 1] = length;
  }
  if (hadPtr !== 0) life.source.deallocate(hadPtr, hadLength, 1);
}
