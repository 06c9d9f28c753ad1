// Worker: the process that runs one program, or the patterns, with one allocator, and never another one.
//
// Owns:  the timing of single runs.
// Needs: argv: a Job as JSON; --expose-gc, so that the memory of earlier runs is given back between runs.

import { readFileSync } from "node:fs";
import path from "node:path";
import { clock } from "../../harness/clock.ts";
import { drawnForChurn } from "../../harness/patterns.ts";
import { kernelBeside } from "../../programs/beside.ts";
import { WORKLOADS } from "../../programs/places.ts";
import { instantiate, type Runnable, runProgram } from "../../programs/run.ts";
import { Wasi } from "../../programs/wasi.ts";
import type { Answer, Job, PatternName, Request } from "./protocol.ts";

/** The patterns are warmed up with so many pairs, which also tell how many a sample is to have. */
const FIRST_PAIRS = 100_000;
const MAX_PAIRS = 200_000_000;

// A border: workers.ts is who starts this.
const job = JSON.parse(process.argv[2] ?? "null") as Job;
const module = new WebAssembly.Module(readFileSync(job.file));
const runnable: Runnable = job.kind === "beside" ? { module, beside: kernelBeside(job.beside) } : { module };

// In a microtask, not in the callback: there, V8 makes a message with a position for each exception that a program throws
// (longjmp is one), which costs some 50 µs and is nothing of the allocator's.
process.on("message", async (request: Request) => {
  await Promise.resolve();
  process.send?.(answer(request));
});

function answer(request: Request): Answer {
  try {
    globalThis.gc?.();
    return request.job === "run" ? run() : pattern(request.pattern, request.targetMs);
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

function run(): Answer {
  const files = { [job.workload]: readFileSync(path.join(WORKLOADS, job.workload)) };
  const { ms, heapBytes, output, errors, exitCode } = runProgram(runnable, {
    args: ["program", job.workload],
    files,
    clock,
  });
  if (exitCode !== 0) return { kind: "failed", reason: `exit code ${exitCode}: ${errors.trim()}` };
  return { kind: "run", ms, heapBytes, output };
}

/** One sample of about targetMs, in an instance of its own. */
function pattern(name: PatternName, targetMs: number): Answer {
  const wasi = new Wasi({ args: [], files: {} });
  const { instance, memory } = instantiate(runnable, { wasi_snapshot_preview1: wasi.imports(module) });
  wasi.memory = memory;
  if (name === "churn") writeDrawn(instance, memory);
  if (name !== "pair") call(instance, `${name}_fill`, 0);
  const warmUpMs = timed(instance, name, FIRST_PAIRS);
  const pairs = Math.min(Math.ceil((FIRST_PAIRS * targetMs) / Math.max(warmUpMs, 0.01)), MAX_PAIRS);
  // What was compiled meanwhile is taken up by the next call.
  timed(instance, name, Math.ceil(pairs / 4));
  return { kind: "pattern", nsPerPair: (timed(instance, name, pairs) * 1e6) / pairs };
}

/** The same numbers as the pattern in JavaScript has. */
function writeDrawn(instance: WebAssembly.Instance, memory: WebAssembly.Memory): void {
  const { slots, sizes } = drawnForChurn();
  new Uint32Array(memory.buffer, call(instance, "drawn_slots"), slots.length).set(slots);
  new Uint32Array(memory.buffer, call(instance, "drawn_sizes"), sizes.length).set(sizes);
}

function timed(instance: WebAssembly.Instance, name: string, pairs: number): number {
  const start = clock();
  call(instance, name, pairs);
  return clock() - start;
}

function call(instance: WebAssembly.Instance, name: string, pairs = 0): number {
  const exported = instance.exports[name];
  if (typeof exported !== "function") throw new Error(`the patterns do not export ${name}`);
  return exported(pairs);
}
