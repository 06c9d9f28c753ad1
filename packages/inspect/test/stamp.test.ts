import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Stamper, stampSeed } from "../src/replay/stamp.ts";

const SIZES = [0, 1, 3, 4, 15, 16, 63, 64, 1000, 1024, 1025, 1027, 1028, 4096, 4099];

function memory(bytes = 65536): { buffer: ArrayBuffer; bytes: Uint8Array; stamper: Stamper } {
  const buffer = new ArrayBuffer(bytes);
  return { buffer, bytes: new Uint8Array(buffer), stamper: new Stamper({ buffer }) };
}

describe("a stamp", () => {
  it.each(SIZES)("of %d bytes is found as it was written, whole and cut anywhere", (size) => {
    const { stamper } = memory();
    stamper.stamp(160, size, 7);
    for (let prefix = 0; prefix <= size; prefix++) {
      expect(stamper.verify(160, size, 7, prefix), `prefix ${prefix}`).toBeUndefined();
    }
  });

  it.each(SIZES)("of %d bytes writes none beside them", (size) => {
    const { bytes, stamper } = memory();
    bytes.fill(0xee);
    stamper.stamp(160, size, 7);
    expect(bytes.subarray(0, 160).every((byte) => byte === 0xee)).toBe(true);
    expect(bytes.subarray(160 + size).every((byte) => byte === 0xee)).toBe(true);
  });

  it("covers each byte of a payload up to 1024 bytes", () => {
    for (const size of SIZES.filter((size) => size <= 1024)) {
      for (let at = 0; at < size; at++) {
        const { bytes, stamper } = memory(2048);
        stamper.stamp(16, size, 7);
        bytes[16 + at] = (bytes[16 + at] ?? 0) ^ 0x10;
        expect(stamper.verify(16, size, 7), `byte ${at} of ${size}`).toMatchObject({
          offset: expect.any(Number),
        });
      }
    }
  });

  it("covers first and last bytes, and a word in each 16, of a larger one", () => {
    for (const size of [1028, 4096, 4099]) {
      const middle = Array.from({ length: Math.floor(size / 16) }, (_, k) => k * 16);
      const edges = Array.from({ length: 64 }, (_, k) => [k, size - 1 - k]).flat();
      for (const at of [...middle, ...edges]) {
        const { bytes, stamper } = memory(8192);
        stamper.stamp(16, size, 7);
        bytes[16 + at] = (bytes[16 + at] ?? 0) ^ 0x10;
        expect(stamper.verify(16, size, 7), `byte ${at} of ${size}`).toBeDefined();
      }
    }
  });

  it("says where it is broken, what it expected and what it found", () => {
    const { bytes, stamper } = memory();
    stamper.stamp(16, 100, 7);
    const expected = new DataView(bytes.buffer).getUint32(16 + 40, true);
    bytes.fill(0, 16 + 40, 16 + 44);
    expect(stamper.verify(16, 100, 7)).toEqual({ offset: 40, expected, found: 0 });
  });

  it("tells slots and generations apart", () => {
    const seeds = new Set<number>();
    for (let slot = 0; slot < 100; slot++) {
      for (let generation = 1; generation <= 100; generation++) seeds.add(stampSeed(slot, generation));
    }
    expect(seeds.size).toBe(10_000);
  });

  it("is broken by another that overlaps it, whichever was written last", () => {
    const payload = fc.record({ granule: fc.nat(400), size: fc.integer({ min: 4, max: 5000 }) });
    fc.assert(
      fc.property(payload, payload, fc.nat(1000), (first, second, slot) => {
        const [a, b] = [first.granule * 16, second.granule * 16];
        // Fewer than four shared bytes may be equal by chance.
        fc.pre(Math.min(a + first.size, b + second.size) - Math.max(a, b) >= 4);
        const { stamper } = memory();
        stamper.stamp(a, first.size, stampSeed(slot, 1));
        stamper.stamp(b, second.size, stampSeed(slot + 1, 1));
        expect(stamper.verify(a, first.size, stampSeed(slot, 1))).toBeDefined();
      }),
      { numRuns: 2000 },
    );
  });

  it("is broken when the contents have moved inside the payload", () => {
    const { bytes, stamper } = memory();
    stamper.stamp(16, 512, 7);
    bytes.copyWithin(32, 16, 16 + 496);
    expect(stamper.verify(16, 512, 7)).toMatchObject({ offset: 16 });
  });

  it("is found after the memory has got another buffer", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const stamper = new Stamper(memory);
    stamper.stamp(16, 100, 7);
    memory.grow(1);
    expect(stamper.byteLength).toBe(131072);
    expect(stamper.verify(16, 100, 7)).toBeUndefined();
  });
});

describe("the search for a byte that is not zero", () => {
  it("looks at each byte of the payload, and at no other", () => {
    for (const size of [0, 1, 5, 16, 17, 31, 64, 1000]) {
      const { bytes, stamper } = memory(2048);
      bytes.fill(1, 0, 16);
      bytes.fill(1, 16 + size);
      expect(stamper.firstNonZero(16, size)).toBe(-1);
      for (let at = 0; at < size; at++) {
        bytes[16 + at] = 0x80;
        expect(stamper.firstNonZero(16, size)).toBe(at);
        bytes[16 + at] = 0;
      }
    }
  });
});
