// Os opener: opens a heap's file again and again, damaged in one word each time, and looks at what comes of it.
//
// Usage: node --expose-gc os-opener.mjs MODULE FOLDER label|header|chunks SEED
//
// Each time the file opens, with all that was in it, and serves; or an OsError says why not, and not a byte has changed.
// Prints what ended how. A case that fails ends the process; the last case that was begun stands in FOLDER/case.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [module, folder, what, seed] = process.argv.slice(2);
const { Heap, OsError } = await import(module);
const BASE = 4096;
const SIZE = 1 << 22;
const path = join(folder, `${what}.heap`);

let state = Number(seed) >>> 0;
function random(bound) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

/** A heap with blocks of all kinds, and holes between them: its bytes, and what is in it. */
function makeFile() {
  rmSync(path, { force: true });
  const heap = Heap.open(path, { size: SIZE });
  const all = Array.from({ length: 240 }, (_, index) => {
    const words = 1 + (index % 8 === 0 ? random(3000) : random(60));
    const ptr = heap.malloc(words * 4);
    // Numbers that could be headers. Where one of these is damaged, blocks of them would be taken for chunks.
    const stamp = what === "chunks" ? index * 16 + 8 : index + 1000;
    heap.u32(ptr, words).fill(stamp);
    return { ptr, words, stamp };
  });
  const blocks = [];
  for (const block of all) {
    if (random(3) === 0) heap.free(block.ptr);
    else blocks.push(block);
  }
  heap.root = blocks[0].ptr;
  heap.check();
  heap.close();
  return { bytes: readFileSync(path), blocks };
}

const { bytes, blocks } = makeFile();
const word = (at) => bytes.readUInt32LE(at);
const top = word(BASE + 16);
const end = word(BASE + 20);

const headers = [];
for (let at = BASE + 2764; at < top; at += word(at) - (word(at) & 15)) headers.push(at);

/** What a word may be damaged to. */
function nasty(at) {
  const was = word(at);
  const some = blocks[random(blocks.length)].ptr;
  const fixed = [
    0,
    1,
    3,
    15,
    16,
    4095,
    4096,
    BASE + 2764,
    65_536,
    1 << 20,
    SIZE,
    0x8000_0000,
    0xffff_0000,
    0xffff_ffff,
  ];
  const near = [
    was + 1,
    was + 4,
    was - 16,
    was + 16,
    was - 65_536,
    was + 65_536,
    was ^ 0x8000_0000,
    was * 2,
    ~was,
  ];
  const own = [
    bytes.length,
    bytes.length - 4,
    bytes.length + 65_536,
    some,
    some - 4,
    top - 16,
    top + 16,
    end - 16,
    end + 16,
  ];
  return [...fixed, ...near, ...own].map((value) => value >>> 0).filter((value) => value !== was);
}

function* cases() {
  const lengths = [
    4,
    10,
    28,
    4096,
    bytes.length - 65_536,
    bytes.length - 1,
    bytes.length + 1,
    bytes.length + 100_000,
  ];
  if (what === "label") {
    for (const length of lengths) yield { length };
    for (let at = 0; at < 28; at += 4) for (const value of nasty(at)) yield { at, value };
    for (const value of [65_536, bytes.length - 65_536, bytes.length + 65_536])
      for (const length of lengths) yield { at: 16, value, length };
    for (const value of [0x3f48_434d])
      for (const length of lengths) if (length > 4096) yield { at: 0, value, length };
    for (const length of lengths) yield { length, tail: 1 };
  } else if (what === "header") {
    // The words of bins are all alike: some of them.
    for (let at = BASE; at < BASE + 2764; at += 4)
      if (at < BASE + 1144 || at >= BASE + 2736 || random(40) === 0)
        for (const value of nasty(at)) if (random(4) === 0) yield { at, value };
  } else {
    for (let count = 0; count < 300; count++) {
      // The headers of chunks: of blocks above 256 bytes, of runs, of descriptors and the map.
      const at = headers[random(headers.length)];
      const value = nasty(at)[random(20)];
      // With the right size, a header says that a block is free, or the heap's own, as a call leaves it that stops there.
      if (value >>> 4 !== word(at) >>> 4) yield { at, value };
    }
  }
}

function damaged({ at, value, length, tail }) {
  const copy = Buffer.alloc(length ?? bytes.length, 0);
  bytes.copy(copy);
  if (at !== undefined && at + 4 <= copy.length) copy.writeUInt32LE(value, at);
  if (tail !== undefined) copy.writeUInt8(tail, copy.length - 1);
  return copy;
}

/** All blocks hold what they held, but for the words that are headers now of stretches that had none. */
function holds(heap) {
  const headers = new Set((heap.repaired?.lost ?? []).map(({ ptr }) => ptr - 4));
  for (const { ptr, words, stamp } of blocks)
    for (const [index, word] of heap.u32(ptr, words).entries())
      if (word !== stamp && !headers.has(ptr + index * 4))
        throw new Error(`the block at ${ptr} has lost what it held`);
}

function look(heap, damage) {
  heap.check();
  holds(heap);
  if (damage.at !== 20 && heap.root !== blocks[0].ptr) throw new Error(`the root is ${heap.root}`);
  const more = [8, 60, 100, 250, 256, 700, 5000, 70_000].map((size) => heap.malloc(size));
  for (const ptr of more) if (ptr !== 0) heap.u8(ptr).fill(0xee);
  holds(heap);
  for (const ptr of more) heap.free(ptr);
  heap.check();
  // Where a chunk's header was damaged, its size is a guess: a block may lie in a larger stretch, or have become two.
  if (what === "chunks") return;
  for (const { ptr, words } of blocks) {
    if (heap.usableSize(ptr) < words * 4) throw new Error(`the block at ${ptr} is too small`);
    heap.free(ptr);
  }
  heap.check();
}

const ends = {};
let count = 0;
for (const damage of cases()) {
  const before = damaged(damage);
  writeFileSync(join(folder, "case"), JSON.stringify(damage));
  writeFileSync(path, before);
  let end;
  let heap;
  try {
    heap = Heap.open(path);
    end = heap.repaired === undefined ? "sound" : "repaired";
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    end = error.code;
    if (!readFileSync(path).equals(before)) throw new Error(`${error.message}; but the file is another now`);
  }
  if (heap !== undefined) {
    look(heap, damage);
    heap.close();
  }
  ends[end] = (ends[end] ?? 0) + 1;
  count += 1;
  if (count % 50 === 0) globalThis.gc?.();
}
process.stdout.write(JSON.stringify(ends));
