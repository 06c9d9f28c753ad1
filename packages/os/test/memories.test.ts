// The system's memories: what each does that other memories cannot.

import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HeapFormatError, HeapMisuseError, Heap as PlainHeap } from "morecore";
import { describe, expect, it } from "vitest";
import {
  hasBreak,
  hasOs,
  osMemoryOf,
  randomFrom,
  residentBytes,
  sharedName,
} from "../../../test/support/os.ts";
import { scratchFolder } from "../../../test/support/scratch.ts";
import { seedOf } from "../../../test/support/seed.ts";
import { Heap, mmapMemory, OsError, sbrkMemory } from "../src/index.ts";
import { libc } from "../src/libc.ts";
import { constantsOf } from "../src/system.ts";
import { foreign } from "../src/way.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;

const folder = scratchFolder("memories");

/** The code of the OsError that a call throws. */
function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof OsError) return error.code;
    throw error;
  }
  return "nothing thrown";
}

describe("what is missing says so", () => {
  it("another platform is named", () => {
    expect(() => constantsOf("win32", "LE")).toThrow(
      "expected Linux or macOS on a little-endian machine, got win32",
    );
    expect(() => constantsOf("linux", "BE")).toThrow("got linux (BE)");
    expect(constantsOf("darwin", "LE").mapAnonymous).toBe(0x1000);
  });
});

describe.runIf(hasBreak)("memory from sbrk", () => {
  // Node's own malloc may move the break meanwhile, in Node 26 more often than in 20: then it is tried again.
  it("is contiguous, and a trim lowers the break again", { retry: 3 }, () => {
    const memory = sbrkMemory();
    const heap = Heap.create({ memory });
    const before = memory.size;
    const ptr = heap.malloc(8 * MEBIBYTE);
    heap.u8(ptr).fill(1);
    expect(memory.size).toBeGreaterThan(8 * MEBIBYTE);
    expect(libc().sbrk(0)).toBe(memory.address + BigInt(memory.size));
    heap.free(ptr);
    heap.trim();
    expect(memory.size).toBeLessThanOrEqual(before);
    expect(libc().sbrk(0)).toBe(memory.address + BigInt(memory.size));
    heap.check();
    expect(heap.u8(heap.calloc(8 * MEBIBYTE)).every((byte) => byte === 0)).toBe(true);
    heap.check();
  });

  it("goes on in a new segment, behind a fencepost, when somebody else has moved the break", () => {
    const memory = sbrkMemory();
    const heap = Heap.create({ memory, advance: 0 });
    const first = heap.malloc(100_000);
    heap.u8(first).fill(1);
    const theirs = libc().sbrk(12_345) ?? 0n;
    const others = new Uint8Array(foreign().view(theirs, 12_345)).fill(0xee);
    const second = heap.malloc(500_000);
    heap.u8(second).fill(2);
    expect(heap.native(second)).toBeGreaterThan(theirs);
    expect(others.every((byte) => byte === 0xee)).toBe(true);
    expect(heap.u8(first).every((byte) => byte === 1)).toBe(true);
    heap.check();
    heap.free(second);
    heap.free(first);
    heap.trim();
    heap.check();
    expect(libc().sbrk(0)).toBeGreaterThan(theirs + 12_345n);
  });

  it("does not lower a break that is somebody else's", () => {
    const memory = sbrkMemory();
    const heap = Heap.create({ memory });
    const ptr = heap.malloc(4 * MEBIBYTE);
    const { size } = memory;
    const theirs = libc().sbrk(4096) ?? 0n;
    heap.free(ptr);
    heap.trim();
    expect(memory.size).toBe(size);
    expect(libc().sbrk(0)).toBe(theirs + 4096n);
    heap.check();
  });
});

