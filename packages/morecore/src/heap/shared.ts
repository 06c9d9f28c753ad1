// Shared: what a window says and does of the threads that share its heap; of a heap that none shares, that there are none.
//
// Holds: what the windows on one heap know together of its threads.
// Needs: thread.ts, which gives this thread its place; the engine's sharing.

import { engine } from "../kernel/design.ts";
import type { Machine } from "../kernel/machine.ts";
import { checkWord } from "../memory/arguments.ts";
import { wasmOf } from "../memory/wasm.ts";
import { type HeapHandle, type HeapThread, type Places, releaseThread, threadsOf } from "./thread.ts";
import { HeapViews } from "./views.ts";

export abstract class SharedHeap extends HeapViews {
  /** The address of the heap's image in its memory. With the memory, all that another thread needs to attach. */
  readonly base: number;
  private readonly places: Places;

  protected constructor(machine: Machine, base: number, places: Places) {
    super(machine, base);
    this.base = base;
    this.places = places;
  }

  /**
   * What another thread needs to use this heap, if threads share it: `Heap.attach(handle)` there. postMessage and workerData carry
   * it. Throws a TypeError for any other heap.
   */
  get handle(): HeapHandle {
    const machine = this.fresh();
    if (!machine.threads)
      throw new TypeError(
        "handle: expected a heap that threads share; Heap.create makes one with shared: true",
      );
    // It lies in one or the other, or it would not be shared.
    return {
      memory: wasmOf(machine.memory) ?? (machine.memory.buffer as SharedArrayBuffer),
      base: this.base,
    };
  }

  /** The number of this thread among those that have come to a shared heap, from 1 on; 0 for a heap that is not shared. */
  get thread(): number {
    const machine = this.fresh();
    return machine.threads ? engine.sharing.number(machine, machine.thread) : 0;
  }

  /**
   * The threads that have a place in a shared heap, and the places that were left; none of any other heap. What has been counted may be
   * another a moment later. O(threads).
   */
  threads(): HeapThread[] {
    const machine = this.fresh();
    return machine.threads ? threadsOf(machine, this.heap) : [];
  }

  /**
   * Takes back the place of a thread that is gone, as after `worker.terminate()`. The next thread that comes goes on there, and what
   * others free of its blocks is used again. True if that is done, or the thread has left by itself.
   *
   * It is done only if the thread was not heard of for the lease. Nor may its place have changed for as long, since the first call.
   * Until then false: try again later. No block is lost, also of a thread that is there after all: its next call throws a HeapMisuseError
   * (taken-back), and it may attach anew. Throws a RangeError for a thread that never came, a TypeError for this one. O(bytes of the place).
   */
  release(thread: number): boolean {
    checkWord("thread", thread);
    const machine = this.fresh();
    return releaseThread(machine, this.heap, thread, this.places);
  }
}
