// Pool: the threads of one process, and plays of patterns by some of them.
//
// Owns:       the threads; the memories that they play in.
// Needs:      thread.ts as what each of them runs.
// Invariants: P1  after a failure, where others may wait for ever, all threads are ended and the next play has new ones

import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Heap } from "morecore";
import { THREAD_PAGES, type ThreadAllocator } from "../../programs/threads.ts";
import type { Slices } from "../within/protocol.ts";
import { javascriptState } from "./calls.ts";
import { ThreadInstance } from "./instance.ts";
import {
  type CallerOrder,
  isApart,
  type Order,
  type Played,
  type Request,
  type Shape,
  type ThreadAnswer,
  threadsOf,
} from "./protocol.ts";

/** What threads of one play share. */
interface Place {
  readonly memory: WebAssembly.Memory;
  readonly caller: CallerOrder;
}

const THREAD = fileURLToPath(import.meta.url).replace(/pool(\.[jt]s)$/, "thread$1");
/** No thread of a play has this number: it is the program's first, which starts the others. */
const STARTER = 7;
const FIRST_PAGES = 64;
const SLICES = 16;
const WARM_UP_SLICES = 4;
/** So that a slice takes a millisecond or more, and threads begin it nearly at once. */
const STEPS = 32_768;
const CHECKED_STEPS = 8192;

export class Pool {
  readonly #kind: ThreadAllocator;
  readonly #module: WebAssembly.Module;
  #threads: Worker[] = [];

  constructor(kind: ThreadAllocator, module: WebAssembly.Module) {
    this.#kind = kind;
    this.#module = module;
  }

  /** As many plays as there is time for, the first of them thrown away. Rejects if a thread fails. */
  async played(request: Request, shape: Shape): Promise<Played> {
    const places = Array.from({ length: isApart(shape) ? threadsOf(shape) : 1 }, () =>
      this.#place(request, isApart(shape) ? 1 : threadsOf(shape)),
    );
    if (request.isChecked) return await this.#play(request, shape, places, CHECKED_STEPS);
    const start = performance.now();
    await this.#play(request, shape, places, STEPS);
    const plays: Slices[] = [];
    let blocks = 0;
    do {
      const played = await this.#play(request, shape, places, STEPS);
      blocks = played.blocks;
      plays.push(...played.plays);
    } while (performance.now() - start < request.targetMs);
    return { blocks, plays };
  }

  async #play(request: Request, shape: Shape, places: readonly Place[], steps: number): Promise<Played> {
    const { pattern, isChecked = false } = request;
    const count = threadsOf(shape);
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const slices = WARM_UP_SLICES + SLICES;
    const orders = Array.from({ length: count }, (_, thread): Order => {
      const place = places[thread % places.length];
      if (place === undefined) throw new Error("there is no place to play in");
      const [index, among] = isApart(shape) ? [0, 1] : [thread, count];
      return { ...place, index, among, count, pattern, isChecked, gate, slices, steps };
    });
    const answers = await this.#answers(orders);
    const times = Array.from({ length: slices }, (_, slice) => {
      const ends = answers.map(({ ends }) => ends[slice] ?? Number.NaN);
      const begins = answers.map(({ begins }) => begins[slice] ?? Number.NaN);
      return (Math.max(...ends) - Math.min(...begins)) / 1e6;
    });
    const blocks = answers.reduce((sum, answer) => sum + answer.blocks, 0) / slices;
    return { blocks: blocks * SLICES, plays: [times.slice(WARM_UP_SLICES)] };
  }

  async #answers(orders: readonly Order[]): Promise<(ThreadAnswer & { readonly kind: "done" })[]> {
    while (this.#threads.length < orders.length) this.#threads.push(new Worker(THREAD));
    try {
      return await Promise.all(orders.map((order, thread) => ask(this.#threads[thread], order)));
    } catch (error) {
      const threads = this.#threads;
      this.#threads = [];
      await Promise.all(threads.map((thread) => thread.terminate()));
      throw error;
    }
  }

  /** A new heap, begun by a thread that plays in nothing. */
  #place({ caller }: Request, count: number): Place {
    if (caller === "javascript" && this.#kind === "merged") return libraryPlace(count);
    const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: THREAD_PAGES, shared: true });
    const starter = new ThreadInstance(this.#module, memory, STARTER);
    starter.call("__wasm_call_ctors");
    starter.call("prepare", count);
    if (caller === "wasm") return { memory, caller: { kind: "wasm", module: this.#module } };
    const from = { module: this.#module };
    return { memory, caller: { kind: "javascript", from, state: javascriptState(count) } };
  }
}

function libraryPlace(count: number): Place {
  const { memory, base } = Heap.create({ shared: true, maximum: THREAD_PAGES * 65_536 }).handle;
  if (!(memory instanceof WebAssembly.Memory))
    throw new Error("the heap does not lie in a WebAssembly.Memory");
  return { memory, caller: { kind: "javascript", from: { base }, state: javascriptState(count) } };
}

/** Rejects if the thread fails. */
async function ask(
  thread: Worker | undefined,
  order: Order,
): Promise<ThreadAnswer & { readonly kind: "done" }> {
  const answer = await new Promise<ThreadAnswer>((resolve, reject) => {
    if (thread === undefined) return reject(new Error("there is no such thread"));
    thread.removeAllListeners();
    thread.once("message", resolve);
    thread.once("error", reject);
    thread.postMessage(order);
  });
  if (answer.kind === "failed") throw new Error(answer.reason);
  return answer;
}
