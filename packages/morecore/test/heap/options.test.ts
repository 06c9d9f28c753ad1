import { describe, expect, it } from "vitest";
import { canEvaluate } from "../../../../test/support/capabilities.ts";
import { Heap, type HeapOptions, type HeapSettings } from "../../src/index.ts";

const KIB = 1024;
const MIB = KIB * KIB;

const DEFAULTS: HeapSettings = {
  growthStep: 4096,
  advance: 1 / 2,
  smallLimit: 1024,
  trimThreshold: 2 * MIB,
  footprintLimit: Number.POSITIVE_INFINITY,
  zeroSizeRealloc: "alloc",
};

const OTHERS: HeapSettings = {
  growthStep: 4096,
  advance: 1 / 256,
  smallLimit: 0,
  trimThreshold: 4_294_967_294,
  footprintLimit: 12_345,
  zeroSizeRealloc: "free",
};

/** What JavaScript without types would pass. */
const create = (options: unknown): Heap => Heap.create(options as HeapOptions);

describe("a heap's options", () => {
  it("have the documented defaults", () => {
    expect({ ...Heap.create().options }).toEqual(DEFAULTS);
    expect({ ...create({ growthStep: undefined, advance: undefined }).options }).toEqual(DEFAULTS);
  });

  it("are what create was given", () => {
    expect({ ...Heap.create(OTHERS).options }).toEqual(OTHERS);
  });

  it("are kept in the image: a second heap attached to it sees a change at once, and makes one", () => {
    const heap = Heap.create();
    const second = Heap.attach(heap.memory, heap.base);
    Object.assign(heap.options, OTHERS);
    expect({ ...second.options }).toEqual(OTHERS);
    Object.assign(second.options, DEFAULTS);
    expect({ ...heap.options }).toEqual(DEFAULTS);
    second.options.footprintLimit = 100_000;
    expect(heap.footprintLimit).toBe(100_000);
    heap.footprintLimit = Number.POSITIVE_INFINITY;
    expect(second.options.footprintLimit).toBe(Number.POSITIVE_INFINITY);
  });

  it("take every value that their rules allow, and give it back", () => {
    const heap = Heap.create();
    for (let log2 = 12; log2 <= 30; log2++) {
      heap.options.growthStep = 2 ** log2;
      expect(heap.options.growthStep).toBe(2 ** log2);
    }
    for (let log2 = 0; log2 <= 8; log2++) {
      heap.options.advance = 2 ** -log2;
      expect(heap.options.advance).toBe(2 ** -log2);
    }
    heap.options.advance = 0;
    expect(heap.options.advance).toBe(0);
    for (const value of [0, 1, 4_294_967_294, Number.POSITIVE_INFINITY]) {
      heap.options.trimThreshold = value;
      heap.options.footprintLimit = value;
      expect([heap.options.trimThreshold, heap.options.footprintLimit]).toEqual([value, value]);
    }
    for (let bytes = 0; bytes <= 1024; bytes += 16) {
      heap.options.smallLimit = bytes;
      expect(heap.options.smallLimit).toBe(bytes);
    }
  });
});

describe("an unknown option", () => {
  it("is refused by create, by name, with those that are known", () => {
    expect(() => create({ growthstep: 4096 })).toThrow(
      new TypeError(
        'options: unknown option "growthstep"; known are memory, base, size, alone, reserve, shared, maximum, lease, checking, views, ' +
          "growthStep, advance, smallLimit, trimThreshold, footprintLimit, zeroSizeRealloc",
      ),
    );
    expect(() => create({ constructor: 1 })).toThrow(/unknown option "constructor"/);
    expect(() => create({ toString: undefined })).toThrow(/unknown option "toString"/);
  });

  it("is refused on heap.options, by name", () => {
    const settings: object = Heap.create().options;
    expect(() => Object.assign(settings, { foo: 1 })).toThrow(
      new TypeError(
        'options: unknown option "foo"; known are ' +
          "growthStep, advance, smallLimit, trimThreshold, footprintLimit, zeroSizeRealloc",
      ),
    );
    expect(() => Object.assign(settings, { memory: 1 })).toThrow(/unknown option "memory"/);
    expect("foo" in settings).toBe(false);
  });

  it.skipIf(!canEvaluate)(
    "is refused on heap.options in sloppy code, too, where the language would pass over it",
    () => {
      const assign = new Function("settings", "settings.foo = 1");
      expect(() => assign(Heap.create().options)).toThrow(/unknown option "foo"/);
    },
  );

  it.each([null, 1, "x", true, undefined])("is not asked of options that are no object: %s", (options) => {
    if (options === undefined) expect(create(options).footprint).toBe(4096);
    else expect(() => create(options)).toThrow(/^options: expected an object, got /);
  });
});

