// Thread: what runs in a Worker that is one thread of a program.
//
// Owns:  the thread's instance, from its imports to its end.
// Needs: Node, wasi, imports, death, thread-talk. Nothing of a heap: the program has its own, and starting is quick.

import { parentPort, workerData } from "node:worker_threads";
import { FUNCTION, MEMORY } from "../format/binary.ts";
import { LEAVE_EXPORT } from "../format/threads.ts";
import { asError, engineDeath } from "./death.ts";
import { importsFor, ownOf } from "./imports.ts";
import { HEAP_GLOBAL } from "./program.ts";
import { STACK_DEPTH } from "./stack.ts";
import { ANSWER, type Said, SPAWN, THREAD_START, type ThreadStart, threadCall } from "./thread-talk.ts";
import { openWasi, type SystemCall } from "./wasi.ts";

// A file for Workers only, and what threads.ts gives them.
const given = workerData as ThreadStart;
const { module, memory, imports, wasiModule, args, env, thread, answer, shared } = given;

function say(said: Said): void {
  parentPort?.postMessage(said);
}

/** Says something, and waits until the host has answered: nothing else runs here meanwhile. */
function ask(said: Said): number {
  Atomics.store(answer, ANSWER.given, 0);
  say(said);
  Atomics.wait(answer, ANSWER.given, 0);
  return Atomics.load(answer, ANSWER.value);
}

/** No answer comes. An error that is thrown instead could be caught by the program. */
const exit: SystemCall = (code) => ask({ kind: "exit", code: Number(code) >>> 0 });
const spawn: SystemCall = (argument) => ask({ kind: "spawn", argument: Number(argument) });

async function systemCalls(): Promise<Readonly<Record<string, SystemCall>>> {
  const own = await openWasi(wasiModule, { args, env, dirs: {} });
  own.bind(memory);
  const asks = (name: string, args: readonly (number | bigint)[]) => ask({ kind: "call", name, args });
  const calls = Object.entries(own.imports).map(
    ([name, call]) => [name, threadCall(name, { own: call, ask: asks, memory, shared })] as const,
  );
  return { ...Object.fromEntries(calls), proc_exit: exit };
}

type Run = (...words: number[]) => unknown;

/** The thread's instance, by its exports. */
async function begun(): Promise<WebAssembly.Exports> {
  const calls = await systemCalls();
  const object = importsFor(imports, (wanted) => {
    if (wanted.kind === MEMORY) return memory;
    if (wanted.kind !== FUNCTION) return undefined;
    if (wanted.module === wasiModule) return ownOf(calls, wanted.name);
    return wanted.module === SPAWN.module && wanted.name === SPAWN.name ? spawn : undefined;
  });
  // Functions of JavaScript's fit any type, and the memory was made for the module: it can be instantiated.
  const { exports } = new WebAssembly.Instance(module, object);
  const heap = exports[HEAP_GLOBAL];
  say({ kind: "ready", heapBase: heap instanceof WebAssembly.Global ? heap.value : undefined });
  return exports;
}

Error.stackTraceLimit = STACK_DEPTH;
try {
  const exports = await begun();
  if (thread === undefined) (exports["_start"] as Run)();
  else {
    (exports[THREAD_START] as Run)(thread.id, thread.argument);
    // Of a program that was linked with its allocator: the thread's place in the heap is the next one's.
    (exports[LEAVE_EXPORT] as Run | undefined)?.();
  }
  say({ kind: "ended" });
} catch (thrown) {
  const error = asError(thrown);
  const how = engineDeath(error);
  if (how === undefined || !(error instanceof Error)) throw error;
  const { name, message, stack } = error;
  say({ kind: "died", how, name, message, stack });
}
