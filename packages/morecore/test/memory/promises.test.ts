// A Memory may be anybody's object: what it says of itself and answers is looked at before it is used.

import { describe, expect, it } from "vitest";
import { CopyingMemory } from "../../../../test/support/memories.ts";
import { Heap, type HeapOptions, type Memory } from "../../src/index.ts";

const PAGE = 65_536;

/** What JavaScript without types would pass. */
const create = (memory: unknown): Heap => Heap.create({ memory, base: 16 } as HeapOptions);

function members(changed: object): object {
  return { buffer: new ArrayBuffer(PAGE), grow: () => 0, untouched: PAGE, ...changed };
}

describe("a memory that says of itself what cannot be is refused:", () => {
  it.each<[string, object, Error]>([
    [
      "a view for a buffer",
      { buffer: new Uint8Array(PAGE) },
      new TypeError(
        "memory.buffer: expected an ArrayBuffer or a SharedArrayBuffer, got an object of class Uint8Array",
      ),
    ],
    [
      "no buffer",
      { buffer: undefined },
      new TypeError("memory.buffer: expected an ArrayBuffer or a SharedArrayBuffer, got undefined"),
    ],
    [
      "a size beyond the buffer",
      { size: PAGE + 1 },
      new RangeError("memory.size: expected an integer from 0 to 65536, the buffer's bytes, got 65537"),
    ],
    ["a size of NaN", { size: Number.NaN }, new RangeError(/^memory\.size: .* got NaN$/.source)],
    ["a size of -1", { size: -1 }, new RangeError("^memory\\.size: .* got -1$")],
    ["a size of 4096.5", { size: 4096.5 }, new RangeError("^memory\\.size: .* got 4096.5$")],
    [
      "a text for a size",
      { size: "65536" },
      new TypeError('^memory\\.size: expected a number, got "65536"$'),
    ],
    [
      "an untouched mark beyond the end",
      { untouched: 2 ** 32 + 4096 },
      new RangeError("^memory\\.untouched: expected an integer from 0 to 65536, .* got 4294971392$"),
    ],
    [
      "an untouched mark of NaN",
      { untouched: Number.NaN },
      new RangeError("^memory\\.untouched: .* got NaN$"),
    ],
    [
      "no untouched mark",
      { untouched: undefined },
      new TypeError("^memory\\.untouched: expected a number, got undefined$"),
    ],
    ["a number for fixed", { fixed: 1 }, new TypeError("^memory\\.fixed: expected true or false, got 1$")],
    [
      "no function to release",
      { release: true },
      new TypeError("^memory\\.release: expected a function, got true$"),
    ],
  ])("%s", (_, changed, error) => {
    const memory = members(changed);
    const make = [() => create(memory), () => Heap.attach(memory as Memory, 16)];
    for (const each of make) {
      expect(each).toThrow(error.constructor as ErrorConstructor);
      expect(each).toThrow(new RegExp(error.message));
    }
  });

  it("an untouched mark of 4 GiB is no mark at 0: calloc zeroes", () => {
    const memory = new WebAssembly.Memory({ initial: 65_536 });
    const base = 2 ** 32 - 10 * PAGE;
    new Uint8Array(memory.buffer, base).fill(0xff);
    const heap = Heap.create({ memory: { buffer: memory.buffer, grow: () => 0, untouched: 2 ** 32 }, base });
    expect(heap.u8(heap.calloc(30_000)).every((byte) => byte === 0)).toBe(true);
    heap.check();
  });
});

/** Answers as it is told to, after it has grown by `grows` as it should; or honestly, with no answer to give. */
class LyingMemory extends CopyingMemory {
  answer: ((from: number) => unknown) | undefined;
  grows = true;

  override grow(bytes: number): number {
    const from = this.grows ? super.grow(bytes) : this.buffer.byteLength;
    return this.answer === undefined ? from : (this.answer(from) as number);
  }
}

const ANSWERS: readonly [string, (from: number) => unknown, RegExp][] = [
  ["undefined", () => undefined, /^memory\.grow: expected an address, or 0 for no, got undefined$/],
  ["a text", (from) => String(from), /^memory\.grow: expected an address, or 0 for no, got "65536"$/],
  ["a bigint", (from) => BigInt(from), /^memory\.grow: expected an address, or 0 for no, got 65536n$/],
  ["true", () => true, /^memory\.grow: expected an address, or 0 for no, got true$/],
  ["NaN", () => Number.NaN, /^memory\.grow: expected the address of a multiple of 16, or 0 for no, got NaN$/],
  ["-1, as C's sbrk does", () => -1, /^memory\.grow: expected the address of .* got -1$/],
  ["-65536", () => -PAGE, /^memory\.grow: expected the address of .* got -65536$/],
  ["Infinity", () => Number.POSITIVE_INFINITY, /^memory\.grow: expected the address of .* got Infinity$/],
  ["a fraction", (from) => from + 0.5, /^memory\.grow: expected the address of .* got 65536\.5$/],
  ["an address at 8 mod 16", (from) => from + 8, /^memory\.grow: expected the address of .* got 65544$/],
  [
    "an address behind the new bytes",
    (from) => from + 16,
    /^memory\.grow: expected \d+ bytes inside the memory/,
  ],
  [
    "2^32",
    () => 2 ** 32,
    /^memory\.grow: expected \d+ bytes inside the memory, .* got the address 4294967296$/,
  ],
  [
    "an address inside the heap",
    () => 4096,
    /^memory\.grow: expected new bytes behind those that the heap has, from 65536 on, got 4096$/,
  ],
  ["pages, not bytes", (from) => from / PAGE, /^memory\.grow: expected the address of .* got 1$/],
];

