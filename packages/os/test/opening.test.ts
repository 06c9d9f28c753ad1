// Opening: what is refused and how it is said; what a refusal leaves; and how a heap that was opened ends.

import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasOs, IMPORT, runModule, sharedName } from "../../../test/support/os.ts";
import { scratchFolder } from "../../../test/support/scratch.ts";
import { DISPOSE } from "../../morecore/src/typed/disposal.ts";
import { Heap, mmapMemory, OsError, sbrkMemory } from "../src/index.ts";

const MEBIBYTE = 1 << 20;
const BASE = 4096;
const HEADER_BYTES = 2764;
/** Where the label keeps the copy of a header that was repaired. */
const AT_COPY = 1028;

const folder = scratchFolder("opening");

/** Options as a program without types gives them. */
function untyped(options: unknown): object {
  return options as object;
}

/** A heap's file with five blocks of 1000 bytes, and what they lie at. */
function fiveBlocks(name: string): { path: string; ptrs: number[] } {
  const path = join(folder, name);
  const heap = Heap.open(path, { size: MEBIBYTE });
  const ptrs = Array.from({ length: 5 }, () => heap.malloc(1000));
  for (const ptr of ptrs) heap.u8(ptr).fill(1);
  heap.close();
  return { path, ptrs };
}

/** Writes a word into a file. */
function writeWord(path: string, at: number, word: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(word, at);
  writeFileSync(path, bytes);
}

const KNOWN =
  "size, repair, mmapThreshold, growthStep, advance, smallLimit, trimThreshold, footprintLimit, zeroSizeRealloc";

describe.runIf(hasOs)("an option", () => {
  it.each([
    [{ sise: 1 }, TypeError, `options: unknown option "sise"; known are ${KNOWN}`],
    [{ reserve: MEBIBYTE }, TypeError, `options: unknown option "reserve"; known are ${KNOWN}`],
    [null, TypeError, "options: expected an object, got null"],
    ["1 GiB", TypeError, 'options: expected an object, got "1 GiB"'],
    [{ size: "1" }, TypeError, 'size: expected a number, got "1"'],
    [{ size: 1n }, TypeError, "size: expected a number, got 1n"],
    [{ size: -1 }, RangeError, "size: expected 65536 to 4294967296 bytes, got -1"],
    [{ size: 2 ** 40 }, RangeError, "size: expected 65536 to 4294967296 bytes, got 1099511627776"],
    [{ size: Number.NaN }, RangeError, "size: expected 65536 to 4294967296 bytes, got NaN"],
    [{ repair: "no" }, TypeError, 'repair: expected true or false, got "no"'],
    [
      { mmapThreshold: "x" },
      TypeError,
      'mmapThreshold: expected a number of bytes, Infinity or "dynamic", got "x"',
    ],
    [
      { mmapThreshold: -1 },
      RangeError,
      'mmapThreshold: expected a number of bytes, Infinity or "dynamic", got -1',
    ],
    [{ growthStep: 3 }, RangeError, "growthStep: expected a power of two"],
    [{ zeroSizeRealloc: 1 }, TypeError, 'zeroSizeRealloc: expected "alloc" or "free", got 1'],
  ])("%o is refused by name, and no file is made", (options, kind, message) => {
    const path = join(folder, "never.heap");
    const name = sharedName();
    for (const open of [() => Heap.open(path, untyped(options)), () => Heap.shared(name, untyped(options))]) {
      expect(open).toThrow(kind);
      expect(open).toThrow(message);
    }
    expect(existsSync(path)).toBe(false);
    expect(Heap.unlink(name)).toBe(false);
  });

  it("that is undefined is as one that is not given", () => {
    const path = join(folder, "undefined.heap");
    const none = { size: undefined, repair: undefined, mmapThreshold: undefined, smallLimit: undefined };
    Heap.open(path, { smallLimit: 64 }).close();
    const heap = Heap.open(path, untyped(none));
    expect(heap.options.smallLimit).toBe(64);
    heap.close();
  });

  it("of a memory, or of a heap that is there, is refused by name, too", () => {
    expect(() => mmapMemory(untyped({ size: 1 }))).toThrow(
      'unknown option "size"; known are reserve, mmapThreshold',
    );
    expect(() => sbrkMemory(untyped({ reserve: 1 }))).toThrow(
      'unknown option "reserve"; known are reach, mmapThreshold',
    );
    expect(() => mmapMemory(untyped(null))).toThrow("options: expected an object, got null");
    const heap = Heap.create({ memory: mmapMemory({ reserve: MEBIBYTE }) });
    expect(() => Object.assign(heap.options, { smalLimit: 64 })).toThrow(
      'options: unknown option "smalLimit"; known are growthStep, advance',
    );
  });

  it("of a name of shared memory is a text that C can hold", () => {
    expect(() => Heap.shared("/a\0b")).toThrow(RangeError);
    expect(() => Heap.unlink("state")).toThrow(
      'name: expected a slash and a name without one, as "/state", got "state"',
    );
    expect(() => Heap.shared(untyped(undefined) as unknown as string)).toThrow(TypeError);
  });
});

