// Images: what is saved is what is loaded, and what has been changed is refused.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seedOf } from "../../../../test/support/seed.ts";
import { HEADER_BYTES, SLOT_BYTES } from "../../src/offset/image.ts";
import { OffsetAllocator, OffsetFormatError } from "../../src/offset/index.ts";

const seed = seedOf("offset image");

/** An allocator with holes in several bins, several in one, and spare slots. */
function used(): OffsetAllocator {
  const allocator = new OffsetAllocator(100_000, { tag: 3 });
  const blocks = Array.from({ length: 40 }, (_, index) =>
    allocator.allocate(1000 + (index % 7), index % 3 ? 1 : 256),
  );
  blocks.forEach((block, index) => {
    if (block !== undefined && index % 3 !== 1) allocator.free(block);
  });
  return allocator;
}

/** The sum in an image made right again, so that what lies behind it is put to the test. */
function resealed(image: Uint8Array): Uint8Array {
  const view = new DataView(image.buffer);
  let sum = 0x811c9dc5;
  for (let at = 12; at < image.length; at += 4) sum = Math.imul(sum ^ view.getUint32(at, true), 0x01000193);
  view.setUint32(8, sum, true);
  return image;
}

function reasonFor(image: Uint8Array): string {
  try {
    OffsetAllocator.load(image);
  } catch (error) {
    if (error instanceof OffsetFormatError) return error.reason;
    throw error;
  }
  return "none";
}

describe("save and load", () => {
  it("the loaded allocator gives the same offsets and handles, and knows the old handles", () => {
    const allocator = used();
    const loaded = OffsetAllocator.load(allocator.save());
    loaded.check();
    expect([...loaded.allocations()]).toEqual([...allocator.allocations()]);
    for (const bytes of [1000, 1006, 5, 3000, 1001, 1001, 64]) {
      expect(loaded.allocate(bytes, 4)).toBe(allocator.allocate(bytes, 4));
    }
    expect([...loaded.freeRegions()]).toEqual([...allocator.freeRegions()]);
  });

  it("the loaded state have room for as many regions as is said", () => {
    const allocator = new OffsetAllocator(1000, { regions: 500 });
    const loaded = OffsetAllocator.load(allocator.save(), { regions: 500 });
    expect(loaded.report()).toEqual(allocator.report());
    expect(() => OffsetAllocator.load(allocator.save(), { tag: 1 } as object)).toThrow(
      new TypeError('options: expected regions, got "tag"'),
    );
  });

  it("the same state gives the same bytes, 24 and 20 a slot", () => {
    const image = used().save();
    expect(used().save()).toEqual(image);
    expect(OffsetAllocator.load(image).save()).toEqual(image);
    const slots = new DataView(image.buffer).getUint32(16, true);
    expect(image.length).toBe(HEADER_BYTES + SLOT_BYTES * slots);
    expect(new OffsetAllocator(0).save().length).toBe(24 + 20);
  });

  it("an image may lie anywhere in a buffer, of any kind", () => {
    const image = used().save();
    const shared = new Uint8Array(new SharedArrayBuffer(image.length + 3), 3);
    shared.set(image);
    expect(OffsetAllocator.load(shared).save()).toEqual(image);
    expect(OffsetAllocator.load(image.buffer).save()).toEqual(image);
  });
});

describe("images that are refused", () => {
  it("any changed byte is noticed", () => {
    const image = used().save();
    const change = fc.record({ at: fc.nat(image.length - 1), by: fc.integer({ min: 1, max: 255 }) });
    const refused = ({ at, by }: { at: number; by: number }) => {
      const changed = image.slice();
      changed[at] = (changed[at] ?? 0) ^ by;
      expect(reasonFor(changed)).not.toBe("none");
    };
    fc.assert(fc.property(change, refused), { seed, numRuns: 1000 });
  });

  it("with the sum made right, a changed byte gives state that are sound, or is refused by name", () => {
    const image = used().save();
    let refusals = 0;
    for (let at = 12; at < image.length; at++) {
      for (const by of [1, 0x80, 0xff]) {
        const changed = image.slice();
        changed[at] = (changed[at] ?? 0) ^ by;
        resealed(changed);
        if (reasonFor(changed) === "none") OffsetAllocator.load(changed).check();
        else refusals += 1;
      }
    }
    expect(refusals).toBeGreaterThan(image.length);
  });

  it("what is cut off, of another kind, or of another version is named", () => {
    const image = used().save();
    expect(reasonFor(image.slice(0, 10))).toBe("length");
    expect(reasonFor(image.slice(0, -20))).toBe("length");
    expect(reasonFor(new Uint8Array(image.length))).toBe("magic");
    const other = image.slice();
    other[4] = 2;
    expect(reasonFor(other)).toBe("version");
    expect(() => OffsetAllocator.load(other)).toThrow("expected format 1, got 2");
    expect(() => OffsetAllocator.load("image" as unknown as ArrayBuffer)).toThrow(
      new TypeError('bytes: expected an ArrayBuffer or a view of one, got "image"'),
    );
  });

  it("what contradicts itself is refused with the invariant that does not hold", () => {
    const image = used().save();
    // The range's own offset, its end: the last region no longer ends there.
    new DataView(image.buffer).setFloat64(HEADER_BYTES, Number.NaN, true);
    const load = () => OffsetAllocator.load(resealed(image));
    expect(load).toThrow(OffsetFormatError);
    expect(load).toThrow(/contradicts itself: slot \d+: .*\(R1\)/);
  });
});
