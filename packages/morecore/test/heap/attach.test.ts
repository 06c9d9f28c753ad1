import { describe, expect, it } from "vitest";
import { bufferMemory, type FormatReason, Heap, HeapFormatError, wasmMemory } from "../../src/index.ts";

const SIZE = 1 << 17;

function image(base = 4096): { bytes: ArrayBuffer; heap: Heap; ptr: number } {
  const bytes = new ArrayBuffer(SIZE);
  const heap = Heap.create({ memory: bytes, base });
  const ptr = heap.malloc(100);
  heap.u8(ptr, 100).fill(0x42);
  return { bytes, heap, ptr };
}

/** What JavaScript without types would pass. */
const attach = (memory: unknown, base: unknown): Heap => Heap.attach(memory as ArrayBuffer, base as number);

function poke(bytes: ArrayBuffer, address: number, value: number): void {
  new DataView(bytes).setUint32(address, value, true);
}

function hex(address: number): string {
  return `0x${address.toString(16).padStart(8, "0")}`;
}

/** Expects attach to throw this reason and sentence, and to change nothing. */
function expectRefused(bytes: ArrayBuffer, base: number, reason: FormatReason, sentence: string): void {
  const before = Buffer.from(new Uint8Array(bytes)).toString("latin1");
  let thrown: unknown;
  try {
    Heap.attach(bytes, base);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(HeapFormatError);
  if (!(thrown instanceof HeapFormatError)) return;
  expect(thrown.message).toBe(`no heap to attach to at ${hex(base)}: ${sentence}`);
  expect({ name: thrown.name, reason: thrown.reason, base: thrown.base }).toEqual({
    name: "HeapFormatError",
    reason,
    base,
  });
  expect(Buffer.from(new Uint8Array(bytes)).toString("latin1") === before).toBe(true);
}

describe("attach", () => {
  it("gives a window on the same heap: blocks of the one are freed through the other", () => {
    const { bytes, heap, ptr } = image();
    const second = Heap.attach(bytes, 4096);
    expect(second.u8(ptr, 100).every((byte) => byte === 0x42)).toBe(true);
    const other = second.malloc(200);
    heap.free(other);
    second.free(ptr);
    heap.trim();
    second.check();
    expect(second.mallinfo()).toEqual(heap.mallinfo());
    expect(second.mallinfo().ordblks).toBe(1);
  });

  it("takes bytes that were copied, as from a file, at the same base", () => {
    const { bytes, ptr } = image();
    const heap = Heap.attach(bytes.slice(0), 4096);
    heap.check();
    expect(heap.u8(ptr, 100).every((byte) => byte === 0x42)).toBe(true);
    heap.free(ptr);
  });

  it("takes every kind of memory that create takes", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { base } = Heap.create({ memory });
    expect(Heap.attach(memory, base).base).toBe(base);
    expect(Heap.attach(wasmMemory(memory), base).base).toBe(base);
    const shared = new SharedArrayBuffer(SIZE);
    Heap.create({ memory: shared });
    expect(Heap.attach(shared, 16).base).toBe(16);
    expect(Heap.attach(bufferMemory(shared), 16).base).toBe(16);
  });

  it("takes a heap in a memory that is larger than it was", () => {
    const { bytes } = image();
    const larger = new ArrayBuffer(2 * SIZE);
    new Uint8Array(larger).set(new Uint8Array(bytes));
    Heap.attach(larger, 4096).check();
  });

  it("refuses bytes without the magic number, and says what it found", () => {
    const { bytes } = image();
    expectRefused(
      bytes,
      16,
      "magic",
      "the bytes there are not a heap: expected the magic number, found 0x00000000",
    );
    poke(bytes, 4096, 0xdead_beef);
    expectRefused(
      bytes,
      4096,
      "magic",
      "the bytes there are not a heap: expected the magic number, found 0xdeadbeef",
    );
  });

  it("refuses a wrong base within the same heap", () => {
    const { bytes } = image();
    expectRefused(
      bytes,
      4096 + 16,
      "magic",
      `the bytes there are not a heap: expected the magic number, found ${hex(new DataView(bytes).getUint32(4112, true))}`,
    );
  });

  it.each([0, 1, 2, 3, 4, 6, 8, 0xffff_ffff])("refuses format version %i", (version) => {
    const { bytes } = image();
    poke(bytes, 4096 + 4, version);
    expectRefused(bytes, 4096, "version", `it has format version ${version}, this is morecore for version 5`);
  });

  it("refuses an image that was moved to another base", () => {
    const { bytes } = image();
    const moved = new ArrayBuffer(2 * SIZE);
    new Uint8Array(moved).set(new Uint8Array(bytes, 4096), 8192);
    expectRefused(
      moved,
      8192,
      "moved",
      "the heap there was made at 0x00001000; its pointers hold only at that base",
    );
  });

  it("refuses an image whose memory was cut off behind the header", () => {
    const { bytes } = image();
    for (const size of [4096 + 2784, SIZE / 2, SIZE - 16])
      expectRefused(
        bytes.slice(0, size),
        4096,
        "header",
        "the header contradicts itself or the memory's size: truncated or overwritten",
      );
  });

  it("refuses a memory that ends before a header would", () => {
    const { bytes } = image();
    for (const size of [0, 16, 4096, 4096 + 2783])
      expectRefused(
        bytes.slice(0, size),
        4096,
        "beyond",
        `the memory has ${size} bytes and ends before a header would`,
      );
    expectRefused(bytes, SIZE, "beyond", `the memory has ${SIZE} bytes and ends before a header would`);
    expectRefused(
      bytes,
      0xffff_fff0,
      "beyond",
      `the memory has ${SIZE} bytes and ends before a header would`,
    );
  });

  it.each([
    ["flags", 12, 16],
    ["top", 16, 0xffff_fffc],
    ["a misaligned top", 16, 4096 + 2768],
    ["end", 20, 0xffff_fff0],
    ["limit", 24, 0xffff_fff0],
    ["segment", 28, 16],
  ])("refuses a header with nonsense for its %s", (_name, offset, value) => {
    const { bytes } = image();
    poke(bytes, 4096 + offset, value);
    expectRefused(
      bytes,
      4096,
      "header",
      "the header contradicts itself or the memory's size: truncated or overwritten",
    );
  });

  it.each([0, 1, 8, 4095, 4100])("refuses base %i with a RangeError: no heap can begin there", (base) => {
    expect(() => Heap.attach(image().bytes, base)).toThrow(
      new RangeError(`base: expected a multiple of 16 that is not 0, got ${base}`),
    );
  });

  it.each([-16, 16.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32])(
    "refuses base %d with a RangeError",
    (base) => {
      expect(() => Heap.attach(image().bytes, base)).toThrow(
        new RangeError(`base: expected an integer from 0 to 4294967295, got ${base}`),
      );
    },
  );

  it.each([
    ["16", '"16"'],
    [16n, "16n"],
    [undefined, "undefined"],
    [null, "null"],
  ])("refuses base %s with a TypeError", (base, shown) => {
    expect(() => attach(image().bytes, base)).toThrow(new TypeError(`base: expected a number, got ${shown}`));
  });

  it.each([
    [undefined, "undefined"],
    [null, "null"],
    [4096, "4096"],
    ["memory", '"memory"'],
    [new Uint8Array(8), "an object of class Uint8Array"],
    [{ buffer: new ArrayBuffer(8) }, "an object of class Object"],
    [{ buffer: new ArrayBuffer(8), grow: 0, untouched: 0 }, "an object of class Object"],
  ])("refuses a memory that is none: %s", (memory, shown) => {
    expect(() => attach(memory, 16)).toThrow(
      new TypeError(
        `memory: expected a WebAssembly.Memory, an ArrayBuffer, a SharedArrayBuffer or a Memory, got ${shown}`,
      ),
    );
  });
});
