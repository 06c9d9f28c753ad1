// Misuse: each wrong handle is refused by name, and nothing has been changed by it.

import { describe, expect, it, test } from "vitest";
import { MAX_TAG, SPENT } from "../../src/offset/handle.ts";
import { type Allocation, OffsetAllocator, OffsetMisuseError } from "../../src/offset/index.ts";

/** A number, or anything, that a caller without types may hand over. */
const asHandle = (value: unknown): Allocation => value as Allocation;

function fresh(tag?: number): { allocator: OffsetAllocator; block: Allocation } {
  const allocator = new OffsetAllocator(1000, tag === undefined ? {} : { tag });
  const block = allocator.allocate(100);
  if (block === undefined) throw new Error("nothing was allocated");
  return { allocator, block };
}

/** The error of a call that must be refused without a trace. */
function refusal(allocator: OffsetAllocator, call: () => void): OffsetMisuseError {
  const before = allocator.save();
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(OffsetMisuseError);
    expect(allocator.save(), "nothing has been changed").toEqual(before);
    return error as OffsetMisuseError;
  }
  throw new Error("the call was not refused");
}

describe("handles", () => {
  test("a double free is named", () => {
    const { allocator, block } = fresh();
    allocator.free(block);
    const error = refusal(allocator, () => allocator.free(block));
    expect(error).toMatchObject({ code: "double-free", handle: block });
    expect(error.message).toBe(
      `${block}: expected a live allocation, found one that was freed before (double-free)`,
    );
  });

  test("a double free is named when another allocation has the place", () => {
    const { allocator, block } = fresh();
    allocator.free(block);
    const other = allocator.allocate(100);
    const error = refusal(allocator, () => allocator.free(block));
    expect(error.code).toBe("double-free");
    expect(error.message).toContain("its slot serves another one now");
    expect(other !== undefined && allocator.has(other)).toBe(true);
  });

  test("a freed allocation has no offset and no size", () => {
    const { allocator, block } = fresh();
    allocator.free(block);
    expect(refusal(allocator, () => allocator.offsetOf(block)).code).toBe("stale");
    expect(refusal(allocator, () => allocator.sizeOf(block)).code).toBe("stale");
    expect(allocator.has(block)).toBe(false);
  });

  test("an allocation from before a reset is stale", () => {
    const { allocator, block } = fresh();
    allocator.reset();
    allocator.allocate(100);
    expect(refusal(allocator, () => allocator.offsetOf(block)).code).toBe("stale");
  });

  test("a handle of another allocator is foreign", () => {
    const { block } = fresh();
    const { allocator } = fresh();
    const error = refusal(allocator, () => allocator.free(block));
    expect(error.code).toBe("foreign");
    expect(error.message).toMatch(/its tag is \d+, this one's \d+/);
  });

  test("any 256 allocators in turn have different tags", () => {
    const blocks = Array.from({ length: MAX_TAG + 1 }, () => fresh().block);
    expect(new Set(blocks).size).toBe(MAX_TAG + 1);
  });

  test("a handle that was never given out is told from one that was", () => {
    const { allocator, block } = fresh(0);
    for (const never of [block + 2 ** 25, block + 1, block + 2 ** 23, 2 ** 24, 0, 5]) {
      expect(refusal(allocator, () => allocator.free(asHandle(never))).code).toBe("never-given");
    }
  });

  test.each([Number.NaN, -1, -(2 ** 24), 1.5, 2 ** 53, Number.POSITIVE_INFINITY, undefined, null, {}, "1"])(
    "%s is no handle",
    (value) => {
      const { allocator } = fresh();
      expect(refusal(allocator, () => allocator.free(asHandle(value))).code).toBe("not-a-handle");
      expect(allocator.has(asHandle(value))).toBe(false);
    },
  );

  test("a live handle as a string or with a fraction is no handle", () => {
    const { allocator, block } = fresh();
    for (const value of [String(block), block + 0.5, BigInt(block)]) {
      expect(refusal(allocator, () => allocator.free(asHandle(value))).code).toBe("not-a-handle");
    }
  });

  it("no handle comes up again: a slot that has served as often as it can is left alone", () => {
    const allocator = new OffsetAllocator(10);
    const first = allocator.allocate(10);
    if (first === undefined) throw new Error("nothing was allocated");
    allocator.free(first);
    // SPENT counts allocations and frees; one of each is done.
    for (let round = 2; round <= SPENT / 2; round++) allocator.free(allocator.allocate(10) ?? first);
    allocator.check();
    const next = allocator.allocate(10);
    expect(next !== undefined && next % 2 ** 24).not.toBe(first % 2 ** 24);
    allocator.check();
    expect(refusal(allocator, () => allocator.free(first)).code).toBe("double-free");
    allocator.reset();
    allocator.check();
    expect(OffsetAllocator.load(allocator.save()).save()).toEqual(allocator.save());
  });
});

describe("arguments", () => {
  const allocator = new OffsetAllocator(1000);

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("%d bytes are refused", (bytes) => {
    expect(() => allocator.allocate(bytes)).toThrow(
      new RangeError(`bytes: expected a whole number from 1 to 9007199254740991, got ${bytes}`),
    );
    expect(() => allocator.grow(bytes)).toThrow(RangeError);
  });

  test.each([0, -4, 0.5, Number.NaN, 2 ** 53])("an alignment of %d is refused", (alignment) => {
    expect(() => allocator.allocate(1, alignment)).toThrow(/^alignment: expected a whole number from 1 to/);
  });

  test("a range does not grow beyond 2^53 - 1", () => {
    expect(() => allocator.grow(Number.MAX_SAFE_INTEGER - 999)).toThrow(RangeError);
    allocator.grow(Number.MAX_SAFE_INTEGER - 1000);
    expect(allocator.bytes).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("what is no number is refused by its value", () => {
    expect(() => allocator.allocate("10" as unknown as number)).toThrow(
      new TypeError('bytes: expected a number, got "10"'),
    );
  });

  test("unknown options and bad ones are refused by name", () => {
    const make = (options: object) => () => new OffsetAllocator(10, options);
    expect(make({ region: 5 })).toThrow(new TypeError('options: expected regions or tag, got "region"'));
    expect(make({ regions: -1 })).toThrow(/^regions: expected a whole number from 0 to 16777212, got -1/);
    expect(make({ tag: 256 })).toThrow(new RangeError("tag: expected a whole number from 0 to 255, got 256"));
  });
});
