// Another thread has grown a shared memory, and the engine goes on showing the buffer from before. V8 does so
// until the thread comes by a check of its stack. What a heap's header says, in the bytes that all threads
// see, decides.

import { Worker } from "node:worker_threads";
import { Heap, i32, type Memory, struct, text } from "morecore";
import { beforeAll, describe, expect, it } from "vitest";

/** A window on a shared memory whose buffer is shown as it was until it is settled. */
class LaggingMemory implements Memory {
  readonly untouched = 0;
  buffer: ArrayBufferLike;
  settled = 0;
  private readonly wasm: WebAssembly.Memory;

  constructor(wasm: WebAssembly.Memory) {
    this.wasm = wasm;
    this.buffer = wasm.buffer;
  }

  settle(): void {
    this.settled++;
    this.buffer = this.wasm.buffer;
  }

  grow(bytes: number): number {
    const from = this.wasm.grow(bytes / 65_536) * 65_536;
    this.settle();
    return from;
  }
}

const Named = struct({ id: i32, name: text });

describe("a shared memory that another thread has grown, while its old buffer is shown", () => {
  /** The heap of this thread, and the one that grows. */
  function made(): { own: Heap; other: Heap; memory: LaggingMemory } {
    const wasm = new WebAssembly.Memory({ initial: 1, maximum: 1024, shared: true });
    const other = Heap.create({ memory: wasm, base: 16 });
    const memory = new LaggingMemory(wasm);
    return { own: Heap.attach(memory, 16), other, memory };
  }

  it("is walked, checked and allocated from as it is", () => {
    const { own, other, memory } = made();
    const shown = memory.buffer.byteLength;
    const blocks = Array.from({ length: 10 }, () => other.malloc(300_000));
    expect(memory.buffer.byteLength).toBe(shown);
    own.check();
    expect(own.mallinfo()).toEqual(other.mallinfo());
    const ptr = own.malloc(40_000);
    expect(blocks.every((block) => ptr + 40_000 <= block || ptr >= block + 300_000)).toBe(true);
    own.bulkFree(blocks);
    other.free(ptr);
    other.check();
  });

  it("is read through views and references where it has grown to", () => {
    const { own, other } = made();
    const ref = own.new(Named, { id: 1 });
    const far = other.malloc(1_000_000);
    other.u8(far, 1_000_000).fill(7);
    expect(own.u8(far, 1_000_000).every((byte) => byte === 7)).toBe(true);
    other.malloc(1_000_000);
    other.ref(Named, ref.ptr).name = "x".repeat(3_000_000);
    expect(ref.name.length).toBe(3_000_000);
    const theirs = other.new(Named, { id: 5, name: "far" });
    other.options.smallLimit = 0;
    expect(own.ref(Named, theirs.ptr).name).toBe("far");
  });

  it("is attached to, though its header speaks of more than is shown", () => {
    const wasm = new WebAssembly.Memory({ initial: 1, maximum: 1024, shared: true });
    const memory = new LaggingMemory(wasm);
    const other = Heap.create({ memory: wasm, base: 16 });
    other.malloc(3_000_000);
    Heap.attach(memory, 16).check();
  });

  it("is asked for its buffer anew only when an address leads beyond it", () => {
    const { own, other, memory } = made();
    other.malloc(1_000_000);
    own.check();
    const { settled } = memory;
    for (let round = 0; round < 100; round++) own.free(own.malloc(100));
    expect(memory.settled).toBe(settled);
  });
});

describe("a thread that has waited without a pause for another one to grow the memory", () => {
  const GROWER = `
    const { parentPort, workerData } = require("node:worker_threads");
    const { library, memory, flags } = workerData;
    import(library).then(({ Heap }) => {
      const heap = Heap.attach(memory, 16);
      parentPort.postMessage("ready");
      for (let round = 1; round <= 20; round++) {
        while (Atomics.load(flags, 0) !== round);
        const ptr = heap.malloc(200_000 + round);
        heap.u8(ptr, 200_000).fill(round);
        Atomics.store(flags, 1, ptr);
        Atomics.store(flags, 2, round);
      }
    });
  `;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1024, shared: true });
  const flags = new Int32Array(new SharedArrayBuffer(12));
  const heap = Heap.create({ memory, base: 16 });
  let worker: Worker;

  beforeAll(async () => {
    const library = new URL("../../packages/morecore/dist/index.js", import.meta.url).href;
    worker = new Worker(GROWER, { eval: true, workerData: { library, memory, flags } });
    await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  });

  it("sees all of what that has made, and allocates beside it", async () => {
    const blocks: number[] = [];
    for (let round = 1; round <= 20; round++) {
      Atomics.store(flags, 0, round);
      while (Atomics.load(flags, 2) !== round);
      const ptr = Atomics.load(flags, 1);
      expect(heap.u8(ptr, 200_000).every((byte) => byte === round)).toBe(true);
      blocks.push(ptr, heap.malloc(1000));
      heap.check();
    }
    expect(new Set(blocks).size).toBe(40);
    heap.bulkFree(blocks);
    heap.check();
    await worker.terminate();
  });
});
