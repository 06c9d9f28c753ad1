import { describe, expect, it } from "vitest";
import { alignedAlloc, memalign } from "../../src/kernel/align.ts";
import { CORRUPTED } from "../../src/kernel/codes.ts";
import { MAX_REQUEST, PREVIOUS_IN_USE } from "../../src/kernel/layout.ts";
import { Bench } from "./broken.ts";

describe("memalign", () => {
  it("gives 0 where the rounded alignment and the size are too much together, and changes nothing", () => {
    const b = new Bench();
    const before = Buffer.from(new Uint8Array(b.heap.buffer)).toString("hex");
    const alignment = 2 ** 29 + 1;
    for (const bytes of [MAX_REQUEST - alignment, MAX_REQUEST - 2 ** 30 + 1, MAX_REQUEST])
      expect(memalign(b.machine, b.base, alignment, bytes)).toBe(0);
    for (const much of [2 ** 30 + 1, 2 ** 31, 2 ** 32 - 1])
      expect(memalign(b.machine, b.base, much, 1)).toBe(0);
    expect(Buffer.from(new Uint8Array(b.heap.buffer)).toString("hex")).toBe(before);
  });
});

describe("memalign from a hole", () => {
  const HOLE = 2000;

  /** A heap with a hole between two live blocks, and its address. */
  function withHole(): { b: Bench; hole: number } {
    const b = new Bench({ smallLimit: 0 });
    b.heap.malloc(100);
    const hole = b.heap.malloc(HOLE);
    b.heap.malloc(100);
    b.heap.free(hole);
    return { b, hole };
  }

  it.each([32, 64, 256, 1024])(
    "at a multiple of %i leaves what is before and behind free, and both merge again",
    (alignment) => {
      const { b, hole } = withHole();
      const ptr = b.heap.memalign(alignment, 500);
      b.heap.check();
      expect(ptr % alignment).toBe(0);
      expect(ptr).toBeGreaterThanOrEqual(hole);
      expect(ptr + 500).toBeLessThanOrEqual(hole + HOLE);
      b.heap.free(ptr);
      b.heap.check();
      expect(b.heap.malloc(HOLE)).toBe(hole);
    },
  );

  it("takes a hole that fits to the byte, where it lies", () => {
    const { b, hole } = withHole();
    const alignment = hole & -hole;
    expect(b.heap.memalign(alignment, HOLE)).toBe(hole);
    b.heap.check();
  });

  it("refuses a hole whose header says that it is smaller than its bin, with nothing changed", () => {
    const { b, hole } = withHole();
    b.poke(hole - 4, 32 | PREVIOUS_IN_USE);
    const before = Buffer.from(new Uint8Array(b.heap.buffer)).toString("hex");
    expect(() => memalign(b.machine, b.base, 64, 1900)).toThrow(
      expect.objectContaining({ code: CORRUPTED, address: hole - 4 }),
    );
    expect(Buffer.from(new Uint8Array(b.heap.buffer)).toString("hex")).toBe(before);
  });
});

describe("alignedAlloc", () => {
  it("gives 0 for an alignment that is no power of two, as C's does with EINVAL", () => {
    const b = new Bench();
    for (const alignment of [0, 3, 24, 2 ** 32 - 1])
      expect(alignedAlloc(b.machine, b.base, alignment, 100)).toBe(0);
    expect(alignedAlloc(b.machine, b.base, 64, 100) % 64).toBe(0);
    b.heap.check();
  });
});
