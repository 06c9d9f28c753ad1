// A Worker: takes lines as long as there are any, and puts what it finds into the heap that all share.

import { parentPort, workerData } from "node:worker_threads";
import { Heap } from "morecore";
import { type Given, Job, Result, ResultPtr, takeLines } from "./job.ts";
import { measured } from "./records.ts";

const { handle, job }: Given = workerData;
const heap = Heap.attach(handle);

function parseAll(): void {
  const { text, bytes, starts, results, lines } = heap.ref(Job, job);
  // Shared memory stays where it is when it grows: these can be kept.
  const view = heap.u8(text, bytes);
  const source = Buffer.from(view.buffer, view.byteOffset, bytes);
  const begins = heap.u32(starts, lines + 1);
  const pointers = heap.refArray(ResultPtr, results, lines);
  for (;;) {
    const [from, to] = takeLines(heap, job, lines);
    if (from === to) return;
    for (let line = from; line < to; line++) {
      const found = measured(source.toString("utf8", begins[line], begins[line + 1]));
      if (found !== undefined) pointers.set(line, heap.new(Result, found).ptr);
    }
  }
}

// Starting takes longer than most lines: all begin when all are there.
parentPort?.once("message", () => {
  parseAll();
  heap.dispose();
  parentPort?.postMessage("done");
});
parentPort?.postMessage("ready");