const STEP = "a power of two from 4096 to 2^30";
const ADVANCE = "0, or 1 divided by a power of two up to 256";
const SMALL = "a multiple of 16 from 0 to 1024";
const LIMIT = "an integer from 0 to 4294967294, or Infinity";
const ZERO = '"alloc" or "free"';

const BAD: readonly [keyof HeapSettings, string, readonly unknown[], readonly unknown[]][] = [
  [
    "growthStep",
    STEP,
    [0, 1, 2048, 4095, 5000, 65_537, 2 ** 31, 2 ** 32, -4096, Number.NaN, Number.POSITIVE_INFINITY, 4096.5],
    ["4096", 4096n, null, true, {}],
  ],
  [
    "advance",
    ADVANCE,
    [2, 1 / 512, 1 / 3, 0.4, -1, -0.5, Number.NaN, Number.POSITIVE_INFINITY],
    ["1/2", 1n, null, false],
  ],
  [
    "smallLimit",
    SMALL,
    [-16, 0.5, 1, 100, 257, 497, 1025, 1040, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY],
    ["0", 0n, null, []],
  ],
  [
    "trimThreshold",
    LIMIT,
    [-1, 1.5, 2 ** 32 - 1, 2 ** 32, Number.NaN, Number.NEGATIVE_INFINITY],
    ["never", 1n, null],
  ],
  [
    "footprintLimit",
    LIMIT,
    [-1, 1.5, 2 ** 32 - 1, 2 ** 32, Number.NaN, Number.NEGATIVE_INFINITY],
    ["none", 1n, null],
  ],
  ["zeroSizeRealloc", ZERO, ["", "FREE", "allocate"], [0, true, null, 1n, {}]],
];

/** A value as messages show it. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "object" && value !== null) return `an object of class ${value.constructor.name}`;
  return String(value);
}

describe.each(BAD)("a bad value of %s", (name, rule, ofItsType, ofAnother) => {
  it.each([
    ["RangeError", RangeError, ofItsType],
    ["TypeError", TypeError, ofAnother],
  ] as const)(
    "is refused with a %s that says name, rule and value, and nothing is changed",
    (_n, kind, values) => {
      const heap = Heap.create();
      const before = { ...heap.options };
      for (const value of values) {
        const expected = new kind(`${name}: expected ${rule}, got ${shown(value)}`);
        expect(() => create({ [name]: value })).toThrow(expected);
        expect(() => Object.assign(heap.options, { [name]: value })).toThrow(expected);
      }
      expect({ ...heap.options }).toEqual(before);
      heap.check();
    },
  );

  it("is refused on heap.options also when it is undefined, which create takes for the default", () => {
    const heap = Heap.create();
    expect(() => Object.assign(heap.options, { [name]: undefined })).toThrow(
      new TypeError(`${name}: expected ${rule}, got undefined`),
    );
  });
});

describe("growthStep", () => {
  it.each([4096, 16_384, 65_536, 262_144])("of %i: the footprint is a multiple of it", (growthStep) => {
    const heap = Heap.create({ growthStep, reserve: 4 * MIB });
    expect(heap.footprint).toBe(growthStep);
    for (let round = 0; round < 20; round++) {
      heap.malloc(10_000 + round * 1000);
      expect(heap.footprint % growthStep).toBe(0);
    }
    heap.check();
  });

  it("changed later, is what the next growth goes by", () => {
    const heap = Heap.create({ growthStep: 4096 });
    heap.options.growthStep = MIB / 2;
    heap.malloc(5000);
    expect(heap.footprint).toBe(4096 + MIB / 2);
    heap.check();
  });
});

/** How often, and for how many bytes, a heap's memory grows while so many bytes are taken in blocks of 60 000. */
function growths(options: HeapOptions, blocks: number): number[] {
  const memory = new WebAssembly.Memory({ initial: 0 });
  const heap = Heap.create({ memory, ...options });
  const grown: number[] = [];
  let last = heap.buffer.byteLength;
  for (let block = 0; block < blocks; block++) {
    heap.malloc(60_000);
    if (heap.buffer.byteLength !== last) grown.push(heap.buffer.byteLength - last);
    last = heap.buffer.byteLength;
  }
  heap.check();
  return grown;
}