describe.runIf(hasOs)("memory from mmap", () => {
  it("reserves without taking, keeps its buffer, and a view lives through growth", () => {
    const memory = mmapMemory({ reserve: 4 * 2 ** 30 });
    const heap = Heap.create({ memory });
    expect(memory.buffer.byteLength).toBe(2 ** 32);
    expect(residentBytes(memory)).toBeLessThan(MEBIBYTE);
    const view = heap.u32(heap.malloc(400), 100).fill(7);
    for (let index = 0; index < 30; index++) expect(heap.malloc(50 * MEBIBYTE)).not.toBe(0);
    expect(view.every((word) => word === 7)).toBe(true);
    expect(residentBytes(memory)).toBeLessThan(2 * MEBIBYTE);
  });

  it("gives out nearly all of the reservation, then says no", () => {
    const heap = Heap.create({ memory: mmapMemory({ reserve: 16 * MEBIBYTE }) });
    let got = 0;
    while (heap.malloc(MEBIBYTE - 64) !== 0) got += 1;
    expect(got).toBe(15);
    expect(heap.malloc(600_000)).not.toBe(0);
    heap.check();
  });

  it("a last block grows where it lies, up to the reservation's end", () => {
    const heap = Heap.create({ memory: mmapMemory({ reserve: 64 * MEBIBYTE }) });
    const ptr = heap.malloc(MEBIBYTE);
    for (let bytes = 2; bytes < 60; bytes += 3) expect(heap.realloc(ptr, bytes * MEBIBYTE)).toBe(ptr);
    heap.check();
  });

  it("a large block's pages are given back by its free, between others", () => {
    const heap = Heap.create({ memory: mmapMemory({ mmapThreshold: 128 * KIBIBYTE }) });
    const ptrs = Array.from({ length: 20 }, () => heap.malloc(MEBIBYTE));
    for (const ptr of ptrs) heap.u8(ptr).fill(1);
    const memory = osMemoryOf(heap);
    const full = residentBytes(memory);
    for (let index = 1; index < 20; index += 2) heap.free(ptrs[index] ?? 0);
    const left = residentBytes(memory);
    expect(full - left).toBeGreaterThan(10 * MEBIBYTE - 10 * 3 * memory.pageBytes);
    for (let index = 0; index < 20; index += 2)
      expect(heap.u8(ptrs[index] ?? 0).every((byte) => byte === 1)).toBe(true);
    heap.check();
    expect(heap.u8(heap.calloc(MEBIBYTE)).every((byte) => byte === 0)).toBe(true);
  });

  it("a realloc that moves or shrinks a large block gives back what it leaves", () => {
    const heap = Heap.create({ memory: mmapMemory({ mmapThreshold: 128 * KIBIBYTE }) });
    const memory = osMemoryOf(heap);
    const ptr = heap.malloc(4 * MEBIBYTE);
    heap.malloc(16);
    heap.u8(ptr).fill(1);
    const full = residentBytes(memory);
    expect(heap.realloc(ptr, MEBIBYTE)).toBe(ptr);
    expect(full - residentBytes(memory)).toBeGreaterThan(3 * MEBIBYTE - 3 * memory.pageBytes);
    heap.malloc(2 * MEBIBYTE);
    const moved = heap.realloc(ptr, 5 * MEBIBYTE);
    expect(moved).not.toBe(ptr);
    expect(heap.u8(moved, MEBIBYTE).every((byte) => byte === 1)).toBe(true);
    expect(residentBytes(memory)).toBeLessThan(MEBIBYTE + 64 * KIBIBYTE);
    heap.check();
  });

  it("the dynamic threshold rises to the size of a block that came and went; a fixed one does not", () => {
    for (const [mmapThreshold, kept] of [
      ["dynamic", true],
      [128 * KIBIBYTE, false],
      [Number.POSITIVE_INFINITY, true],
    ] as const) {
      const heap = Heap.create({ memory: mmapMemory({ mmapThreshold }) });
      const memory = osMemoryOf(heap);
      const first = heap.malloc(MEBIBYTE);
      heap.malloc(16);
      const empty = residentBytes(memory);
      heap.u8(first).fill(1);
      heap.free(first);
      // Once, a large block is given back at once.
      if (mmapThreshold !== Number.POSITIVE_INFINITY)
        expect(residentBytes(memory) - empty).toBeLessThan(64 * KIBIBYTE);
      const again = heap.malloc(MEBIBYTE);
      heap.u8(again).fill(1);
      heap.free(again);
      expect(residentBytes(memory) - empty > MEBIBYTE / 2).toBe(kept);
      expect(heap.options.trimThreshold).toBeGreaterThanOrEqual(2 * MEBIBYTE);
    }
  });

  it.each([
    ["memory from mmap", () => mmapMemory({ mmapThreshold: Number.POSITIVE_INFINITY })] as const,
    ...(hasBreak
      ? [["memory from sbrk", () => sbrkMemory({ mmapThreshold: Number.POSITIVE_INFINITY })] as const]
      : []),
  ])(
    "after a peak and freeing nine in ten at random, a trim gives back four fifths of the free whole pages, in %s",
    (name, make) => {
      const random = randomFrom(seedOf(`resident, ${name}`));
      const memory = make();
      const heap = Heap.create({ memory });
      let live = Array.from({ length: 60_000 }, () =>
        heap.malloc(random(4) === 0 ? random(8000) : random(300)),
      );
      for (const ptr of live) heap.u8(ptr).fill(1);
      const peak = residentBytes(memory);
      const kept: number[] = [];
      for (const ptr of live) {
        if (random(10) === 0) kept.push(ptr);
        else heap.free(ptr);
      }
      live = kept;
      const before = residentBytes(memory);
      const pages = freePages(heap, memory.pageBytes, memory.size);
      heap.trim();
      const after = residentBytes(memory);
      const free = pages * memory.pageBytes;
      console.log(
        `${name}: peak ${peak}, 90 % freed ${before}, trimmed ${after}; free whole pages ${free}, given back ${before - after}`,
      );
      expect(pages).toBeGreaterThan(1000);
      expect(before - after).toBeGreaterThanOrEqual(0.8 * free);
      for (const ptr of live) expect(heap.u8(ptr).every((byte) => byte === 1)).toBe(true);
      heap.check();
    },
  );
});

