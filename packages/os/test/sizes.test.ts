// Sizes: how much a heap in a file, or in shared memory, may have, whoever opens it with what size. And what
// is told to those who cannot have it. Where the answer used to be a signal, a process of its own asks.

import { closeSync, openSync, readFileSync, readSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasOs, IMPORT, runModule, sharedName } from "../../../test/support/os.ts";
import { scratchFolder } from "../../../test/support/scratch.ts";
import { Heap } from "../src/index.ts";

const MEBIBYTE = 1 << 20;
/** The word of the label that says what the heap may have, and the one that says what it has. */
const AT_RESERVE = 12;
const AT_BYTES = 16;
/** Node itself needs about 1 GiB of address space. */
const LIMIT_KIB = 3 * 1024 * 1024;

const folder = scratchFolder("sizes");

/** Opens the file that is named, verifies 100 blocks, prints what it may have. */
const OPEN = `${IMPORT}
  const heap = Heap.open(process.argv[1]);
  let sound = 0;
  const table = heap.u32(heap.root, 100);
  for (let index = 0; index < 100; index++)
    if (heap.u8(table[index], 50_000).every((byte) => byte === index)) sound += 1;
  heap.check();
  console.log(heap.memory.buffer.byteLength / 2 ** 20, sound, heap.repaired === undefined);`;

/** A file that was made with 1 MiB and then given more, with 5 MiB in it. */
function regrown(name: string): string {
  const path = join(folder, name);
  Heap.open(path, { size: MEBIBYTE }).close();
  const heap = Heap.open(path, { size: 16 * MEBIBYTE });
  heap.root = heap.malloc(400);
  const blocks = Array.from({ length: 100 }, () => heap.malloc(50_000));
  for (const [index, ptr] of blocks.entries()) heap.u8(ptr).fill(index);
  heap.u32(heap.root, 100).set(blocks);
  heap.close();
  return path;
}

/** Writes a word of a file's label. */
function writeLabel(path: string, at: number, word: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(word, at);
  writeFileSync(path, bytes);
}

/** A word of a file's label, without reading all of the file. */
function labelWord(path: string, at: number): number {
  const file = openSync(path, "r");
  const word = Buffer.alloc(4);
  readSync(file, word, 0, 4, at);
  closeSync(file);
  return word.readUInt32LE();
}

/** A heap's file that says to have so many bytes, most of which are not on the disk. */
function sparse(name: string, bytes: number): string {
  const path = join(folder, name);
  Heap.open(path).close();
  writeLabel(path, AT_BYTES, bytes);
  truncateSync(path, bytes);
  return path;
}

describe.runIf(hasOs)("a file that was given more room than it was made with", () => {
  it("has it when it is opened without a size", () => {
    expect(runModule(OPEN, [regrown("regrown.heap")])).toBe("16 100 true");
  });

  it("opens if its label, by an older version, says less than it has", () => {
    const path = regrown("older.heap");
    writeLabel(path, AT_RESERVE, MEBIBYTE);
    const bytes = readFileSync(path).readUInt32LE(AT_BYTES);
    expect(runModule(OPEN, [path])).toBe(`${bytes / MEBIBYTE} 100 true`);
    expect(readFileSync(path).readUInt32LE(AT_RESERVE)).toBe(bytes);
  });

  it("has what it was last told, less or more, and refuses less than it has", () => {
    const path = regrown("told.heap");
    for (const size of [32 * MEBIBYTE, 8 * MEBIBYTE]) {
      Heap.open(path, { size }).close();
      const heap = Heap.open(path);
      expect(heap.memory.buffer.byteLength).toBe(size);
      heap.close();
    }
    const before = readFileSync(path);
    expect(() => Heap.open(path, { size: MEBIBYTE })).toThrow(/size: expected at least the \d+ bytes that/);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe.runIf(hasOs)("under a limit of address space", () => {
  it("a file with more than can be had is refused with ENOMEM, and left as it was", () => {
    const path = sparse("large.heap", 3 * 2 ** 30);
    const said = runModule(
      `${IMPORT}
      for (const options of [{}, { size: 4 * 2 ** 30 }])
        try { Heap.open(process.argv[1], options); } catch (error) { console.log(error.name, error.code); }`,
      [path],
      LIMIT_KIB,
    );
    expect(said).toBe("OsError ENOMEM\nOsError ENOMEM");
    expect(labelWord(path, AT_RESERVE)).toBe(0);
  });

  it("a file that may have more than can be had opens with less, and keeps its size for others", () => {
    const path = sparse("medium.heap", 2 ** 27);
    const said = runModule(
      `${IMPORT}
      const heap = Heap.open(process.argv[1]);
      console.log(heap.memory.buffer.byteLength >= 2 ** 27, heap.memory.buffer.byteLength < 2 ** 32, heap.malloc(2 ** 26) > 0);`,
      [path],
      LIMIT_KIB,
    );
    expect(said).toBe("true true true");
    const heap = Heap.open(path);
    expect(heap.memory.buffer.byteLength).toBe(2 ** 32);
    heap.close();
  });
});

describe.runIf(hasOs)("those that share a heap", () => {
  it("agree on the size that it was made with: another is refused, and both are named", () => {
    const name = sharedName();
    const heap = Heap.shared(name, { size: MEBIBYTE });
    try {
      for (const size of [64 * MEBIBYTE, 65_536])
        expect(() => Heap.shared(name, { size })).toThrow(
          expect.objectContaining({
            code: "OTHER_SIZE",
            message: `${name}: it was made with a size of ${MEBIBYTE} bytes, got size: ${size}; leave size out to take that, or unlink it`,
          }),
        );
      for (const options of [{}, { size: MEBIBYTE }, { size: MEBIBYTE - 5 }]) {
        const other = Heap.shared(name, options);
        expect(other.memory.buffer.byteLength).toBe(MEBIBYTE);
        expect(other.malloc(2 * MEBIBYTE)).toBe(0);
        other.close();
      }
      heap.check();
    } finally {
      heap.close();
      Heap.unlink(name);
    }
  });

  it.each([
    ["more than was agreed on", 2 ** 26, "OTHER_SIZE"],
    ["a size that no heap has", 65_536 + 4096, "NOT_A_HEAP"],
    ["more than is there", 2 ** 19, "TRUNCATED"],
  ])("are told when the label says %s, and nothing is mapped", (_, bytes, code) => {
    const name = sharedName();
    const said = runModule(
      `${IMPORT}
      const [name, bytes] = process.argv.slice(1);
      const heap = Heap.shared(name, { size: ${MEBIBYTE} });
      const label = new Uint32Array(heap.memory.buffer, 0, 7);
      const before = label[4];
      label[4] = Number(bytes);
      for (const call of [() => heap.malloc(100), () => heap.check(), () => heap.u8(64, 1)])
        try { call(); console.log("no error"); } catch (error) { console.log(error.name, error.code); }
      label[4] = before;
      heap.free(heap.malloc(100));
      heap.check();
      heap.close();
      Heap.unlink(name);`,
      [name, String(bytes)],
    );
    expect(said).toBe(Array(3).fill(`OsError ${code}`).join("\n"));
  });
});