describe("advance", () => {
  it("of 0 asks for what is needed and no more", () => {
    const grown = growths({ advance: 0 }, 40);
    expect(grown.length).toBeGreaterThan(30);
    expect(grown.every((bytes) => bytes <= 2 * 65_536)).toBe(true);
  });

  it("of 1 doubles the memory each time", () => {
    const grown = growths({ advance: 1 }, 100);
    expect(grown.length).toBeLessThanOrEqual(8);
    expect(grown.at(-1)).toBeGreaterThan(MIB);
  });

  it("asks more seldom the larger it is", () => {
    const counts = [0, 1 / 16, 1 / 4, 1 / 2, 1].map((advance) => growths({ advance }, 200).length);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    expect(new Set(counts).size).toBe(counts.length);
  });

  it("leaves the footprint as it is: what was asked in advance is not part of it", () => {
    const footprints = [0, 1].map((advance) => {
      const heap = Heap.create({ advance, growthStep: 4096 });
      for (let block = 0; block < 50; block++) heap.malloc(60_000);
      return heap.footprint;
    });
    expect(Math.abs((footprints[0] as number) - (footprints[1] as number))).toBeLessThanOrEqual(65_536);
  });
});

describe("reserve", () => {
  it("is 1 MiB by default in a memory of the heap's own, and 0 in one that was given", () => {
    expect(Heap.create().buffer.byteLength).toBe(MIB);
    const memory = new WebAssembly.Memory({ initial: 1 });
    expect(Heap.create({ memory }).buffer.byteLength).toBe(2 * 65_536);
  });

  it("is there from the beginning: what fits causes no growth of the memory", () => {
    const heap = Heap.create({ reserve: 4 * MIB });
    const before = heap.buffer;
    expect(before.byteLength).toBeGreaterThanOrEqual(4 * MIB);
    expect(heap.malloc(4 * MIB - 4096)).not.toBe(0);
    expect(heap.buffer).toBe(before);
    expect(heap.memorySize).toBeGreaterThanOrEqual(4 * MIB);
  });

  it("grows a memory that was given", () => {
    const memory = new WebAssembly.Memory({ initial: 2 });
    const heap = Heap.create({ memory, reserve: MIB });
    expect(memory.buffer.byteLength).toBe(2 * 65_536 + MIB);
    expect(heap.base).toBe(2 * 65_536);
    heap.check();
  });
});

/** Whether a block lies in a slab: its usable size is a multiple of 16; a chunk's is 12 mod 16. */
function isInSlab(heap: Heap, ptr: number): boolean {
  return heap.usableSize(ptr) % 16 === 0;
}

