import { describe, expect, it } from "vitest";
import { asBase } from "../../src/kernel/address.ts";
import { engine } from "../../src/kernel/design.ts";
import { CACHED, FREE, LIVE, OVERHEAD, TOP } from "../../src/kernel/walk.ts";
import { Bench } from "./broken.ts";

/** What the engine says of an address of a bench's heap. */
function said(b: Bench, address: number): unknown {
  return engine.describe(b.machine, b.base, address);
}

describe("what an address is", () => {
  it("is the live block that it lies in, of a slab or a chunk, wherever in the block", () => {
    const b = new Bench();
    for (const bytes of [100, 256, 1000, 50_000]) {
      const ptr = b.heap.malloc(bytes);
      const usable = b.heap.usableSize(ptr);
      for (const at of [ptr, ptr + 1, ptr + 16, ptr + bytes - 1])
        expect(said(b, at)).toEqual({ state: "live", ptr, usable });
    }
  });

  it("is a header's word, with the block behind it", () => {
    const b = new Bench({ smallLimit: 0 });
    const ptr = b.heap.malloc(1000);
    expect(said(b, ptr - 4)).toEqual({ state: "live", ptr, usable: b.heap.usableSize(ptr) });
  });

  it("is a free block of a slab, a free chunk, or top", () => {
    const b = new Bench();
    const [small, large] = [b.heap.malloc(64), b.heap.malloc(3000)];
    b.heap.malloc(64);
    b.heap.malloc(3000);
    b.heap.free(small);
    b.heap.free(large);
    expect(said(b, small + 8)).toEqual({ state: "cached", ptr: small, usable: 64 });
    expect(said(b, large + 8)).toMatchObject({ state: "free", ptr: large });
    expect(said(b, b.base + b.heap.footprint - 64)).toMatchObject({ state: "top" });
  });

  it("is the heap's own, the heap's header, or nothing of it", () => {
    const b = new Bench();
    b.heap.malloc(64);
    const own = new Set<number>();
    b.heap.inspectAll(({ address, ptr, state }) => {
      if (state === "overhead") own.add(ptr);
      // A slab's chunk begins where its first block does.
      else own.delete(address);
    });
    expect(own.size, "a descriptor and the map").toBe(2);
    for (const ptr of own) expect(said(b, ptr + 4)).toMatchObject({ state: "overhead", ptr });
    const nothing = { ptr: 0, usable: 0 };
    for (const at of [b.base, b.base + 100, b.base + engine.headerBytes - 4])
      expect(said(b, at)).toEqual({ state: "heap", ...nothing });
    for (const at of [0, b.base - 4, b.base + b.heap.footprint, 2 ** 32 - 16])
      expect(said(b, at)).toEqual({ state: "outside", ...nothing });
  });

  it("is the same by each way: every address of a heap lies in the piece that the walk shows there", () => {
    const b = new Bench({ memory: new ArrayBuffer(1 << 18) });
    const ptrs = Array.from({ length: 60 }, (_, index) => b.heap.malloc(index * 17));
    for (const ptr of ptrs.filter((_, index) => index % 3 === 0)) b.heap.free(ptr);
    engine.walk(b.machine, b.base, ({ ptr, usable, state }) => {
      if (state === "overhead") return;
      for (const at of [ptr, ptr + (usable >>> 1)])
        if (usable > 0) expect(said(b, at)).toEqual({ state, ptr, usable });
    });
  });
});

describe("the engine of this design", () => {
  it("names the states of a piece as the family counts them", () => {
    expect(engine.states).toEqual({ live: LIVE, cached: CACHED, free: FREE, top: TOP, overhead: OVERHEAD });
  });

  it("writes nothing beyond formattedBytes when it lays out a heap", () => {
    const b = new Bench({ memory: new ArrayBuffer(1 << 20), size: 1 << 16 });
    const at = 1 << 18;
    const region = { limit: at + (1 << 16), untouched: at, flags: 0 };
    engine.format(b.machine, asBase(at), region, 4096);
    const words = new Uint32Array(b.heap.buffer, at, (1 << 16) / 4);
    expect(words.findLastIndex((word) => word !== 0)).toBe(engine.formattedBytes / 4 - 1);
    expect(engine.probe(b.machine, asBase(at))).toBeUndefined();
    engine.erase(b.machine, asBase(at));
    expect(engine.probe(b.machine, asBase(at))?.reason).toBe("magic");
  });

  it("hints at the size of large blocks, and keeps nothing in the idle part of free ones", () => {
    const b = new Bench();
    const ptr = b.heap.malloc(200_000);
    b.heap.malloc(200_000);
    const usable = b.heap.usableSize(ptr);
    const hint = engine.sizeHint(b.machine.words, ptr);
    expect(hint).toBeGreaterThanOrEqual(usable);
    expect(hint).toBeLessThan(usable + 16);
    expect(engine.sizeHint(b.machine.words, 0)).toBe(0);
    b.heap.u8(ptr).fill(0xab);
    b.heap.free(ptr);
    const { from, to } = engine.idlePart("free", ptr, ptr + usable);
    expect(to - from).toBeGreaterThan(usable - 32);
    new Uint8Array(b.heap.buffer, from, to - from).fill(0);
    b.heap.check();
    expect(b.heap.malloc(200_000)).toBe(ptr);
  });

  it("frees a list that lies outside of the memory, and clears it", () => {
    const b = new Bench();
    const list = Uint32Array.of(b.heap.malloc(100), 0, b.heap.malloc(3000));
    engine.freeListed(b.machine, b.base, list, list.length);
    expect([...list]).toEqual([0, 0, 0]);
    b.heap.check();
    expect(b.heap.mallinfo().ordblks).toBe(1);
  });
});
