import { describe, expect, it } from "vitest";
import { NO_CHUNK, ptrOf } from "../../src/kernel/address.ts";
import {
  beforeBin,
  binOf,
  checkLinks,
  findAligned,
  findFit,
  nextHole,
  takeFree,
} from "../../src/kernel/bins.ts";
import { AT_BINS, BIN_COUNT, NEXT, PREVIOUS, SEARCH_LIMIT } from "../../src/kernel/layout.ts";
import { Bench, Refused } from "./broken.ts";

const machine = new Bench().machine;

/** The smallest chunk size of a bin, by the definition in words: exact below 512, then 16 for each doubling. */
function smallestOf(bin: number): number {
  if (bin < 32) return bin * 16;
  const doubling = Math.floor(bin / 16) - 2;
  return 512 * 2 ** doubling * (1 + (bin % 16) / 16);
}

describe("binOf", () => {
  it("is exact below 512", () => {
    for (let size = 16; size < 512; size += 16) expect(binOf(machine, size)).toBe(size / 16);
  });

  it("comes back to each bin from its smallest size, and from its largest", () => {
    for (let bin = 1; bin < BIN_COUNT; bin++) {
      expect(binOf(machine, smallestOf(bin))).toBe(bin);
      expect(binOf(machine, smallestOf(bin + 1) - 16)).toBe(bin);
    }
  });

  it("is monotonic over every size up to 256 KiB, and never skips a bin", () => {
    let last = 0;
    for (let size = 16; size <= 1 << 18; size += 16) {
      const bin = binOf(machine, size);
      expect(bin - last === 0 || bin - last === 1).toBe(true);
      last = bin;
    }
  });

  it("puts no more than 1/16 between the smallest and the largest size of a bin", () => {
    for (let bin = 1; bin < BIN_COUNT; bin++) {
      const waste = smallestOf(bin + 1) - 16 - smallestOf(bin);
      expect(waste * 16).toBeLessThanOrEqual(smallestOf(bin));
    }
  });

  it("stays below the count of bins for the largest size of all", () => {
    expect(binOf(machine, 0xffff_fff0)).toBe(BIN_COUNT - 1);
    expect(binOf(machine, 0x8000_0000)).toBe(BIN_COUNT - 16);
  });
});

describe("beforeBin", () => {
  it("is where the bin's head would be a chunk's link", () => {
    const b = new Bench();
    for (const bin of [0, 1, 7, BIN_COUNT - 1])
      expect(beforeBin(b.base, bin) + NEXT).toBe(b.base + AT_BINS + bin * 4);
  });

  it("is what the first chunk of a bin has before it, whether it was put there or came to be the first", () => {
    const b = new Bench({ smallLimit: 0 });
    const [one, , two] = b.four(100);
    const before = beforeBin(b.base, 7);
    b.heap.free(ptrOf(one));
    expect(b.word(one + PREVIOUS)).toBe(before);
    b.heap.free(ptrOf(two));
    expect([b.word(two + PREVIOUS), b.word(one + PREVIOUS)]).toEqual([before, two]);
    expect(b.heap.malloc(100)).toBe(ptrOf(two));
    expect([b.word(before + NEXT), b.word(one + PREVIOUS)]).toEqual([one, before]);
    b.heap.check();
  });
});

describe("a malloc from the bins", () => {
  it("takes the chunk that was freed last, of those of exactly its size", () => {
    const b = new Bench({ smallLimit: 0 });
    const chunks = b.blocks(5, 100);
    b.heap.free((chunks[0] as number) + 4);
    b.heap.free((chunks[2] as number) + 4);
    expect(b.heap.malloc(100)).toBe((chunks[2] as number) + 4);
    expect(b.heap.malloc(100)).toBe((chunks[0] as number) + 4);
    b.heap.check();
  });

  it("takes the smallest chunk of a larger bin when its own is empty, and frees the rest", () => {
    const b = new Bench({ smallLimit: 0 });
    const sizes = [396, 204, 300];
    const ptrs = sizes.map((bytes) => {
      const ptr = b.heap.malloc(bytes);
      b.heap.malloc(12);
      return ptr;
    });
    for (const ptr of ptrs) b.heap.free(ptr);
    expect(b.heap.malloc(100)).toBe(ptrs[1]);
    const states: string[] = [];
    b.heap.inspectAll((chunk) => states.push(`${chunk.state} ${chunk.size}`));
    expect(states).toContain("free 96");
    b.heap.check();
  });

  it("takes the best of the first chunks of its own bin, when that holds a range of sizes", () => {
    const b = new Bench({ smallLimit: 0 });
    // Sizes 1024 to 1072 share a bin.
    const ptrs = [1068, 1036, 1052].map((bytes) => {
      const ptr = b.heap.malloc(bytes);
      b.heap.malloc(12);
      return ptr;
    });
    for (const ptr of ptrs) b.heap.free(ptr);
    // None is exact: 1024 bytes are wanted.
    expect(b.heap.malloc(1020)).toBe(ptrs[1]);
    b.heap.check();
  });

  it("looks at no more chunks of its own bin than the limit", () => {
    const b = new Bench({ smallLimit: 0 });
    const fitting = b.heap.malloc(1068);
    b.heap.malloc(12);
    const small = Array.from({ length: SEARCH_LIMIT }, () => {
      const ptr = b.heap.malloc(1020);
      b.heap.malloc(12);
      return ptr;
    });
    b.heap.free(fitting);
    for (const ptr of small) b.heap.free(ptr);
    expect(b.heap.malloc(1068)).not.toBe(fitting);
    // One chunk fewer before it, and it is found.
    expect(b.heap.malloc(1020)).toBe(small.at(-1));
    expect(b.heap.malloc(1068)).toBe(fitting);
    b.heap.check();
  });

  it("clears the bitmaps with the last chunk of a bin, and only then", () => {
    const b = new Bench({ smallLimit: 0 });
    const chunks = b.blocks(4, 100);
    b.heap.free((chunks[0] as number) + 4);
    b.heap.free((chunks[2] as number) + 4);
    b.heap.malloc(100);
    expect(b.word(16 + 100)).toBe(1 << 7);
    b.heap.malloc(100);
    expect(b.word(16 + 100)).toBe(0);
    expect(b.word(16 + 96)).toBe(0);
  });
});

