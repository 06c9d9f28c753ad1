// Number fields have accessors of their own for each kind of array; each must keep R1 and R2 of ref.ts.

import { describe, expect, it } from "vitest";
import {
  f32,
  f64,
  Heap,
  i8,
  i16,
  i32,
  moveTo,
  PointerError,
  type Ptr,
  struct,
  UseAfterFreeError,
  u8,
  u16,
  u32,
} from "../../src/index.ts";

const Numbers = struct({ a: u8, b: i8, c: u16, d: i16, e: u32, f: i32, g: f32, h: f64 }, { name: "Numbers" });
type Name = keyof typeof Numbers.fields;
const VALUES: Record<Name, number> = {
  a: 200,
  b: -100,
  c: 60_000,
  d: -30_000,
  e: 2 ** 32 - 2,
  f: -5,
  g: 0.5,
  h: 1e300,
};
const NAMES = Object.keys(VALUES) as Name[];

describe.each([true, false])("number fields, checking %s", (checking) => {
  it.each(NAMES)("%s keeps its value when the memory grows between any two accesses", (name) => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = Heap.create({ memory, base: 1024, checking });
    const ref = heap.new(Numbers);
    memory.grow(1);
    ref[name] = VALUES[name];
    memory.grow(1);
    expect(ref[name]).toBe(VALUES[name]);
    ref[name] += 1;
    expect(ref[name]).toBe(VALUES[name] + 1);
    expect(heap.read(Numbers, ref.ptr)).toEqual({ ...zeros(), [name]: VALUES[name] + 1 });
  });

  it.each(NAMES)("%s is refused beyond the memory, and nothing is written", (name) => {
    const buffer = new ArrayBuffer(65_536);
    const heap = Heap.create({ memory: buffer, base: 1024, size: 32_768, checking });
    const at = heap.cursor(Numbers);
    const before = new Uint8Array(buffer).slice();
    moveTo(at, (65_536 - Numbers.offsets[name]) as Ptr<typeof Numbers>);
    expect(() => at[name]).toThrow(PointerError);
    expect(() => {
      at[name] = 1;
    }).toThrow(PointerError);
    expect(Buffer.compare(new Uint8Array(buffer), before)).toBe(0);
  });
});

describe("number fields of what has ended", () => {
  it.each(NAMES)("%s is refused each time, and nothing is written", (name) => {
    const heap = Heap.create({ checking: true });
    const arena = heap.bump();
    const ref = arena.new(Numbers, VALUES);
    const there = heap.u8(ref.ptr, Numbers.size).slice();
    const { ptr } = ref;
    arena.reset();
    for (let time = 0; time < 2; time++) {
      expect(() => ref[name]).toThrow(UseAfterFreeError);
      expect(() => {
        ref[name] = 1;
      }).toThrow(UseAfterFreeError);
    }
    expect(heap.u8(ptr, Numbers.size)).toEqual(there);
  });
});

describe("what is newly made", () => {
  it.each([1, 2, 3, 4, 12, 128, 132, 5000])(
    "is zero over all of its %i bytes, and no others are",
    (bytes) => {
      const heap = Heap.create();
      const arena = heap.bump({ chunkBytes: 65_536 });
      const first = arena.allocate(32_768, 4);
      heap.u8(first, 32_768).fill(0xff);
      arena.reset();
      const made = arena.newArray(u8, bytes);
      expect(heap.u8(made.ptr, bytes).every((byte) => byte === 0)).toBe(true);
      expect(heap.u8(made.ptr + bytes, 8).every((byte) => byte === 0xff)).toBe(true);
    },
  );
});

function zeros(): Record<Name, number> {
  return { a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0 };
}
