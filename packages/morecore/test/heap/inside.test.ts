// Heap.inside: a heap in memory that a module's own malloc gives, while the module goes on allocating.

import { describe, expect, it } from "vitest";
import { canCompile } from "../../../../test/support/capabilities.ts";
import { mallocModule } from "../../../../test/support/memories.ts";
import { Shadow } from "../../../../test/support/shadow.ts";
import { Heap, type InsideOptions, i32, struct, UseAfterFreeError } from "../../src/index.ts";

const PAGE = 65_536;

describe("a heap inside a module", () => {
  it("and the module's allocator both stay sound while both allocate and free", () => {
    const { host, exports } = mallocModule();
    const heap = Heap.inside(exports);
    const [ours, theirs] = [new Shadow(heap), new Shadow(host)];
    for (let round = 0; round < 1500; round++) {
      for (const shadow of [ours, theirs]) {
        const bytes = (round * 7919) % (round % 16 === 0 ? 60_000 : 500);
        shadow.add(shadow === ours ? heap.malloc(bytes) : host.malloc(bytes), bytes);
        if (round % 3 !== 2) continue;
        const block = shadow.list[(round * 31) % shadow.list.length];
        if (block === undefined) continue;
        shadow.remove(block);
        (shadow === ours ? heap : host).free(block.ptr);
      }
    }
    heap.check();
    host.check();
    ours.verifyAll();
    theirs.verifyAll();
    expect(heap.statistics().growthCount).toBeGreaterThan(3);
    ours.finish();
    heap.dispose();
    theirs.verifyAll();
    host.check();
  });

  it.skipIf(!canCompile)("is served by wasm, and gives its functions to other modules", () => {
    const heap = Heap.inside(mallocModule().exports);
    const ptr = (heap.exports.malloc(100_000) as number) >>> 0;
    expect(heap.usableSize(ptr)).toBeGreaterThanOrEqual(100_000);
    heap.check();
  });

  it("that has only a view of the memory is served as well, and follows each view that the glue makes", () => {
    const { exports, host } = mallocModule();
    const memory = exports["memory"] as WebAssembly.Memory;
    const module = {
      HEAPU8: new Uint8Array(memory.buffer),
      _malloc(bytes: number): number {
        const ptr = (exports["malloc"] as (bytes: number) => number)(bytes);
        module.HEAPU8 = new Uint8Array(memory.buffer);
        return ptr;
      },
      _free: exports["free"] as (ptr: number) => void,
    };
    const heap = Heap.inside(module);
    const shadow = new Shadow(heap);
    for (let bytes = 1; bytes < 300_000; bytes = bytes * 2 + 1) shadow.add(heap.malloc(bytes), bytes);
    heap.check();
    host.check();
    shadow.finish();
  });

  it("has 64 KiB at first, or its reserve, and grows by loans as large as all before", () => {
    const { exports } = mallocModule();
    expect(Heap.inside(exports).memorySize).toBe(PAGE);
    expect(Heap.inside(exports, { reserve: PAGE + 1 }).memorySize).toBe(2 * PAGE);
    const heap = Heap.inside(exports);
    expect(heap.options.advance).toBe(1);
    for (let index = 0; index < 100; index++) heap.malloc(20_000);
    expect(heap.statistics().growthCount).toBeGreaterThan(5);
    expect((heap.memory as unknown as { loans: unknown[] }).loans.length).toBeLessThan(8);
  });

  it("takes the settings of any heap, and refuses what is no option of it by name", () => {
    const { exports } = mallocModule();
    expect(Heap.inside(exports, { smallLimit: 0, advance: 0, checking: false }).checking).toBe(false);
    for (const name of ["memory", "base", "size", "alone", "sise"])
      expect(() => Heap.inside(exports, { [name]: 16 } as InsideOptions)).toThrow(
        `options: unknown option "${name}"; known are reserve, checking, growthStep`,
      );
    expect(() => Heap.inside(exports, { reserve: -1 })).toThrow(RangeError);
  });

  it("gets 0 when the module has no more memory, and nothing is lost", () => {
    const { host, exports } = mallocModule({ footprintLimit: 1_000_000 });
    const before = host.mallinfo().uordblks;
    const heap = Heap.inside(exports);
    const shadow = new Shadow(heap);
    for (let ptr = heap.malloc(30_000); ptr !== 0; ptr = heap.malloc(30_000)) shadow.add(ptr, 30_000);
    expect(heap.malloc(500_000)).toBe(0);
    heap.check();
    host.check();
    shadow.finish();
    heap.dispose();
    host.trim();
    expect(host.mallinfo().uordblks).toBe(before);
  });

  it("is not made where the module has no memory at all", () => {
    const { exports } = mallocModule({ footprintLimit: 0 });
    expect(() => Heap.inside(exports)).toThrow(
      new RangeError("exports: the module's allocator has no 65536 bytes for a heap"),
    );
  });

  it("passes on what the module's malloc throws, and is as it was", () => {
    const { exports, host } = mallocModule();
    const malloc = exports["malloc"] as (bytes: number) => number;
    let aborts = false;
    const heap = Heap.inside({
      ...exports,
      malloc: (bytes: number) => {
        if (aborts) throw new WebAssembly.RuntimeError("Aborted(OOM)");
        return malloc(bytes);
      },
    });
    const shadow = new Shadow(heap);
    shadow.add(heap.malloc(50_000), 50_000);
    aborts = true;
    const size = heap.memorySize;
    for (const call of [() => heap.malloc(100_000), () => heap.new(struct({ a: i32 })) && heap.calloc(1e6)])
      expect(call).toThrow(new WebAssembly.RuntimeError("Aborted(OOM)"));
    expect(heap.memorySize).toBe(size);
    heap.check();
    aborts = false;
    shadow.add(heap.malloc(100_000), 100_000);
    heap.check();
    host.check();
    shadow.verifyAll();
  });

  it("can be given a bound", () => {
    const heap = Heap.inside(mallocModule().exports, { footprintLimit: 200_000 });
    let bytes = 0;
    while (heap.malloc(1000) !== 0) bytes += 1000;
    expect(bytes).toBeGreaterThan(100_000);
    expect(heap.footprint).toBeLessThanOrEqual(200_000);
  });
});

