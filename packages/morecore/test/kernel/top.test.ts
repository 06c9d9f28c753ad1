import { describe, expect, it } from "vitest";
import { CopyingMemory } from "../../../../test/support/memories.ts";
import { Heap, type HeapOptions, type Memory } from "../../src/index.ts";
import {
  AT_END,
  AT_LIMIT,
  AT_SEGMENT,
  AT_TOP,
  AT_UNTOUCHED,
  HEADER_BYTES,
  SEGMENT_CHUNKS,
} from "../../src/kernel/layout.ts";
import { growTop, topOf, topSize, trimTop } from "../../src/kernel/top.ts";
import { Bench } from "./broken.ts";

const STEP = 65_536;
/** Where the first chunk lies, from base on. */
const FIRST = HEADER_BYTES + SEGMENT_CHUNKS;

describe("a growth", () => {
  it("moves the end by whole steps", () => {
    const b = new Bench({ growthStep: 4096 });
    expect(b.heap.footprint).toBe(4096);
    b.heap.malloc(3000);
    expect(b.heap.footprint).toBe(8192);
    b.heap.malloc(20_000);
    expect(b.heap.footprint % 4096).toBe(0);
    expect(b.heap.footprint).toBeGreaterThanOrEqual(FIRST + 3008 + 20_016 + 4);
    expect(b.heap.footprint).toBeLessThan(FIRST + 3008 + 20_016 + 4 + 4096);
    expect(b.heap.statistics().growthCount).toBe(2);
    b.heap.check();
  });

  it("takes what is left below the limit when that is less than a step", () => {
    const b = new Bench({ memory: new ArrayBuffer(10_000), base: 16, growthStep: 4096 });
    const ptr = b.heap.malloc(9984 - FIRST - 4 - 4);
    expect(ptr).not.toBe(0);
    expect(b.heap.footprint).toBe(9984);
    expect(topSize(b.machine, b.base)).toBe(0);
    b.heap.check();
    b.heap.free(ptr);
    b.heap.check();
  });

  it("is refused, with nothing changed, when the memory does not grow", () => {
    const b = new Bench();
    const before = Buffer.from(new Uint8Array(b.heap.buffer));
    expect(growTop(b.machine, b.base, 1 << 20)).toBe(false);
    expect(growTop(b.machine, b.base, 0x7fff_fff0)).toBe(false);
    expect(before.equals(new Uint8Array(b.heap.buffer))).toBe(true);
  });

  it("is nothing when top is large enough", () => {
    const b = new Bench();
    expect(growTop(b.machine, b.base, topSize(b.machine, b.base))).toBe(true);
    expect(b.heap.statistics().growthCount).toBe(0);
  });

  it("asks the memory for whole wasm pages, and keeps what is over up to limit", () => {
    const heap = Heap.create({ reserve: STEP, advance: 0 });
    heap.malloc(100_000);
    expect(heap.buffer.byteLength % STEP).toBe(0);
    expect(heap.memorySize).toBe(heap.buffer.byteLength - heap.base);
    expect(heap.footprint).toBeLessThanOrEqual(heap.memorySize);
    heap.check();
  });

  it("falls back to what is needed when the memory refuses the advance", () => {
    const asked: number[] = [];
    let buffer = new ArrayBuffer(1 << 20);
    const memory: Memory = {
      get buffer() {
        return buffer;
      },
      grow(bytes) {
        asked.push(bytes);
        if (bytes > 2 * STEP) return 0;
        const from = buffer.byteLength;
        buffer = copied(buffer, from + bytes);
        return from;
      },
      get untouched() {
        return buffer.byteLength;
      },
    };
    const heap = Heap.create({ memory, advance: 1 });
    heap.malloc((1 << 20) - 100_000);
    expect(asked).toEqual([]);
    heap.malloc(100_000);
    expect(asked).toHaveLength(2);
    expect(asked[0]).toBeGreaterThan(2 * STEP);
    expect(asked[1]).toBe(2 * STEP);
    heap.check();
  });

  it("is refused when what the memory gives is too little where it lies", () => {
    const memory = new CopyingMemory(STEP);
    const grow = memory.grow.bind(memory);
    // One step may be had; meanwhile somebody else takes another.
    memory.grow = (bytes) => (bytes > STEP ? 0 : grow(bytes) + grow(bytes) - STEP);
    const heap = Heap.create({ memory, base: 16, advance: 0 });
    const [footprint, has] = [heap.footprint, heap.mallinfo().keepcost];
    // With the step that is asked for it would do, if that followed.
    expect(heap.malloc(STEP + has - 4)).toBe(0);
    expect([heap.footprint, heap.mallinfo().keepcost]).toEqual([footprint, has]);
    heap.check();
    expect(heap.malloc(1000)).not.toBe(0);
  });

  it("goes on behind what others took, with nothing left of a top that was full", () => {
    const memory = new CopyingMemory(STEP);
    const heap = Heap.create({ memory, base: 16, advance: 0 });
    const full = heap.malloc(heap.memorySize - heap.footprint + heap.mallinfo().keepcost - 4);
    expect([full === 0, heap.mallinfo().keepcost]).toEqual([false, 0]);
    memory.grow(STEP);
    expect(heap.malloc(1000)).toBe(2 * STEP + 16);
    heap.check();
    const states: string[] = [];
    heap.inspectAll(({ state }) => states.push(state));
    expect(states).not.toContain("free");
  });

  it("asks for nothing behind what others took, when the footprint limit forbids a segment there", () => {
    const memory = new CopyingMemory(STEP);
    const heap = Heap.create({ memory, base: 16, advance: 0 });
    memory.grow(STEP);
    // What top lacks would be allowed; a whole segment is not.
    heap.footprintLimit = heap.footprint + STEP;
    expect(heap.malloc(STEP - 4)).toBe(0);
    expect(memory.buffer.byteLength).toBe(2 * STEP);
    heap.footprintLimit += 16;
    expect(heap.malloc(STEP - 4)).toBe(2 * STEP + 16);
    heap.check();
  });

  it("asks for nothing beyond the last address that a heap can have", () => {
    const asked: number[] = [];
    const { buffer } = new WebAssembly.Memory({ initial: 65_535 });
    const grow = (bytes: number): number => {
      asked.push(bytes);
      return 0;
    };
    const heap = Heap.create({ memory: { buffer, grow, untouched: 0xfffe_0000 }, base: 0xfffe_0000 });
    expect(heap.malloc(STEP + 5000)).toBe(0);
    expect(asked).toEqual([]);
    heap.check();
  });
});

