// One thread of a swapped module: random calls of its malloc family, on blocks that any thread has made.
//
// Each block says its bytes and a tag in its first words and both together in its last. Blocks change hands in `slots`, by an exchange.

import { parentPort, workerData } from "node:worker_threads";

const { module, memory, index, seed, calls, slots } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
exports.__stack_pointer.value = exports.stack_of(index);
if (exports.greets() !== 1) throw new Error("the module's data is not what it was");

let state = seed;
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

const words = (ptr, bytes) => new Uint32Array(memory.buffer, ptr, bytes >>> 2);

/** Mostly small; some need new memory. */
function drawnSize() {
  const kind = random(100);
  if (kind < 75) return 16 + random(480);
  return kind < 97 ? 16 + random(6000) : 16 + random(120_000);
}

function stamp(ptr, bytes) {
  if (exports.malloc_usable_size(ptr) < bytes) throw new Error(`block at ${ptr}: smaller than ${bytes}`);
  const all = words(ptr, bytes);
  const tag = random(2 ** 31);
  all[0] = bytes;
  all[1] = tag;
  all[all.length - 1] = bytes ^ tag;
}

/** `kept`: of how many bytes the contents must be there. */
function verify(ptr, kept = Number.POSITIVE_INFINITY) {
  const [bytes, tag] = words(ptr, 8);
  if (kept < bytes) return;
  const found = words(ptr, bytes).at(-1);
  if (bytes < 16 || found !== (bytes ^ tag) >>> 0)
    throw new Error(`seed ${seed}: block at ${ptr} of ${bytes} bytes: found ${found}, tag ${tag}`);
}

function taken() {
  const bytes = drawnSize();
  const way = random(10);
  const ptr =
    (way === 0
      ? exports.calloc(1, bytes)
      : way === 1
        ? exports.aligned_alloc(64, (bytes + 63) & ~63)
        : exports.malloc(bytes)) >>> 0;
  if (ptr === 0) return 0;
  if (way === 0 && words(ptr, bytes).some((word) => word !== 0)) throw new Error(`calloc at ${ptr}`);
  if (way === 1 && ptr % 64 !== 0) throw new Error(`aligned_alloc at ${ptr}`);
  stamp(ptr, bytes);
  return ptr;
}

function free(ptr) {
  if (ptr === 0) return;
  verify(ptr);
  exports.free(ptr);
}

function resized(ptr) {
  if (ptr === 0) return 0;
  verify(ptr);
  const bytes = drawnSize();
  const moved = exports.realloc(ptr, bytes) >>> 0;
  if (moved === 0) return ptr;
  verify(moved, bytes);
  stamp(moved, bytes);
  return moved;
}

/** What others get by sbrk is nobody's but theirs. */
const own = [];
function takePages() {
  const from = exports.take(1) >>> 0;
  if (from === 0xffffffff) return;
  own.push(from);
  words(from, 65_536).fill(from);
}

for (let call = 0; call < calls; call++) {
  const place = random(slots.length);
  const choice = random(8);
  if (choice < 4) free(Atomics.exchange(slots, place, taken()) >>> 0);
  else if (choice < 6) free(Atomics.exchange(slots, place, 0) >>> 0);
  else free(Atomics.exchange(slots, place, resized(Atomics.exchange(slots, place, 0) >>> 0)) >>> 0);
  if (exports.take !== undefined && call % 1000 === 0) takePages();
}
for (const from of own)
  if (words(from, 65_536).some((word) => word !== from))
    throw new Error(`what sbrk gave at ${from} was written to`);
exports.morecore_leave?.();
parentPort.postMessage("done");