describe.runIf(hasOs)("a heap that was opened", () => {
  it("ends with the block that uses it, once, whatever closes it before", () => {
    const path = join(folder, "used.heap");
    const name = sharedName();
    for (const open of [() => Heap.open(path), () => Heap.shared(name)]) {
      let left: Heap;
      {
        using heap = open();
        heap.root = heap.malloc(100);
        left = heap;
      }
      expect(() => left.malloc(1)).toThrow("the heap has been closed");
      left[DISPOSE]();
      {
        using heap = open();
        expect(heap.usableSize(heap.root)).toBeGreaterThanOrEqual(100);
        heap.close();
      }
    }
    Heap.unlink(name);
  });

  it("is the only kind that is closed so: in a memory of the program's a window ends, and the heap goes on", () => {
    const memory = mmapMemory({ reserve: MEBIBYTE });
    const heap = Heap.create({ memory });
    {
      using window = Heap.attach(memory, heap.base);
      window.malloc(10);
    }
    heap.free(heap.malloc(10));
    heap.check();
    heap[DISPOSE]();
    expect(() => heap.malloc(10)).toThrow(/has been disposed of/);
    Heap.attach(memory, heap.base).check();
  });

  it("takes the option checking, as the library's heaps do", () => {
    const memory = mmapMemory({ reserve: MEBIBYTE });
    expect([
      Heap.create({ memory, checking: false }).checking,
      Heap.create({ checking: true }).checking,
    ]).toEqual([false, true]);
  });

  it("gives zeros for new memory, whatever others have put behind the heap in its file", () => {
    const { path } = fiveBlocks("longer.heap");
    const heap = Heap.open(path, { size: 16 * MEBIBYTE });
    appendFileSync(path, Buffer.alloc(100_000, 0xee));
    for (let count = 0; count < 200; count++) {
      const ptr = heap.calloc(5000, 1);
      expect(heap.u8(ptr, 5000).every((byte) => byte === 0)).toBe(true);
    }
    heap.close();
  });

  it("has a root that lies in it, whatever is written there", () => {
    const { path, ptrs } = fiveBlocks("root.heap");
    const heap = Heap.open(path);
    for (const ptr of [1, BASE - 1, 65_536, 2 ** 32 - 1])
      expect(() => {
        heap.root = ptr;
      }).toThrow(`root: expected 0 or an address in the heap, from 4096 to 65536, got ${ptr}`);
    expect(() => {
      heap.root = -1;
    }).toThrow("root: expected an integer");
    heap.root = ptrs[0] ?? 0;
    heap.close();
    writeWord(path, 20, 0xffff_fff0);
    const again = Heap.open(path);
    expect(() => again.root).toThrow(
      "its label says that the root is at 4294967280, outside of its 65536 bytes",
    );
    again.root = ptrs[1] ?? 0;
    expect(again.root).toBe(ptrs[1]);
    again.close();
  });

  it("says that its file was made shorter at the next growth and sync, and can be closed", () => {
    const path = join(folder, "shorter.heap");
    const said = runModule(
      `${IMPORT}
      import { truncateSync } from "node:fs";
      const heap = Heap.open(process.argv[1]);
      heap.malloc(2 ** 20);
      truncateSync(process.argv[1], 2 ** 19);
      for (const call of [() => heap.malloc(2 ** 24), () => heap.sync(), () => heap.close()])
        try { call(); console.log("no error"); } catch (error) { console.log(error.name, error.code); }`,
      [path],
    );
    expect(said).toBe("OsError TRUNCATED\nOsError TRUNCATED\nno error");
    expect(statSync(path).size).toBe(2 ** 19);
  });
});

