import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../../test/support/random.ts";
import * as at from "../../src/kernel/layout.ts";
import { extentOf } from "../../src/kernel/slab.ts";
import { slabOf } from "../../src/kernel/slab-map.ts";
import { Bench } from "./broken.ts";

const CLASSES = Array.from({ length: at.CLASS_COUNT }, (_, index) => index + 1);

function slabOfPtr(b: Bench, ptr: number): number {
  return slabOf(b.machine, b.base, ptr);
}

/** The most bytes, in 32ths of the region, that random blocks of 1 to `largest` bytes may have while others replace them. */
function mostLive(size: number, smallLimit: number, largest: number): number {
  let parts = 32;
  const bench = (): Bench => new Bench({ memory: new ArrayBuffer(1 << 21), size, smallLimit });
  while (!survives(bench(), (size * parts) / 32, largest)) parts--;
  return parts;
}

function survives({ heap }: Bench, most: number, largest: number): boolean {
  const random = randomFrom(7);
  const live: [ptr: number, bytes: number][] = [];
  let bytes = 0;
  for (let call = 0; call < 6000; call++) {
    const wanted = 1 + random(largest);
    for (; bytes + wanted > most; bytes -= live.pop()?.[1] ?? 0) {
      const at = random(live.length);
      const [gone, last] = [live[at], live.at(-1)] as [[number, number], [number, number]];
      heap.free(gone[0]);
      live[at] = last;
      live[live.length - 1] = gone;
    }
    const ptr = heap.malloc(wanted);
    if (ptr === 0) return false;
    live.push([ptr, wanted]);
    bytes += wanted;
  }
  return true;
}

describe("a heap that can have few bytes", () => {
  const classesWithSlabs = (b: Bench): number[] =>
    CLASSES.filter((sizeClass) => slabOfPtr(b, b.heap.malloc(sizeClass * 16)) !== 0);

  it.each([
    [131_056, 0],
    [131_072, 8],
    [200_000, 12],
    [262_128, 15],
    [262_144, 16],
  ])("of %i bytes has slabs of the %i smallest classes, no longer than the 128th part", (size, count) => {
    for (const b of [
      new Bench({ memory: new ArrayBuffer(1 << 20), size }),
      new Bench({ memory: new ArrayBuffer(1 << 20), footprintLimit: size }),
      new Bench({ memory: new ArrayBuffer(size + 16) }),
      new Bench({ memory: new WebAssembly.Memory({ initial: 32 }), base: 16, size }),
    ]) {
      expect(classesWithSlabs(b)).toEqual(CLASSES.slice(0, count));
      b.heap.check();
      for (let block = 0; block < 500; block++) {
        const slab = slabOfPtr(b, b.heap.malloc(16 * (1 + (block % 3))));
        if (slab !== 0) expect(extentOf(b.machine, slab)).toBeLessThanOrEqual(size / 128);
      }
      b.heap.check();
    }
  });

  it("says the size of a chunk where it has no slabs, and of a block where it has", () => {
    const b = new Bench({ size: 200_000 });
    for (const bytes of [0, 1, 28, 29, 100, 192, 193, 224, 256, 257, 272, 273, 496, 497])
      expect([bytes, b.heap.usableSize(b.heap.malloc(bytes))]).toEqual([bytes, b.heap.goodSize(bytes)]);
    b.heap.footprintLimit = 100_000;
    // It goes on with those that it has.
    for (const bytes of [1, 28, 100, 256, 496])
      expect([bytes, b.heap.usableSize(b.heap.malloc(bytes))]).toEqual([bytes, b.heap.goodSize(bytes)]);
  });

  it("holds at least four fifths of what it would without slabs, also with a few blocks of each class", () => {
    for (const largest of [at.NARROW_MAX, at.SMALL_MAX])
      for (const size of [16_384, 32_768, 65_536, 131_072, 262_144]) {
        const share = mostLive(size, at.SMALL_MAX, largest) / mostLive(size, 0, largest);
        expect(share, `${size}, ${largest}`).toBeGreaterThan(0.8);
      }
  });
});
