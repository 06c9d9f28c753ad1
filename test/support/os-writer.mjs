// Os writer: a program that works on a heap in a file, or in shared memory, until it is killed.
//
// Usage: node os-writer.mjs MODULE file|shared NAME SEED
//
// It keeps a table in the heap: three words for each block (address, words, stamp). An address stands there only while
// the block is whole and nobody is about to free it. "r" on stdout says that it has begun.

import { writeSync } from "node:fs";

const [module, kind, name, seed] = process.argv.slice(2);
const { Heap } = await import(module);
const SLOTS = 300;

let state = Number(seed) >>> 0;
function random(bound) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

const heap = kind === "file" ? Heap.open(name, { size: 1 << 28 }) : Heap.shared(name, { size: 1 << 28 });
if (heap.root === 0) heap.root = heap.calloc(SLOTS, 12);
const table = heap.u32(heap.root, SLOTS * 3);

/** Mostly small, as programs are. */
function anyWords() {
  const kind = random(20);
  return 1 + (kind < 14 ? random(64) : kind < 19 ? random(1000) : random(60_000));
}

function fill(slot, ptr, words) {
  const stamp = random(5000);
  heap.u32(ptr, words).fill(stamp);
  table[slot * 3 + 1] = words;
  table[slot * 3 + 2] = stamp;
  table[slot * 3] = ptr;
}

writeSync(1, "r");
for (;;) {
  const slot = random(SLOTS);
  const ptr = table[slot * 3];
  const words = anyWords();
  if (ptr === 0) {
    const made = random(6) === 0 ? heap.memalign(128, words * 4) : heap.malloc(words * 4);
    if (made !== 0) fill(slot, made, words);
  } else {
    table[slot * 3] = 0;
    const moved = random(3) === 0 ? heap.realloc(ptr, words * 4) : 0;
    if (moved !== 0) fill(slot, moved, words);
    else heap.free(ptr);
  }
  if (random(2000) === 0) heap.trim();
}
