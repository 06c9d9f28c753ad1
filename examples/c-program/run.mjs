// Runs words.wasm by Node's own WASI, and says what is left of its heap. Any other WASI runtime runs it, too.

import { readFile } from "node:fs/promises";
import process from "node:process";
import { WASI } from "node:wasi";
import { Heap } from "morecore";

const [file, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args: [file, ...args], returnOnExit: true });
const { instance } = await WebAssembly.instantiate(await readFile(file), wasi.getImportObject());
process.exitCode = wasi.start(instance);

// What a linked program exports of morecore is where its heap is. So its heap can be looked into from outside.
const { memory, morecore_heap } = instance.exports;
const heap = Heap.attach(memory, morecore_heap);
heap.check();
let live = 0;
heap.inspectAll(({ state }) => {
  if (state === "live") live++;
});
console.error(`live blocks: ${live}; footprint at most: ${heap.maxFootprint} bytes`);
