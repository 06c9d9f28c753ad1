import { describe, expect, it } from "vitest";
import { Heap } from "../../src/index.ts";

type View = ArrayLike<number | bigint> & {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly BYTES_PER_ELEMENT: number;
};

/** Name, bytes each, class, a call. */
const VIEWS: readonly [string, number, unknown, (heap: Heap, ptr: number, count?: number) => View][] = [
  ["u8", 1, Uint8Array, (heap, ptr, count) => heap.u8(ptr, count)],
  ["i8", 1, Int8Array, (heap, ptr, count) => heap.i8(ptr, count)],
  ["u16", 2, Uint16Array, (heap, ptr, count) => heap.u16(ptr, count)],
  ["i16", 2, Int16Array, (heap, ptr, count) => heap.i16(ptr, count)],
  ["u32", 4, Uint32Array, (heap, ptr, count) => heap.u32(ptr, count)],
  ["i32", 4, Int32Array, (heap, ptr, count) => heap.i32(ptr, count)],
  ["f32", 4, Float32Array, (heap, ptr, count) => heap.f32(ptr, count)],
  ["f64", 8, Float64Array, (heap, ptr, count) => heap.f64(ptr, count)],
  ["u64", 8, BigUint64Array, (heap, ptr, count) => heap.u64(ptr, count)],
  ["i64", 8, BigInt64Array, (heap, ptr, count) => heap.i64(ptr, count)],
];

describe.each(VIEWS)("%s", (_name, bytesEach, type, view) => {
  it("is a view of its type, at the address, of so many elements", () => {
    const heap = Heap.create();
    const ptr = heap.malloc(100);
    const made = view(heap, ptr, 5);
    expect(made).toBeInstanceOf(type);
    expect([made.byteOffset, made.length, made.BYTES_PER_ELEMENT]).toEqual([ptr, 5, bytesEach]);
    expect(made.buffer).toBe(heap.buffer);
  });

  it("without a count covers all that the block holds", () => {
    const heap = Heap.create();
    for (const bytes of [0, 1, 12, 13, 100, 1000, 5000]) {
      const ptr = heap.malloc(bytes);
      expect(view(heap, ptr).length).toBe(Math.floor(heap.usableSize(ptr) / bytesEach));
    }
    expect(view(heap, 0).length).toBe(0);
  });

  it("without a count wants a live block", () => {
    const heap = Heap.create();
    const ptr = heap.malloc(100);
    heap.free(ptr);
    expect(() => view(heap, ptr)).toThrow(/\(double-free\)$/);
    expect(() => view(heap, ptr + 16)).toThrow(/\((not-a-block|double-free)\)$/);
    // With one it is the caller's affair what lies there.
    expect(view(heap, ptr, 1).length).toBe(1);
  });

  it("refuses an address that is misaligned for it", () => {
    const heap = Heap.create();
    const ptr = heap.malloc(100);
    for (let off = 0; off < 8; off++) {
      if (off % bytesEach === 0) expect(view(heap, ptr + off, 1).byteOffset).toBe(ptr + off);
      else
        expect(() => view(heap, ptr + off, 1)).toThrow(
          new RangeError(`ptr: expected a multiple of ${bytesEach}, got ${ptr + off}`),
        );
    }
  });

  it("refuses to leave the memory, and takes its very end", () => {
    const heap = Heap.create();
    const size = heap.buffer.byteLength;
    expect(view(heap, size - 8, 8 / bytesEach).length).toBe(8 / bytesEach);
    expect(view(heap, size, 0).length).toBe(0);
    for (const [ptr, count] of [
      [size - 8, 8 / bytesEach + 1],
      [size, 1],
      [0, size / bytesEach + 1],
      [16, 0xffff_ffff],
      [0xffff_fff8, 1],
    ] as const)
      expect(() => view(heap, ptr, count)).toThrow(
        new RangeError(`count: ${count} elements at ${ptr} end beyond the memory's ${size} bytes`),
      );
  });

  it("is fresh after a growth by the heap, and shows the same bytes", () => {
    const heap = Heap.create({ reserve: 65_536 });
    const ptr = heap.malloc(64);
    heap.u8(ptr, 64).set(Array.from({ length: 64 }, (_, index) => index));
    const old = view(heap, ptr, 4);
    const values = Array.from(old);
    heap.malloc(10_000_000);
    expect(old.length).toBe(0);
    expect(Array.from(view(heap, ptr, 4))).toEqual(values);
  });
});

describe("views after a growth by others", () => {
  it("are fresh, through every heap on the memory", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = Heap.create({ memory });
    const second = Heap.attach(memory, heap.base);
    const ptr = heap.malloc(100);
    heap.u8(ptr, 100).fill(7);
    const from = memory.grow(3) * 65_536;
    expect(second.u8(ptr, 100).every((byte) => byte === 7)).toBe(true);
    expect(heap.u8(from, 3 * 65_536).length).toBe(3 * 65_536);
    expect(heap.buffer).toBe(memory.buffer);
    expect(heap.buffer).toBe(second.buffer);
  });

  it("reach what another heap on the same memory has got", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = Heap.create({ memory });
    const second = Heap.attach(memory, heap.base);
    const ptr = second.malloc(500_000);
    heap.u8(ptr).fill(9);
    expect(second.u8(ptr).every((byte) => byte === 9)).toBe(true);
    heap.free(ptr);
    second.check();
  });

  it("of a shared memory reach what was grown through another heap, and so do malloc and free", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1000, shared: true });
    const heap = Heap.create({ memory });
    const second = Heap.attach(memory, heap.base);
    const ptr = heap.malloc(500_000);
    const behind = second.malloc(100);
    second.u8(ptr).fill(1);
    second.u8(behind).fill(2);
    expect(heap.u8(ptr).every((byte) => byte === 1)).toBe(true);
    expect(heap.u8(behind).every((byte) => byte === 2)).toBe(true);
    second.free(ptr);
    heap.free(behind);
    heap.trim();
    second.check();
    expect(heap.mallinfo().ordblks).toBe(1);
  });

  it("of a shared memory that others grew can cover the new bytes", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 10, shared: true });
    const heap = Heap.create({ memory });
    const from = memory.grow(2) * 65_536;
    expect(heap.u8(from, 2 * 65_536).length).toBe(2 * 65_536);
  });
});