/** A larger buffer with the same bytes; the old one is detached. */
function copied(buffer: ArrayBuffer, bytes: number): ArrayBuffer {
  const old = structuredClone(buffer, { transfer: [buffer] });
  const next = new ArrayBuffer(bytes);
  new Uint8Array(next).set(new Uint8Array(old));
  return next;
}

describe("a trim", () => {
  it("gives back whole steps and keeps the pad", () => {
    const b = new Bench({ growthStep: STEP });
    const ptr = b.heap.malloc(150_000);
    b.heap.free(ptr);
    const had = b.heap.footprint;
    expect(b.heap.trim(STEP)).toBe(true);
    expect(b.heap.mallinfo().keepcost).toBeGreaterThanOrEqual(STEP);
    expect(b.heap.mallinfo().keepcost).toBeLessThan(2 * STEP);
    expect((had - b.heap.footprint) % STEP).toBe(0);
    expect(b.heap.trim(STEP)).toBe(false);
    expect(b.heap.statistics().trimCount).toBe(1);
    b.heap.check();
  });

  it("leaves the heap's limit and its peak as they were", () => {
    const b = new Bench();
    b.heap.free(b.heap.malloc(150_000));
    const [peak, size] = [b.heap.maxFootprint, b.heap.memorySize];
    expect(b.heap.trim()).toBe(true);
    expect(b.heap.maxFootprint).toBe(peak);
    expect(b.heap.memorySize).toBe(size);
    expect(b.heap.footprint).toBeLessThan(peak);
    b.heap.check();
  });

  it("says false and changes nothing when there is less than a step to give", () => {
    const b = new Bench();
    const before = Buffer.from(new Uint8Array(b.heap.buffer));
    expect(b.heap.trim()).toBe(false);
    expect(trimTop(b.machine, b.base, 0xffff_ffff)).toBe(false);
    expect(before.equals(new Uint8Array(b.heap.buffer))).toBe(true);
  });

  it("tells the memory which bytes are not needed", () => {
    const released: [number, number][] = [];
    const buffer = new ArrayBuffer(1 << 18);
    const memory: Memory = {
      buffer,
      grow: () => 0,
      untouched: 0,
      release: (from, to) => released.push([from, to]),
    };
    const heap = Heap.create({ memory });
    heap.free(heap.malloc(150_000));
    const end = heap.base + heap.footprint;
    heap.trim();
    expect(released).toEqual([[heap.base + heap.footprint, end]]);
  });

  it("is undone by the next growth, and calloc zeroes what was written before it", () => {
    const b = new Bench();
    const ptr = b.heap.malloc(150_000);
    b.heap.u8(ptr).fill(0xee);
    b.heap.free(ptr);
    b.heap.trim();
    const again = b.heap.calloc(1, 150_000);
    expect(again).toBe(ptr);
    expect(b.heap.u8(again).every((byte) => byte === 0)).toBe(true);
    b.heap.check();
  });

  it("takes a size that top could be cut to exactly, and leaves top empty", () => {
    const b = new Bench({ size: 8192, growthStep: 4096 });
    const ptr = b.heap.malloc(4096 - FIRST - 4 - 4);
    expect(topSize(b.machine, b.base)).toBe(0);
    b.heap.free(b.heap.malloc(2000));
    b.heap.trim();
    expect(topSize(b.machine, b.base)).toBe(0);
    expect(b.word(b.heap.base + AT_END)).toBe(topOf(b.machine, b.base) + 4);
    b.heap.check();
    b.heap.free(ptr);
    b.heap.check();
  });
});