describe("smallLimit", () => {
  it.each([0, 16, 32, 96, 240, 256, 272, 480, 496])(
    "of %i: requests of at most so many bytes are served from slabs, larger ones not",
    (smallLimit) => {
      const heap = Heap.create({ smallLimit, trimThreshold: Number.POSITIVE_INFINITY });
      // Blocks above 256 bytes are in slabs only where the heap is large.
      heap.free(heap.malloc(MIB));
      for (let bytes = 0; bytes <= 600; bytes++) {
        const ptr = heap.malloc(bytes);
        // 0 switches slabs off, also for requests of 0 bytes.
        const slabs = smallLimit !== 0 && bytes <= smallLimit;
        expect([bytes, isInSlab(heap, ptr)]).toEqual([bytes, slabs]);
        expect(heap.usableSize(ptr)).toBe(heap.goodSize(bytes));
      }
      heap.check();
    },
  );

  it("serves requests above 256 bytes by chunks until the footprint is 256 times as large as eight blocks", () => {
    const heap = Heap.create({ reserve: 2 * MIB });
    const isLarge = (bytes: number): boolean => heap.footprint >= 256 * 8 * Math.ceil(bytes / 16) * 16;
    const seen = new Set<string>();
    while (heap.footprint < 1_200_000) {
      for (let bytes = 256; bytes <= 512; bytes += 8) {
        const slabs = bytes <= 256 || (bytes <= 496 && isLarge(bytes));
        const good = heap.goodSize(bytes);
        const ptr = heap.malloc(bytes);
        expect([bytes, isInSlab(heap, ptr)]).toEqual([bytes, slabs]);
        expect(heap.usableSize(ptr)).toBe(good);
        seen.add(`${Math.ceil(bytes / 16)} ${slabs}`);
      }
      heap.malloc(9000);
    }
    // Sixteen granules always, 17 to 31 first not and then, 32 never.
    expect(seen.size).toBe(1 + 2 * 15 + 1);
    heap.check();
  });

  it("of 0 merges every free at once, and takes no memory for the heap's own", () => {
    const heap = Heap.create({ smallLimit: 0 });
    const ptrs = Array.from({ length: 10 }, () => heap.malloc(100));
    for (const ptr of ptrs) {
      heap.free(ptr);
      expect(heap.mallinfo().smblks).toBe(0);
      heap.inspectAll(({ state }) => expect(state).not.toBe("overhead"));
      heap.check();
    }
    expect(heap.statistics().coalesceCount).toBeGreaterThan(0);
    expect(heap.mallinfo().ordblks).toBe(1);
  });

  it.each([
    [100, 112],
    [490, 496],
  ])(
    "lowered, leaves the blocks of %i bytes in slabs where they are, to be used and freed as before",
    (bytes, block) => {
      const heap = Heap.create({ trimThreshold: Number.POSITIVE_INFINITY });
      heap.free(heap.malloc(MIB));
      const ptrs = Array.from({ length: 10 }, () => heap.malloc(bytes));
      heap.options.smallLimit = 0;
      const chunk = heap.malloc(bytes);
      expect(isInSlab(heap, chunk)).toBe(false);
      heap.check();
      for (const ptr of ptrs) {
        expect(heap.usableSize(ptr)).toBe(block);
        expect(() => heap.free(ptr + 16)).toThrow(/\(not-a-block\)$/);
        heap.free(ptr);
        expect(() => heap.free(ptr)).toThrow(/\(double-free\)$/);
        heap.check();
      }
      heap.free(chunk);
      heap.trim();
      expect(heap.mallinfo()).toMatchObject({ ordblks: 1, smblks: 0 });
      heap.check();
    },
  );

  it("lowered, gives unused slabs back, and the classes below go on as they were", () => {
    const heap = Heap.create();
    const kept = heap.malloc(100);
    heap.free(heap.malloc(200));
    const before = heap.mallinfo().smblks;
    heap.options.smallLimit = 112;
    expect(heap.mallinfo().smblks).toBeLessThan(before);
    heap.check();
    expect(heap.malloc(100)).toBe(kept + 112);
    expect(heap.malloc(200) % 16).toBe(0);
    heap.check();
  });

  it("raised, serves from slabs again", () => {
    const heap = Heap.create({ smallLimit: 0 });
    const chunk = heap.malloc(100);
    heap.options.smallLimit = 112;
    const block = heap.malloc(100);
    expect([isInSlab(heap, chunk), isInSlab(heap, block)]).toEqual([false, true]);
    expect(isInSlab(heap, heap.malloc(113))).toBe(false);
    heap.free(block);
    heap.free(chunk);
    heap.check();
  });
});

