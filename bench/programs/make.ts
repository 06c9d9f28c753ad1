// Make: one program, compiled and linked in all ways. As a script, it is a thread that does so for main.ts.
//
// Owns:  the order of the steps.
// Needs: the program's sources, fetched; clang. In a thread, that what all programs share has been compiled.

import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { MadeProgram } from "./cache.ts";
import type { Program } from "./catalog.ts";
import { linkWays, merge } from "./link.ts";
import { programParts } from "./parts.ts";

/** What a thread is given. */
interface Order {
  readonly program: Program;
  /** Of the program's sources. */
  readonly folder: string;
}

interface Done {
  readonly made: MadeProgram;
  readonly seconds: number;
}

/** Does it in a thread of its own: binaryen computes on one core. Rejects with what clang or binaryen said. */
export function makeInThread(order: Order): Promise<Done> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: order });
    thread.once("message", resolve);
    thread.once("error", reject);
    // After either of those it changes nothing.
    thread.once("exit", (code) => reject(new Error(`its thread ended with ${code} and made nothing`)));
  });
}

async function make({ program, folder }: Order): Promise<Done> {
  const start = performance.now();
  const linked = linkWays(programParts(program, folder));
  await merge(program.name, linked);
  const made = { name: program.name, workload: program.workload, ...linked };
  return { made, seconds: (performance.now() - start) / 1000 };
}

// Our own main.ts alone starts it, with an order.
if (!isMainThread) parentPort?.postMessage(await make(workerData as Order));