/** Whole OS pages without a live byte or anything of the allocator's, counted from what inspectAll tells. */
function freePages(heap: Heap, page: number, end: number): number {
  const busy = new Uint8Array(Math.ceil(end / page)).fill(1);
  const used = new Uint8Array(busy.length);
  const mark = (from: number, to: number): void => {
    for (let at = Math.floor(from / page); at * page < to && at < used.length; at++) used[at] = 1;
  };
  mark(0, heap.base + 2752 + 12);
  heap.inspectAll(({ address, size, state }) => {
    if (state === "live" || state === "overhead") mark(address, address + size);
    if (state === "free") {
      mark(address, address + 12);
      mark(address + size - 4, address + size);
    }
    if (state === "top") mark(address, address + 4);
  });
  return used.reduce((count, is) => count + (is === 0 ? 1 : 0), 0);
}

describe.runIf(hasOs)("addresses for C", () => {
  it("are where C finds the bytes, and lead back", () => {
    const heap = Heap.create({ memory: mmapMemory() });
    const ptr = heap.malloc(100);
    foreign().address("memset", "address", "int", "long")(heap.native(ptr), 0x5a, 100);
    expect(heap.u8(ptr, 100).every((byte) => byte === 0x5a)).toBe(true);
    expect(heap.fromNative(heap.native(ptr))).toBe(ptr);
    expect(heap.native(0)).toBe(0n);
    expect(heap.fromNative(0n)).toBe(0);
  });

  it("refuse what lies outside, and heaps that C cannot reach", () => {
    const heap = Heap.create({ memory: mmapMemory() });
    expect(() => heap.native(2 ** 33)).toThrow(
      "ptr: expected an address inside the memory's 65536 bytes, got 8589934592",
    );
    expect(() => heap.fromNative(4096n)).toThrow(
      "address: expected one inside the heap's memory, got 0x1000",
    );
    expect(() => Heap.create().native(16)).toThrow("native: expected a heap in sbrkMemory, mmapMemory");
  });
});