describe("a trim by a free", () => {
  const THRESHOLD = 100_000;

  /** A heap whose memory counts what it is told to release. */
  function counted(options: HeapOptions = {}): { heap: Heap; released: () => number } {
    let count = 0;
    const buffer = new ArrayBuffer(1 << 24);
    const memory: Memory = { buffer, grow: () => 0, untouched: 0, release: () => void count++ };
    const heap = Heap.create({
      memory,
      growthStep: 4096,
      smallLimit: 0,
      trimThreshold: THRESHOLD,
      ...options,
    });
    return { heap, released: () => count };
  }

  /** Fills a heap with blocks of 1000 bytes and empties it from the end. */
  function cycle(heap: Heap, bytes: number): void {
    const ptrs = Array.from({ length: bytes / 1000 }, () => heap.malloc(1000));
    while (ptrs.length > 0) heap.free(ptrs.pop() ?? 0);
  }

  it("gives everything back that is over, as long as it is not got again", () => {
    const { heap, released } = counted();
    const ptrs = Array.from({ length: 2000 }, () => heap.malloc(1000));
    while (ptrs.length > 0) heap.free(ptrs.pop() ?? 0);
    expect(heap.footprint).toBeLessThan(THRESHOLD + 2 * 4096);
    expect(released()).toBe(20);
    heap.check();
  });

  it.each([150_000, 500_000, 3_000_000])(
    "is not done again by a heap that fills to %i bytes and empties, over and over",
    (bytes) => {
      const { heap, released } = counted();
      cycle(heap, bytes);
      expect(released()).toBeGreaterThan(0);
      cycle(heap, bytes);
      const [before, growths] = [released(), heap.statistics().growthCount];
      for (let round = 0; round < 10; round++) cycle(heap, bytes);
      expect(released()).toBe(before);
      expect(heap.statistics().growthCount).toBe(growths);
      heap.check();
      expect(heap.trim()).toBe(true);
      expect(heap.mallinfo().keepcost).toBeLessThan(4096);
    },
  );

  it("stops, too, when rounds need more and less in turn", () => {
    const { heap, released } = counted();
    const rounds = [1_000_000, 600_000, 700_000, 1_100_000, 650_000, 900_000];
    for (let time = 0; time < 2; time++) for (const bytes of rounds) cycle(heap, bytes);
    const before = released();
    for (let time = 0; time < 5; time++) for (const bytes of rounds) cycle(heap, bytes);
    expect(released()).toBe(before);
    heap.check();
  });

  it("teaches a heap no more at once than to keep 32 times what it kept", () => {
    const { heap } = counted({ trimThreshold: 10_000 });
    cycle(heap, 1_000_000);
    cycle(heap, 1_000_000);
    expect(heap.mallinfo().keepcost).toBeGreaterThan(100_000);
    expect(heap.mallinfo().keepcost).toBeLessThanOrEqual(320_000);
    cycle(heap, 1_000_000);
    expect(heap.mallinfo().keepcost).toBeGreaterThan(900_000);
  });

  it("leaves half of what top keeps, when it has more than that", () => {
    const { heap, released } = counted();
    for (let round = 0; round < 3; round++) cycle(heap, 500_000);
    const kept = heap.mallinfo().keepcost;
    const ptrs = Array.from({ length: 5000 }, () => heap.malloc(1000));
    let trims = released();
    for (const ptr of ptrs.reverse()) {
      heap.free(ptr);
      if (released() === trims) continue;
      trims++;
      expect(heap.mallinfo().keepcost).toBeGreaterThan(kept / 3);
      expect(heap.mallinfo().keepcost).toBeLessThan(kept);
    }
    expect(heap.mallinfo().keepcost).toBeLessThan(2 * kept);
  });

  it("teaches nothing when less than half of what it would give back now was got again", () => {
    const { heap, released } = counted();
    const ptrs = Array.from({ length: 1000 }, () => heap.malloc(1000));
    while (released() < 5 || heap.mallinfo().keepcost < 70_000) heap.free(ptrs.pop() ?? 0);
    const [trims, left] = [released(), heap.mallinfo().keepcost];
    heap.free(heap.malloc(left + 40_000));
    expect(released()).toBe(trims + 1);
    expect(heap.mallinfo().keepcost).toBeLessThan(4096);
  });

  it("is done after all, when what top keeps was not needed while much was freed", () => {
    const { heap } = counted();
    for (let round = 0; round < 3; round++) cycle(heap, 1_000_000);
    const kept = heap.mallinfo().keepcost;
    expect(kept).toBeGreaterThan(900_000);
    // What top keeps is never needed: 20 000 bytes come and go.
    for (let round = 0; round < 16 * 50; round++) cycle(heap, 20_000);
    expect(heap.mallinfo().keepcost).toBe(kept);
    for (let round = 0; round < 60 * 50; round++) cycle(heap, 20_000);
    expect(heap.mallinfo().keepcost).toBeLessThanOrEqual(THRESHOLD + 4096);
    heap.check();
  });

  it("is done each time with a threshold of 0, and again once the threshold is set", () => {
    const always = counted({ trimThreshold: 0 });
    for (let round = 1; round <= 5; round++) {
      always.heap.free(always.heap.malloc(50_000));
      expect(always.released()).toBe(round);
    }
    const { heap, released } = counted();
    for (let round = 0; round < 3; round++) cycle(heap, 500_000);
    const before = released();
    heap.options.trimThreshold = THRESHOLD;
    cycle(heap, 500_000);
    expect(released()).toBeGreaterThan(before);
  });
});

