import { expect, test } from "vitest";
import { bufferMemory, Heap } from "../../src/index.ts";

test.each([
  ["an ArrayBuffer", new ArrayBuffer(5000)],
  ["a SharedArrayBuffer", new SharedArrayBuffer(5000)],
])("%s is the memory's buffer, never grows, and is touched", (_, buffer) => {
  const memory = bufferMemory(buffer);
  expect(memory.buffer).toBe(buffer);
  expect(memory.grow(65_536)).toBe(0);
  expect(memory.untouched).toBe(5000);
});

/** ES2024: the types of this project's library do not know the second argument yet. */
type Sizable<T> = new (bytes: number, options: { maxByteLength: number }) => T;

test("a buffer that can change its size is refused, also when it is handed to Heap.create", () => {
  const Resizable = ArrayBuffer as unknown as Sizable<ArrayBuffer>;
  const Growable = SharedArrayBuffer as unknown as Sizable<SharedArrayBuffer>;
  for (const buffer of [
    new Resizable(5000, { maxByteLength: 10_000 }),
    new Growable(5000, { maxByteLength: 10_000 }),
  ]) {
    expect(() => bufferMemory(buffer)).toThrow(TypeError);
    expect(() => bufferMemory(buffer)).toThrow(/resizable buffer cannot hold a heap/);
    expect(() => Heap.create({ memory: buffer })).toThrow(TypeError);
  }
});

test("one buffer is one Memory, however often it is asked for", () => {
  const buffer = new ArrayBuffer(5000);
  expect(bufferMemory(buffer)).toBe(bufferMemory(buffer));
  expect(bufferMemory(buffer)).not.toBe(bufferMemory(new ArrayBuffer(5000)));
});
