import { describe, expect, it } from "vitest";
import { bufferMemory, Heap, type HeapOptions, type Memory, wasmMemory } from "../../src/index.ts";

const PAGE = 65_536;

/** What JavaScript without types would pass. */
const create = (options: unknown): Heap => Heap.create(options as HeapOptions);

describe("the base", () => {
  it("is 16 in a memory of the heap's own, and in a buffer", () => {
    expect(Heap.create().base).toBe(16);
    expect(Heap.create({ memory: new ArrayBuffer(PAGE) }).base).toBe(16);
    expect(Heap.create({ memory: new SharedArrayBuffer(PAGE) }).base).toBe(16);
    expect(Heap.create({ memory: bufferMemory(new ArrayBuffer(PAGE)) }).base).toBe(16);
  });

  it("is the end of a WebAssembly.Memory that was given: nothing that lies there is touched", () => {
    const memory = new WebAssembly.Memory({ initial: 3 });
    new Uint8Array(memory.buffer).fill(0xab);
    const heap = Heap.create({ memory, alone: true });
    expect(heap.base).toBe(3 * PAGE);
    for (let block = 0; block < 100; block++) heap.malloc(10_000);
    heap.check();
    expect(new Uint8Array(memory.buffer, 0, 3 * PAGE).every((byte) => byte === 0xab)).toBe(true);
  });

  it("is 16 in a WebAssembly.Memory that has no bytes yet", () => {
    const heap = Heap.create({ memory: new WebAssembly.Memory({ initial: 0 }) });
    expect(heap.base).toBe(16);
    heap.check();
  });

  it("is what was asked for, and no byte below it is touched", () => {
    const memory = new ArrayBuffer(PAGE);
    new Uint8Array(memory).fill(0xcd);
    const heap = Heap.create({ memory, base: 8192 });
    expect(heap.base).toBe(8192);
    const ptr = heap.calloc(1, 20_000);
    expect(heap.u8(ptr).every((byte) => byte === 0)).toBe(true);
    heap.free(ptr);
    heap.trim();
    expect(new Uint8Array(memory, 0, 8192).every((byte) => byte === 0xcd)).toBe(true);
    expect(heap.mallinfo().ordblks).toBe(1);
  });

  it.each([0, 1, 15, 17, 100, 8200])("of %i is refused: no multiple of 16, or 0", (base) => {
    expect(() => Heap.create({ memory: new ArrayBuffer(PAGE), base })).toThrow(
      new RangeError(`base: expected a multiple of 16 that is not 0, got ${base}`),
    );
  });

  it.each([-16, 0.5, Number.NaN, 2 ** 32])("of %d is refused: no 32-bit number", (base) => {
    expect(() => Heap.create({ base })).toThrow(
      new RangeError(`base: expected an integer from 0 to 4294967295, got ${base}`),
    );
  });

  it.each([
    ["16", '"16"'],
    [16n, "16n"],
    [{}, "an object of class Object"],
    [null, "null"],
  ])("of %s is refused: no number", (base, shown) => {
    expect(() => create({ base })).toThrow(new TypeError(`base: expected a number, got ${shown}`));
  });

  it("is refused where a heap would reach beyond the last address", () => {
    expect(() => Heap.create({ base: 0xffff_0000 })).toThrow(
      new RangeError(
        "base, size: a heap of 2784 bytes at 4294901760 would reach beyond 4294901760, the last address",
      ),
    );
    expect(() => Heap.create({ memory: new ArrayBuffer(PAGE), size: 0xffff_ffff })).toThrow(
      /^base, size: a heap of 4294967295 bytes at 16 would reach beyond 4294901760/,
    );
  });
});

describe("the size", () => {
  it.each([
    ["of chunks", 8192, 0],
    ["of slabs", 200_000, 496],
  ])(
    "bounds the region %s: no byte behind it is touched, and the memory is not grown",
    (_, size, smallLimit) => {
      const memory = new WebAssembly.Memory({ initial: 4 });
      new Uint8Array(memory.buffer).fill(0xef);
      const heap = Heap.create({ memory, base: 4096, size, smallLimit });
      expect(heap.usableSize(heap.malloc(100))).toBe(smallLimit === 0 ? 108 : 112);
      let blocks = 1;
      for (let ptr = heap.malloc(100); ptr !== 0; ptr = heap.malloc(100)) {
        heap.u8(ptr).fill(1);
        blocks += 1;
      }
      if (smallLimit === 0) expect(blocks).toBe(Math.floor((size - 2768) / 112));
      heap.inspectAll((piece) => {
        expect(piece.state, "no block of a slab is left").not.toBe("cached");
        if (piece.state === "free" || piece.state === "top") expect(piece.size).toBeLessThan(112);
      });
      expect(heap.footprint).toBe(size);
      expect(memory.buffer.byteLength).toBe(4 * PAGE);
      const bytes = new Uint8Array(memory.buffer);
      expect(bytes.subarray(0, 4096).every((byte) => byte === 0xef)).toBe(true);
      expect(bytes.subarray(4096 + size).every((byte) => byte === 0xef)).toBe(true);
      heap.check();
    },
  );

  it("that is no multiple of 16 is rounded down", () => {
    const heap = Heap.create({ memory: new ArrayBuffer(PAGE), size: 5000 });
    expect(heap.memorySize).toBe(4992);
    heap.check();
  });

  it("of 2784 is the smallest: one block fits", () => {
    const heap = Heap.create({ memory: new ArrayBuffer(PAGE), size: 2784 });
    const ptr = heap.malloc(12);
    expect(ptr).not.toBe(0);
    expect(heap.malloc(0)).toBe(0);
    heap.free(ptr);
    heap.trim();
    heap.check();
    expect(heap.malloc(13)).toBe(0);
  });

  it.each([0, 1, 2783])("of %i is refused: too small for a heap", (size) => {
    expect(() => Heap.create({ memory: new ArrayBuffer(PAGE), size })).toThrow(
      new RangeError(`size: expected at least 2784 bytes, the smallest heap, got ${size}`),
    );
  });

  it("grows a memory that is too small for it, once", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = Heap.create({ memory, base: 16, size: 3 * PAGE });
    expect(memory.buffer.byteLength).toBe(4 * PAGE);
    expect(heap.memorySize).toBe(3 * PAGE);
    expect(heap.malloc(4 * PAGE)).toBe(0);
    expect(memory.buffer.byteLength).toBe(4 * PAGE);
  });

  it("is refused where the memory does not reach and does not grow", () => {
    expect(() => Heap.create({ memory: new ArrayBuffer(8192), size: 8192 })).toThrow(
      new RangeError(
        "memory: a heap at 16 needs bytes up to 8208, but the memory ends at 8192 and does not grow",
      ),
    );
    const full = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    expect(() => Heap.create({ memory: full })).toThrow(
      new RangeError(
        "memory: a heap at 65536 needs bytes up to 68320, but the memory ends at 65536 and does not grow",
      ),
    );
  });
});