describe("a link that was overwritten", () => {
  /** Two free chunks of 1040 bytes in one bin, the first of which leads to the second. */
  function twoFree() {
    const b = new Bench({ smallLimit: 0 });
    const [second, , first] = b.four(1036);
    b.heap.free(ptrOf(second));
    b.heap.free(ptrOf(first));
    b.heap.check();
    return { b, first, second };
  }

  type Two = ReturnType<typeof twoFree>;
  const CALLS: readonly [string, (two: Two) => void, (two: Two) => unknown][] = [
    ["findFit", leadOut, ({ b }) => findFit(b.machine, b.base, 1072)],
    ["findAligned", leadOut, ({ b }) => findAligned(b.machine, b.base, 1072, 4096)],
    ["nextHole", leadOut, ({ b, first }) => nextHole(b.machine, b.base, first, 1040)],
    [
      "takeFree, of a chunk that says that it is the first",
      ({ b, second }) => b.poke(second + PREVIOUS, beforeBin(b.base, binOf(b.machine, 1040))),
      ({ b, second }) => takeFree(b.machine, b.base, second, 1040),
    ],
  ];

  function leadOut({ b, first }: Two): void {
    b.poke(first + NEXT, 0xffff_fff0);
  }

  it.each(CALLS)("is not followed by %s, and nothing is changed", (_call, overwrite, call) => {
    const two = twoFree();
    overwrite(two);
    const bytes = Buffer.from(new Uint8Array(two.b.heap.buffer)).toString("hex");
    expect(() => call(two)).toThrow(Refused);
    expect(Buffer.from(new Uint8Array(two.b.heap.buffer)).toString("hex")).toBe(bytes);
  });

  const BEFORE: readonly [string, "first" | "second", (two: Two) => number][] = [
    ["the first", "first", () => NO_CHUNK],
    ["the first", "first", ({ second }) => second],
    ["the first", "first", ({ b }) => beforeBin(b.base, 7)],
    ["the first", "first", ({ b }) => b.base],
    ["another", "second", () => NO_CHUNK],
    ["another", "second", ({ b }) => beforeBin(b.base, 7)],
    ["another", "second", ({ second }) => second],
    ["another", "second", () => 0xffff_fff0],
  ];

  it.each(BEFORE)(
    "to what is before %s of a bin's chunks is refused, and nothing is changed",
    (_, which, to) => {
      for (const call of [takeFree, checkLinks]) {
        const two = twoFree();
        two.b.poke(two[which] + PREVIOUS, to(two));
        const bytes = Buffer.from(new Uint8Array(two.b.heap.buffer));
        expect(() => call(two.b.machine, two.b.base, two[which], 1040)).toThrow(Refused);
        expect(bytes.equals(new Uint8Array(two.b.heap.buffer))).toBe(true);
      }
    },
  );

  // What a bin's own size said of its first chunk, both of its sizes say of each.
  it.each(["first", "second"] as const)(
    "of a size that somebody has overwritten is refused for the %s, and nothing is changed",
    (which) => {
      for (const size of [1024, 1056, 1504, 16]) {
        for (const call of [takeFree, checkLinks]) {
          const two = twoFree();
          const bytes = Buffer.from(new Uint8Array(two.b.heap.buffer));
          expect(() => call(two.b.machine, two.b.base, two[which], size)).toThrow(Refused);
          expect(bytes.equals(new Uint8Array(two.b.heap.buffer))).toBe(true);
        }
      }
    },
  );

  it("of free chunks is refused by malloc, too", () => {
    const { b, first, second } = twoFree();
    for (const chunk of [first, second]) b.poke(chunk, 1504 | 1);
    expect(() => b.heap.malloc(1036)).toThrow(/overwritten/);
    for (const chunk of [first, second]) b.poke(chunk, 1040 | 1);
    b.heap.check();
  });
});
