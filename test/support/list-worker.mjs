// List worker: a thread that grows a Vec, Columns and a HeapString which another one made in shared memory, and says so when it is done.

import { parentPort, workerData } from "node:worker_threads";

const { built, memory, base, ptrs, count } = workerData;
const { Columns, f64, Heap, HeapString, struct, text, Vec } = await import(built);
const Item = struct({ name: text, count: f64 });
const heap = Heap.attach(memory, base);
const vec = Vec.attach(heap, Item, ptrs.vec);
const columns = Columns.attach(heap, Item, ptrs.columns);
const string = HeapString.attach(heap, ptrs.string);
for (let index = 1; index < count; index++) {
  const item = { name: `n${index}`, count: index };
  vec.push(item);
  columns.push(item);
  string.append("0123456789");
}
parentPort.postMessage("done");