describe.each(ANSWERS)("a memory whose grow answers with %s", (_, answer, message) => {
  it.each([true, false])("(having grown: %s) makes the call throw, and the heap is as it was", (grows) => {
    const memory = new LyingMemory(PAGE);
    const heap = Heap.create({ memory, base: 16, advance: 0 });
    const kept = heap.malloc(1000);
    heap.u8(kept, 1000).fill(0x5a);
    memory.answer = answer;
    memory.grows = grows;
    const before = heap.memorySize;
    const calls = [
      () => heap.malloc(100_000),
      () => heap.calloc(100_000),
      () => heap.realloc(kept, 100_000),
      () => heap.reallocInPlace(kept, 100_000),
      () => heap.reallocarray(kept, 100, 1000),
      () => heap.memalign(64, 100_000),
      () => heap.alignedAlloc(64, 100_000),
      () => heap.posixMemalign(kept, 64, 100_000),
      () => heap.independentCalloc(100, 1000),
      () => heap.independentComalloc([100_000, 5]),
    ];
    expect(calls[0]).toThrow(message);
    for (const call of calls) {
      expect(call).toThrow(/^memory\.grow: /);
      heap.check();
    }
    expect(heap.memorySize).toBe(before);
    expect(heap.u8(kept, 1000).every((byte) => byte === 0x5a)).toBe(true);
    expect(heap.malloc(2 ** 31), "what is told is told once").toBe(0);
    memory.answer = undefined;
    memory.grows = true;
    const later = heap.malloc(100_000);
    expect(later).not.toBe(0);
    heap.check();
  });
});

describe("a memory whose grow throws", () => {
  it("has its error passed on, and the heap is as it was", () => {
    const memory = new LyingMemory(PAGE);
    const heap = Heap.create({ memory, base: 16 });
    const error = new Error("the disk is full");
    memory.answer = () => {
      throw error;
    };
    let thrown: unknown;
    try {
      heap.malloc(1_000_000);
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBe(error);
    heap.check();
    memory.answer = undefined;
    expect(heap.malloc(1_000_000)).not.toBe(0);
    heap.check();
  });

  it("leaves nothing halfway in a small block's call, which needs a slab, its descriptor and the map", () => {
    const memory = new LyingMemory(PAGE);
    const heap = Heap.create({ memory, base: 16, advance: 0 });
    memory.answer = () => {
      throw new TypeError("no more");
    };
    let blocks = 0;
    expect(() => {
      for (;;) {
        heap.malloc(((blocks * 7) % 16) * 16 + 1);
        blocks += 1;
        heap.check();
      }
    }).toThrow(new TypeError("no more"));
    expect(blocks).toBeGreaterThan(100);
    heap.check();
  });

  it("is not believed to have said no where the second, smaller request is refused", () => {
    const memory = new LyingMemory(PAGE);
    const heap = Heap.create({ memory, base: 16, advance: 1 });
    heap.malloc(60_000);
    memory.answer = () => {
      memory.answer = () => 0;
      throw new TypeError("too large");
    };
    expect(() => heap.malloc(100_000)).toThrow(new TypeError("too large"));
    expect(heap.malloc(100_000)).toBe(0);
  });
});

describe("a memory that loses bytes when it grows", () => {
  it.each<[string, (memory: LyingMemory) => void, RegExp]>([
    [
      "for a smaller buffer",
      (memory) => (memory.buffer = new ArrayBuffer(4096)),
      /^memory\.buffer: expected at least the 65536 bytes that it had, got 4096$/,
    ],
    [
      "by detaching it",
      (memory) => structuredClone(memory.buffer, { transfer: [memory.buffer] }),
      /^memory\.buffer: expected at least the 65536 bytes that it had, got 0$/,
    ],
    [
      "for what is no buffer",
      (memory) => Object.assign(memory, { buffer: null }),
      /^memory\.buffer: expected an ArrayBuffer or a SharedArrayBuffer, got null$/,
    ],
  ])("%s is told, in the call that made it grow", (_, lose, message) => {
    const memory = new LyingMemory(PAGE);
    const heap = Heap.create({ memory, base: 16 });
    memory.grows = false;
    memory.answer = () => {
      lose(memory);
      return 0;
    };
    expect(() => heap.malloc(1_000_000)).toThrow(message);
  });
});

describe("a heap whose first bytes must be asked for", () => {
  it("is refused where the memory answers with bytes that do not follow", () => {
    const memory = new LyingMemory(0);
    const options: HeapOptions = { memory, base: 16, size: 2 * PAGE };
    memory.answer = () => "0";
    expect(() => Heap.create(options)).toThrow(RangeError);
    const second = new LyingMemory(PAGE);
    second.answer = (from) => {
      second.answer = undefined;
      return second.grow(2 * PAGE) + from - from;
    };
    expect(() => Heap.create({ memory: second, base: 16, size: 2 * PAGE })).toThrow(
      "memory: a heap at 16 needs bytes up to 131088, but those from 65536 to 196608 are others'",
    );
    const third = new LyingMemory(PAGE);
    third.answer = () => Number.NaN;
    expect(() => Heap.create({ memory: third, base: 16, size: 2 * PAGE })).toThrow(
      /^memory\.grow: .* got NaN$/,
    );
  });
});