describe.runIf(hasOs)("a heap in a file", () => {
  it("is there again, with the same pointers, though the file is mapped elsewhere", () => {
    const path = join(folder, "again.heap");
    const first = Heap.open(path, { size: 1 << 30, smallLimit: 128 });
    const other = mmapMemory({ reserve: 1 << 20 });
    const node = first.malloc(16);
    const next = first.malloc(5 * MEBIBYTE);
    first.u32(node, 2).set([4711, next]);
    first.u8(next).fill(9);
    first.root = node;
    first.sync();
    first.close();
    expect(statSync(path).size).toBeLessThan(16 * MEBIBYTE);
    const again = Heap.open(path);
    expect(other.size).toBe(65_536);
    expect(again.root).toBe(node);
    expect([...again.u32(node, 2)]).toEqual([4711, next]);
    expect(again.u8(next).every((byte) => byte === 9)).toBe(true);
    expect(again.options.smallLimit).toBe(128);
    expect(again.repaired).toBeUndefined();
    again.free(next);
    again.free(node);
    again.check();
    again.close();
  });

  it("is open once at a time, and can be opened when it was closed", () => {
    const path = join(folder, "once.heap");
    const heap = Heap.open(path);
    expect(codeOf(() => Heap.open(path))).toBe("IN_USE");
    expect(() => Heap.open(path)).toThrow(
      `${path}: another process, or another Heap of this one, has it open`,
    );
    heap.close();
    Heap.open(path).close();
  });

  it("refuses every call after close, and a view that is left reads zero", () => {
    const heap = Heap.open(join(folder, "closed.heap"));
    const ptr = heap.malloc(100);
    const view = heap.u8(ptr).fill(1);
    heap.close();
    expect(view.every((byte) => byte === 0)).toBe(true);
    for (const call of [
      () => heap.malloc(1),
      () => heap.free(ptr),
      () => heap.check(),
      () => heap.footprint,
      () => heap.u8(ptr, 1),
      () => heap.close(),
      () => heap.root,
    ])
      expect(codeOf(call)).toBe("CLOSED");
  });

  it("is no heap if it is something else, or was cut off", () => {
    const path = join(folder, "other");
    for (const [bytes, words] of [
      [Buffer.alloc(100_000, "text "), "the file does not begin with a heap's label"],
      [Buffer.alloc(10), "the file does not begin with a heap's label"],
    ] as const) {
      writeFileSync(path, bytes);
      expect(codeOf(() => Heap.open(path))).toBe("NOT_A_HEAP");
      expect(() => Heap.open(path)).toThrow(`${path}: not a heap: ${words}`);
      expect(readFileSync(path).equals(bytes), "the file is as it was").toBe(true);
    }
    const cut = join(folder, "cut.heap");
    const heap = Heap.open(cut);
    heap.malloc(MEBIBYTE);
    heap.close();
    truncateSync(cut, 70_000);
    expect(() => Heap.open(cut)).toThrow(/it was cut off: the label says \d+ bytes, the file has 70000/);
    expect(() => Heap.open(folder)).toThrow("EISDIR");
  });

  it("that is broken is repaired, or refused if it may not be, or if too little is left", () => {
    const path = join(folder, "broken.heap");
    const heap = Heap.open(path);
    const ptrs = Array.from({ length: 5 }, () => heap.malloc(1000));
    for (const ptr of ptrs) heap.u8(ptr).fill(1);
    const [, , third = 0] = ptrs;
    heap.close();
    const bytes = readFileSync(path);
    // The header of the third block: a size that leads nowhere.
    bytes.writeUInt32LE(0xffff_ff03, third - 4);
    writeFileSync(path, bytes);
    expect(() => Heap.open(path, { repair: false })).toThrow("heap corrupted");
    const again = Heap.open(path);
    expect(again.repaired?.reason).toContain("heap corrupted");
    expect(again.repaired?.lost).toEqual([{ ptr: third, bytes: 1004 }]);
    expect(ptrs.map((ptr) => again.u8(ptr, 1000).every((byte) => byte === 1))).toEqual(Array(5).fill(true));
    for (const ptr of ptrs) again.free(ptr);
    again.check();
    again.close();
    bytes.fill(0, 4096, 4200);
    writeFileSync(path, bytes);
    expect(codeOf(() => Heap.open(path))).toBe("BEYOND_REPAIR");
  });

  it("never grows beyond its size, and bad options are named", () => {
    const path = join(folder, "small.heap");
    const heap = Heap.open(path, { size: MEBIBYTE });
    expect(heap.malloc(2 * MEBIBYTE)).toBe(0);
    expect(heap.malloc(500_000)).not.toBe(0);
    heap.close();
    expect(() => Heap.open(path, { size: 65_536 })).toThrow(/size: expected at least the \d+ bytes that/);
    expect(() => Heap.open(path, { size: 0 })).toThrow("size: expected 65536 to 4294967296 bytes, got 0");
    expect(() => Heap.open(path, { growthStep: 3 })).toThrow("growthStep: expected a power of two");
    Heap.open(path, { size: 2 * MEBIBYTE }).close();
  });

  it("whatever bytes are written over it, opening it ends with a heap or an error", () => {
    const random = randomFrom(seedOf("noise"));
    const path = join(folder, "noise.heap");
    const heap = Heap.open(path);
    for (let index = 0; index < 200; index++) heap.malloc(random(2000));
    heap.close();
    const sound = readFileSync(path);
    const ends = { sound: 0, repaired: 0, refused: 0 };
    for (let round = 0; round < 120; round++) {
      const bytes = Buffer.from(sound);
      for (let count = 1 + random(6); count > 0; count--)
        bytes.writeUInt32LE(random(2) === 0 ? random(2 ** 32) : random(4096), 4096 + random(20_000) * 4);
      writeFileSync(path, bytes);
      try {
        const opened = Heap.open(path);
        ends[opened.repaired === undefined ? "sound" : "repaired"] += 1;
        opened.check();
        opened.malloc(10);
        opened.close();
      } catch (error) {
        if (!(error instanceof OsError || error instanceof HeapFormatError)) throw error;
        ends.refused += 1;
        expect(readFileSync(path).equals(bytes), "the file is as it was").toBe(true);
      }
    }
    console.log(`noise: ${JSON.stringify(ends)}`);
    expect(ends.repaired).toBeGreaterThan(0);
  });

  it("refuses misuse as any heap does, with nothing changed", () => {
    const heap = Heap.open(join(folder, "misuse.heap"));
    const [ptr, other] = [heap.malloc(1000), heap.malloc(1000)];
    heap.u8(ptr).fill(3);
    expect(() => heap.freeSized(ptr, 500)).toThrow(HeapMisuseError);
    expect(() => heap.bulkFree([ptr, other, ptr])).toThrow("listed-twice");
    expect(() => heap.bulkFree([ptr, 17])).toThrow("misaligned");
    expect(() => heap.freeAlignedSized(ptr, 3, 1000)).toThrow("alignment-mismatch");
    expect(heap.u8(ptr).every((byte) => byte === 3)).toBe(true);
    heap.free(ptr);
    expect(() => heap.free(ptr)).toThrow("double-free");
    heap.close();
  });
});