describe.runIf(hasOs)("a repair", () => {
  it("keeps a copy of the header that it replaced: in its report, and in the file", () => {
    const { path, ptrs } = fiveBlocks("kept.heap");
    // A bin that leads nowhere.
    writeWord(path, BASE + 1180, 0x1234_567c);
    const before = readFileSync(path);
    const heap = Heap.open(path);
    const wanted = before.subarray(BASE, BASE + HEADER_BYTES);
    expect(Buffer.from(heap.repaired?.header ?? []).equals(wanted)).toBe(true);
    for (const ptr of ptrs) heap.free(ptr);
    heap.check();
    heap.close();
    expect(
      readFileSync(path)
        .subarray(AT_COPY, AT_COPY + HEADER_BYTES)
        .equals(wanted),
    ).toBe(true);
    const sound = Heap.open(path);
    expect(sound.repaired).toBeUndefined();
    sound.close();
  });

  it("sets an option anew that has a value that it cannot have, and says which", () => {
    const { path } = fiveBlocks("options.heap");
    writeWord(path, BASE + 48, 5000);
    expect(() => Heap.open(path, { repair: false })).toThrow(
      "the option smallLimit has a value that it cannot have",
    );
    const heap = Heap.open(path);
    expect(heap.repaired?.settings).toEqual(["smallLimit"]);
    expect(heap.options.smallLimit).toBe(1024);
    heap.close();
  });

  it("that cannot be done writes nothing", () => {
    const { path } = fiveBlocks("beyond.heap");
    for (const damage of [
      (bytes: Buffer) => bytes.fill(0, BASE, BASE + 4),
      (bytes: Buffer) => bytes.fill(0xff, BASE + 16, BASE + 40),
      (bytes: Buffer) => bytes.fill(0, BASE, BASE + 200),
    ]) {
      const bytes = readFileSync(path);
      const damaged = Buffer.from(bytes);
      damage(damaged);
      writeFileSync(path, damaged);
      // Again and again: the lock is not held by the try before.
      for (let tries = 0; tries < 3; tries++) {
        expect(() => Heap.open(path)).toThrow(expect.objectContaining({ code: "BEYOND_REPAIR" }));
        expect(readFileSync(path).equals(damaged)).toBe(true);
      }
      writeFileSync(path, bytes);
    }
  });

  it("that fails in shared memory lets the next one try", () => {
    const name = sharedName();
    const said = runModule(
      `${IMPORT}
      const name = process.argv[1];
      const heap = Heap.shared(name, { size: 2 ** 20 });
      const other = Heap.shared(name);
      const words = new Uint32Array(heap.memory.buffer, 4096, 64);
      const busy = new Uint32Array(heap.memory.buffer, 24, 1);
      const said = [];
      const attempt = (call) => { try { call(); said.push("served"); } catch (error) { said.push(error.code ?? error.name); } };
      // Somebody has died inside a call, and too little is left.
      words[0] = 0; busy[0] = 1;
      for (let tries = 0; tries < 2; tries++) {
        attempt(() => heap.malloc(10));
        attempt(() => other.malloc(10));
        attempt(() => Heap.shared(name).close());
        attempt(() => Heap.shared(name, { size: 2 ** 21 }));
      }
      words[0] = 0x4552_4f4d;
      attempt(() => other.malloc(10));
      heap.check();
      console.log(said.join(" "), busy[0]);
      Heap.unlink(name);`,
      [name],
    );
    const tries = "BEYOND_REPAIR BEYOND_REPAIR BEYOND_REPAIR OTHER_SIZE";
    expect(said).toBe(`${tries} ${tries} served 0`);
  });

  it("is not done for a sharer that does not want it", () => {
    const name = sharedName();
    const strict = Heap.shared(name, { size: MEBIBYTE, repair: false });
    const other = Heap.shared(name);
    const words = new Uint32Array(strict.memory.buffer, 0, 2048);
    words[6] = 1;
    words[BASE / 4 + 9] = 17;
    expect(() => strict.malloc(10)).toThrow("heap corrupted");
    expect(other.malloc(10)).not.toBe(0);
    expect(other.repaired?.reason).toContain("heap corrupted");
    strict.check();
    strict.close();
    other.close();
    Heap.unlink(name);
  });

  it("is not tried on what is no file, nor on one that was cut off", () => {
    expect(() => Heap.open("/dev/null")).toThrow(
      "/dev/null: not a heap: expected a file, found a device or a pipe",
    );
    const { path } = fiveBlocks("cut.heap");
    truncateSync(path, 60_000);
    expect(() => Heap.open(path)).toThrow(OsError);
    expect(statSync(path).size).toBe(60_000);
  });
});
