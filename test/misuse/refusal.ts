// Refusal: what every test of a misuse asserts. The error, to the letter, and that not one byte has changed.

import { Heap, HeapCorruptError, HeapMisuseError, type HeapOptions, type MisuseCode } from "morecore";
import { expect } from "vitest";

/** Where the first chunk of smallHeap has its payload: base 16, header and segment 2764 bytes, header word 4. */
export const FIRST = 2784;

const SENTENCES: Readonly<Record<MisuseCode, string>> = {
  misaligned: "expected a multiple of 16, as every block's address is",
  outside: "expected an address inside this heap",
  "double-free": "expected a live block, found one that was freed before",
  "not-a-block": "expected a live block, found no block that begins here",
  "size-mismatch": "expected the size that the block was asked for with, found a block of another",
  "alignment-mismatch": "expected a power of two that divides the address",
  "listed-twice": "expected each block once, found it twice in one list",
  "taken-back":
    "this thread was not heard of, and its place in the shared heap has been taken back; attach anew",
};

/** Where headers alone tell so. */
const BY_HEADER: Readonly<Partial<Record<MisuseCode, string>>> = {
  "double-free":
    "expected a live block, found a header that says free: it was freed before, or overwritten from the block before it",
  "not-a-block":
    "expected a live block, found no header of one: no block begins here, or it or the next header was overwritten",
};

/** A heap in 1 MiB that do not grow, with all options at their defaults but those given. */
export function smallHeap(options: HeapOptions = {}): Heap {
  return Heap.create({ memory: new ArrayBuffer(1 << 20), ...options });
}

/** The same, so large already that blocks of up to 496 bytes lie in slabs. */
export function largeHeap(): Heap {
  const heap = smallHeap();
  heap.free(filled(heap, 1_030_000));
  return heap;
}

/** A block of so many bytes, filled with a byte; an answer of 0 fails the test. */
export function filled(heap: Heap, bytes: number, byte = 0xa5): number {
  const ptr = heap.malloc(bytes);
  expect(ptr).not.toBe(0);
  heap.u8(ptr).fill(byte);
  return ptr;
}

export function hex(address: number): string {
  return `0x${address.toString(16).padStart(8, "0")}`;
}

/** All bytes of a heap's memory, as they are now. */
export function bytesOf(heap: Heap): Buffer {
  return Buffer.from(new Uint8Array(heap.buffer));
}

/** What a call throws; a test fails if it returns, or changes a byte. */
export function thrownBy(heap: Heap, call: () => unknown): unknown {
  const before = bytesOf(heap);
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  expect(thrown, "the call must throw").toBeDefined();
  expect(before.equals(bytesOf(heap)), "the image is as it was").toBe(true);
  return thrown;
}

/**
 * Expects a misuse to be refused with this code and address, and its message in full. `found` is what the message says
 * of the header word: "0x00000073: size 112, in use, previous in use"; or, for an address in a slab, its blocks' size. `isSure`
 * is whether more than one header tells so.
 */
export function expectMisuse(
  heap: Heap,
  call: () => unknown,
  code: MisuseCode,
  address: number,
  found?: string | number,
  isSure = typeof found === "number",
): void {
  const error = thrownBy(heap, call);
  expect(error).toBeInstanceOf(HeapMisuseError);
  if (!(error instanceof HeapMisuseError)) return;
  const header = typeof found === "string" ? `; its header word is ${found}` : "";
  const says =
    found === undefined || typeof found === "string" ? error.message : withoutSlab(error.message, found);
  const sentence = (isSure ? undefined : BY_HEADER[code]) ?? SENTENCES[code];
  expect(says).toBe(`${hex(address)}: ${sentence}${header} (${code})`);
  expect({ name: error.name, code: error.code, address: error.address }).toEqual({
    name: "HeapMisuseError",
    code,
    address,
  });
  heap.check();
}

/** A message less what it says of a slab, which must be there; where a slab begins is not for these tests. */
function withoutSlab(message: string, bytes: number): string {
  const slab = new RegExp(`; it lies in a slab of blocks of ${bytes} bytes from 0x[0-9a-f]{8} on`);
  expect(message).toMatch(slab);
  return message.replace(slab, "");
}

/** Expects a call to find the heap corrupted, with this invariant and address. */
export function expectCorrupt(heap: Heap, call: () => unknown, invariant: string, address: number): void {
  const error = thrownBy(heap, call);
  expect(error).toBeInstanceOf(HeapCorruptError);
  if (!(error instanceof HeapCorruptError)) return;
  expect({ name: error.name, invariant: error.invariant, address: error.address }).toEqual({
    name: "HeapCorruptError",
    invariant,
    address,
  });
  expect(error.message).toMatch(new RegExp(`^heap corrupted at ${hex(address)}: .+ \\(${invariant}\\)$`));
}

/** Frees what is left, and expects one top chunk and nothing else. */
export function expectOneTop(heap: Heap, ...live: number[]): void {
  for (const ptr of live) heap.free(ptr);
  heap.trim();
  heap.check();
  const states: string[] = [];
  heap.inspectAll((chunk) => states.push(chunk.state));
  expect(states).toEqual(["top"]);
}