describe("trimThreshold", () => {
  it("lets the footprint fall on a free that leaves more than this in top", () => {
    const heap = Heap.create({ trimThreshold: 100_000 });
    const small = heap.malloc(50_000);
    const large = heap.malloc(500_000);
    const peak = heap.footprint;
    heap.free(large);
    expect(heap.footprint).toBeLessThan(peak);
    expect(heap.mallinfo().keepcost).toBeLessThan(65_536);
    expect(heap.statistics().trimCount).toBe(1);
    heap.free(small);
    heap.check();
  });

  it("is a bound that is still allowed: one byte more and it trims", () => {
    for (const [less, trims] of [
      [0, 0],
      [16, 1],
    ] as const) {
      const heap = Heap.create();
      const ptr = heap.malloc(500_000);
      heap.options.trimThreshold = heap.mallinfo().keepcost + 500_016 - less;
      heap.free(ptr);
      expect(heap.statistics().trimCount).toBe(trims);
      heap.check();
    }
  });

  it("of Infinity never trims", () => {
    const heap = Heap.create({ trimThreshold: Number.POSITIVE_INFINITY });
    heap.free(heap.malloc(8 * MIB));
    expect(heap.statistics().trimCount).toBe(0);
    expect(heap.footprint).toBe(heap.maxFootprint);
    expect(heap.trim()).toBe(true);
  });

  it("by default is 2 MiB", () => {
    const heap = Heap.create();
    heap.free(heap.malloc(MIB));
    expect(heap.statistics().trimCount).toBe(0);
    heap.free(heap.malloc(3 * MIB));
    expect(heap.statistics().trimCount).toBe(1);
  });
});

describe("footprintLimit", () => {
  it("is never exceeded; what would is answered with 0, and the heap serves as before", () => {
    const heap = Heap.create({ footprintLimit: 300_000, growthStep: 4096 });
    let blocks = 0;
    while (heap.malloc(10_000) !== 0) blocks += 1;
    expect(heap.footprint).toBeLessThanOrEqual(300_000);
    expect(heap.footprint).toBeGreaterThan(280_000);
    expect(blocks).toBe(29);
    expect(heap.malloc(100)).not.toBe(0);
    heap.check();
  });

  it("of 0 never lets it grow", () => {
    const heap = Heap.create({ footprintLimit: 0, growthStep: 65_536 });
    const { footprint } = heap;
    expect(heap.malloc(footprint)).toBe(0);
    expect(heap.malloc(50_000)).not.toBe(0);
    expect(heap.footprint).toBe(footprint);
    heap.check();
  });

  it("raised, lets it grow again", () => {
    const heap = Heap.create({ footprintLimit: 0 });
    expect(heap.malloc(100_000)).toBe(0);
    heap.footprintLimit = 200_000;
    expect(heap.malloc(100_000)).not.toBe(0);
    expect(heap.malloc(100_000)).toBe(0);
    heap.options.footprintLimit = Number.POSITIVE_INFINITY;
    expect(heap.malloc(100_000)).not.toBe(0);
    heap.check();
  });
});

describe("zeroSizeRealloc", () => {
  it('of "alloc" gives a smallest block', () => {
    const heap = Heap.create();
    const ptr = heap.realloc(heap.malloc(100), 0);
    expect(ptr).not.toBe(0);
    expect(heap.usableSize(ptr)).toBe(16);
    // A chunk shrinks where it lies.
    expect(heap.usableSize(heap.realloc(heap.malloc(1000), 0))).toBe(12);
    heap.free(ptr);
    heap.check();
  });

  it('of "free" frees and gives 0', () => {
    const heap = Heap.create({ zeroSizeRealloc: "free" });
    const ptr = heap.malloc(100);
    expect(heap.realloc(ptr, 0)).toBe(0);
    expect(() => heap.free(ptr)).toThrow(/\(double-free\)$/);
    expect(heap.reallocarray(heap.malloc(100), 0, 8)).toBe(0);
    expect(heap.realloc(0, 0)).not.toBe(0);
    heap.check();
  });

  it("changed later, is what the next realloc goes by", () => {
    const heap = Heap.create();
    heap.options.zeroSizeRealloc = "free";
    expect(heap.realloc(heap.malloc(100), 0)).toBe(0);
    heap.options.zeroSizeRealloc = "alloc";
    expect(heap.realloc(heap.malloc(100), 0)).not.toBe(0);
  });
});