describe.each(["size", "reserve"])("%s", (name) => {
  it.each([-1, 4096.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32])("of %d is refused", (value) => {
    expect(() => create({ [name]: value })).toThrow(
      new RangeError(`${name}: expected an integer from 0 to 4294967295, got ${value}`),
    );
  });

  it.each([
    ["4096", '"4096"'],
    [4096n, "4096n"],
    [null, "null"],
  ])("of %s is refused", (value, shown) => {
    expect(() => create({ [name]: value })).toThrow(
      new TypeError(`${name}: expected a number, got ${shown}`),
    );
  });
});

describe("the reserve", () => {
  it("counts from the base, and is refused where the memory does not reach", () => {
    expect(() => Heap.create({ memory: new ArrayBuffer(8192), reserve: 8192 })).toThrow(
      /^memory: a heap at 16 needs bytes up to 8208/,
    );
    expect(Heap.create({ memory: new ArrayBuffer(8208), reserve: 8192 }).memorySize).toBe(8192);
  });

  it("below the smallest heap is as none", () => {
    expect(Heap.create({ memory: new ArrayBuffer(4096), reserve: 0 }).memorySize).toBe(4080);
  });
});

describe("the memory", () => {
  it("of a few bytes too few is refused, and of just enough is taken", () => {
    expect(() => Heap.create({ memory: new ArrayBuffer(2799) })).toThrow(
      /^memory: a heap at 16 needs bytes up to 2800/,
    );
    Heap.create({ memory: new ArrayBuffer(2800) }).check();
    expect(() => Heap.create({ memory: new ArrayBuffer(0) })).toThrow(RangeError);
  });

  it("of a length that is no multiple of 16 is used up to the last one", () => {
    const heap = Heap.create({ memory: new ArrayBuffer(5003) });
    expect(heap.memorySize).toBe(4976);
    heap.check();
  });

  it("that could change its length is refused", () => {
    const message =
      "memory: a resizable buffer cannot hold a heap; pass a buffer of fixed length, or a WebAssembly.Memory to grow";
    // ES2024: not in the library that this project compiles against.
    const make = (kind: unknown): ArrayBufferLike =>
      Reflect.construct(kind as typeof ArrayBuffer, [PAGE, { maxByteLength: 2 * PAGE }]);
    for (const kind of [ArrayBuffer, SharedArrayBuffer]) {
      expect(() => Heap.create({ memory: make(kind) })).toThrow(new TypeError(message));
      expect(() => bufferMemory(make(kind))).toThrow(new TypeError(message));
      expect(() => Heap.attach(make(kind), 16)).toThrow(new TypeError(message));
    }
  });

  it.each([
    [null, "null"],
    [65_536, "65536"],
    [new Uint8Array(PAGE), "an object of class Uint8Array"],
    [{}, "an object of class Object"],
  ])("that is none is refused: %s", (memory, shown) => {
    expect(() => create({ memory })).toThrow(
      new TypeError(
        `memory: expected a WebAssembly.Memory, an ArrayBuffer, a SharedArrayBuffer or a Memory, got ${shown}`,
      ),
    );
  });

  it("may be anything with a Memory's members", () => {
    const buffer = new ArrayBuffer(PAGE);
    const memory: Memory = { buffer, grow: () => 0, untouched: 0 };
    const heap = Heap.create({ memory });
    expect(heap.memory).toBe(memory);
    expect(heap.buffer).toBe(buffer);
    heap.check();
  });

  it("that holds old bytes gives zeroed blocks to calloc all the same", () => {
    for (const memory of [
      new ArrayBuffer(PAGE),
      wasmMemory(new WebAssembly.Memory({ initial: 1 })),
      new SharedArrayBuffer(PAGE),
    ]) {
      new Uint8Array("buffer" in memory ? memory.buffer : memory).fill(0xff);
      const heap = Heap.create({ memory, alone: true });
      const ptr = heap.calloc(1, 30_000);
      expect(heap.u8(ptr).every((byte) => byte === 0)).toBe(true);
      heap.check();
    }
  });

  it("that held a heap before can hold a new one", () => {
    const memory = wasmMemory(undefined, 4 * PAGE);
    const first = Heap.create({ memory });
    first.u8(first.malloc(100_000)).fill(0xff);
    const second = Heap.create({ memory });
    const ptr = second.calloc(1, 150_000);
    expect(second.u8(ptr).every((byte) => byte === 0)).toBe(true);
    second.check();
    second.free(ptr);
    second.trim();
    expect(second.mallinfo().ordblks).toBe(1);
  });
});