describe("dispose", () => {
  it("gives all memory back to the module, and each later call throws", () => {
    const { host, exports } = mallocModule();
    const before = host.mallinfo().uordblks;
    const heap = Heap.inside(exports);
    const Pair = struct({ a: i32, b: i32 });
    const pair = heap.new(Pair, { a: 1 });
    for (let index = 0; index < 30; index++) heap.malloc(20_000);
    expect(host.mallinfo().uordblks).toBeGreaterThan(before);
    heap.dispose();
    heap.dispose();
    host.check();
    expect(host.mallinfo().uordblks).toBe(before);
    const calls: (() => unknown)[] = [
      () => heap.malloc(1),
      () => heap.free(16),
      () => heap.u8(16, 4),
      () => heap.check(),
      () => heap.footprint,
      () => heap.new(Pair),
      () => heap.trim(),
    ];
    for (const call of calls) expect(call).toThrow(new TypeError("the heap has been disposed of"));
    expect(() => pair.a).toThrow(UseAfterFreeError);
    expect(() => Heap.attach(heap.memory, heap.base)).toThrow(/magic number/);
  });

  it("happens at the end of a `using` block", () => {
    const { host, exports } = mallocModule();
    const before = host.mallinfo().uordblks;
    {
      using heap = Heap.inside(exports);
      heap.malloc(10);
    }
    expect(host.mallinfo().uordblks).toBe(before);
  });

  it("of any other heap ends the one window", () => {
    const heap = Heap.create();
    const other = Heap.attach(heap.memory, heap.base);
    heap.dispose();
    expect(() => heap.malloc(1)).toThrow(TypeError);
    expect(other.malloc(1)).not.toBe(0);
  });
});

describe("a second window on a heap inside a module", () => {
  it("is had with the heap's own memory, and grows as the first does", () => {
    const { host, exports } = mallocModule();
    const heap = Heap.inside(exports);
    const other = Heap.attach(heap.memory, heap.base);
    const shadow = new Shadow(heap);
    for (let index = 0; index < 40; index++) shadow.add((index % 2 ? heap : other).malloc(9000), 9000);
    other.check();
    host.check();
    shadow.finish();
  });

  it("is refused with the WebAssembly.Memory, by which it would grow into the module's", () => {
    const { exports } = mallocModule();
    const heap = Heap.inside(exports);
    expect(() => Heap.attach(exports["memory"] as WebAssembly.Memory, heap.base)).toThrow(
      new TypeError(
        "memory: the heap there grows by a module's own malloc; expected the `memory` of the heap that Heap.inside made",
      ),
    );
  });

  it("is had on a copy of the memory, which never grows", () => {
    const heap = Heap.inside(mallocModule().exports);
    const ptr = heap.malloc(100);
    const copy = Heap.attach(heap.buffer.slice(0), heap.base);
    copy.check();
    expect(copy.usableSize(ptr)).toBe(heap.usableSize(ptr));
  });

  it("is no place for another heap", () => {
    const { memory } = Heap.inside(mallocModule().exports);
    expect(() => Heap.create({ memory })).toThrow(/^memory: expected no memory of Heap\.inside's/);
  });
});