describe("a new segment", () => {
  it("begins where the memory went on, and what is left of the last one is free", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, growthStep: STEP });
    const [base, end] = [b.heap.base, b.heap.base + b.heap.footprint];
    memory.grow(3);
    const ptr = b.heap.malloc(80_000);
    expect(b.word(base + AT_SEGMENT)).toBe(5 * STEP);
    expect(ptr).toBe(5 * STEP + 16);
    expect(b.word(base + AT_END)).toBeLessThanOrEqual(b.word(base + AT_LIMIT));
    expect(b.word(base + AT_LIMIT)).toBe(memory.buffer.byteLength);
    const states: [string, number][] = [];
    b.heap.inspectAll((chunk) => states.push([chunk.state, chunk.address + chunk.size]));
    expect(states[0]).toEqual(["free", end - 4]);
    expect(b.heap.footprint).toBe(end - base + b.word(base + AT_END) - 5 * STEP);
    b.heap.check();
  });

  it("is a growth step large at least, also for a small request", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, growthStep: 8192, smallLimit: 0 });
    while (b.heap.footprint < STEP) b.heap.malloc(1000);
    b.heap.malloc(b.heap.mallinfo().keepcost - 4);
    const { footprint } = b.heap;
    memory.grow(1);
    expect(b.heap.malloc(100)).toBe(3 * STEP + 16);
    expect(b.heap.footprint).toBeGreaterThanOrEqual(footprint + 8192);
    expect(b.heap.footprint).toBeLessThan(footprint + 2 * 8192);
    b.heap.check();
  });

  it("serves small requests from the old segment's rest", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0 });
    memory.grow(1);
    const large = b.heap.malloc(80_000);
    const small = b.heap.malloc(100);
    expect(small).toBeLessThan(large);
    b.heap.free(small);
    b.heap.free(large);
    b.heap.trim();
    b.heap.check();
    expect(b.heap.mallinfo().ordblks).toBe(2);
  });

  it("frees the blocks of each segment within it, never across a fencepost", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, smallLimit: 0 });
    const ptrs: number[] = [];
    for (let round = 0; round < 4; round++) {
      ptrs.push(b.heap.malloc(50_000), b.heap.malloc(10_000));
      memory.grow(1);
    }
    expect(ptrs).not.toContain(0);
    for (const ptr of ptrs) {
      b.heap.free(ptr);
      b.heap.check();
    }
    const states: string[] = [];
    b.heap.inspectAll((chunk) => states.push(chunk.state));
    expect(states.filter((state) => state === "live")).toEqual([]);
    expect(states.at(-1)).toBe("top");
  });

  it("is refused when the footprint limit forbids it", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, growthStep: STEP, footprintLimit: 2 * STEP });
    memory.grow(1);
    expect(b.heap.malloc(80_000)).toBe(0);
    expect(b.heap.footprint).toBeLessThanOrEqual(2 * STEP);
    b.heap.check();
  });
});