describe.runIf(hasOs)("shared memory", () => {
  it("is one heap for all that open it by its name, and grows for all", () => {
    const name = sharedName();
    const heap = Heap.shared(name, { size: 64 * MEBIBYTE });
    const other = Heap.shared(name);
    try {
      const ptr = heap.malloc(20 * MEBIBYTE);
      heap.u8(ptr).fill(5);
      expect(other.u8(ptr, 20 * MEBIBYTE).every((byte) => byte === 5)).toBe(true);
      other.free(ptr);
      const theirs = other.malloc(100);
      other.root = theirs;
      heap.free(heap.root);
      expect(() => other.free(theirs)).toThrow("double-free");
      heap.check();
    } finally {
      heap.close();
      other.close();
      expect(Heap.unlink(name)).toBe(true);
    }
    expect(Heap.unlink(name)).toBe(false);
  });

  it("has names as shm_open has", () => {
    for (const name of ["state", "/a/b", "/", ""])
      expect(() => Heap.shared(name)).toThrow("name: expected a slash and a name without one");
  });

  it("a library's Heap can be attached to a heap in the system's memory", () => {
    const memory = mmapMemory({ reserve: MEBIBYTE });
    const plain = PlainHeap.create({ memory });
    const ptr = plain.malloc(100);
    Heap.attach(memory, plain.base).free(ptr);
    plain.check();
  });
});
