// One thread of the stress test: random calls on a heap that it shares, on blocks that any thread has made.
//
// Each block says its bytes and a tag in its first words and both together in its last, so that whoever gets it from
// another thread can tell whether somebody else has written there. Blocks change hands in `slots`, by an exchange.

import { parentPort, workerData } from "node:worker_threads";

const { library, handle, control, slots, seed, rounds, calls, largest } = workerData;
const { Heap } = await import(library);

let state = seed;
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

/** Mostly small; some are chunks, some need new memory. */
function drawnSize() {
  const kind = random(100);
  if (kind < 75) return 16 + random(480);
  return kind < 97 ? 16 + random(6000) : 16 + random(largest);
}

const heap = Heap.attach(handle);
const own = [];
if (rounds === 1) parentPort.postMessage({ thread: heap.thread });

function stamp(ptr, bytes) {
  const words = heap.u32(ptr, bytes >>> 2);
  const tag = random(2 ** 31);
  words[0] = bytes;
  words[1] = tag;
  words[words.length - 1] = bytes ^ tag;
}

function verify(ptr, kept = Number.POSITIVE_INFINITY) {
  const [bytes, tag] = heap.u32(ptr, 2);
  if (kept < bytes) return;
  const found = heap.u32(ptr, bytes >>> 2).at(-1);
  if (bytes < 16 || (bytes >>> 2 > 2 && found !== (bytes ^ tag) >>> 0))
    throw new Error(`seed ${seed}: block at ${ptr} of ${bytes} bytes: found ${found}, tag ${tag}`);
}

function taken() {
  const bytes = drawnSize();
  const way = random(10);
  const ptr =
    way === 0 ? heap.calloc(1, bytes) : way === 1 ? heap.alignedAlloc(64, bytes) : heap.malloc(bytes);
  if (ptr === 0) return 0;
  if (way === 0 && heap.u32(ptr, bytes >>> 2).some((word) => word !== 0)) throw new Error(`calloc at ${ptr}`);
  stamp(ptr, bytes);
  return ptr;
}

function step() {
  const choice = random(8);
  const ptr = choice < 4 ? taken() : 0;
  if (ptr !== 0 && choice < 2) {
    own.push(ptr);
    return;
  }
  // A block for one that another thread has left there; it is checked, and freed by whoever has it now.
  const other =
    Atomics.exchange(slots, random(slots.length), ptr) || own.splice(random(own.length + 1), 1)[0] || 0;
  if (other === 0) return;
  verify(other);
  if (choice !== 5) {
    heap.free(other);
    return;
  }
  const bytes = drawnSize();
  const moved = heap.realloc(other, bytes);
  if (moved === 0) {
    heap.free(other);
    return;
  }
  verify(moved, bytes);
  stamp(moved, bytes);
  own.push(moved);
}

for (let round = 0; round < rounds; round++) {
  for (let call = 0; call < calls; call++) step();
  parentPort.postMessage("quiet");
  Atomics.wait(control, 0, round);
}
for (const ptr of own) {
  verify(ptr);
  heap.free(ptr);
}
heap.dispose();
parentPort.postMessage("done");