describe("the untouched mark", () => {
  it("rises to where top was when a block goes back into top", () => {
    const heap = Heap.create();
    const mark = () => heap.u32(heap.base + AT_UNTOUCHED, 1)[0];
    const ptr = heap.malloc(5000);
    const top = heap.u32(heap.base + AT_TOP, 1)[0] as number;
    heap.u8(ptr).fill(0xff);
    heap.free(ptr);
    expect(mark()).toBe(top + 4);
    heap.check();
  });
});

describe("a heap above 2^31", () => {
  it("does all that one below does", () => {
    const memory = new WebAssembly.Memory({ initial: 32_800, maximum: 65_535 });
    const base = 0x8000_1000;
    const b = new Bench({ memory, base, size: 1 << 20 });
    const { heap } = b;
    const ptrs = [1, 100, 1000, 5000, 100_000].map((bytes) => heap.calloc(1, bytes));
    for (const ptr of ptrs) {
      expect(ptr).toBeGreaterThan(base);
      heap.u8(ptr).fill(0x5a);
    }
    heap.check();
    const aligned = heap.memalign(4096, 100);
    expect(aligned % 4096).toBe(0);
    const moved = heap.realloc(ptrs[1] as number, 3000);
    expect(heap.u8(moved, 100).every((byte) => byte === 0x5a)).toBe(true);
    expect(() => heap.free(ptrs[1] as number)).toThrow(/^0x8000/);
    expect(() => heap.free(0x7000_0000)).toThrow(/\(outside\)$/);
    heap.bulkFree([aligned, moved, ...ptrs.filter((_, index) => index !== 1)]);
    heap.trim();
    heap.check();
    expect(heap.mallinfo().ordblks).toBe(1);
    const again = Heap.attach(memory, base);
    expect(again.malloc(10)).toBe(base + FIRST + 64 + 4);
  });
});
