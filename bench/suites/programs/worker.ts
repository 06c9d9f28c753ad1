// Worker: the process that runs one program with one allocator, and never another one.
//
// Owns:  the timing of single runs.
// Needs: argv: a Job as JSON; --expose-gc, so that the memory of earlier runs is given back between runs.

import { readFileSync } from "node:fs";
import path from "node:path";
import { clock } from "../../harness/clock.ts";
import { kernelBeside } from "../../programs/beside.ts";
import { WORKLOADS } from "../../programs/places.ts";
import { type Runnable, runProgram } from "../../programs/run.ts";
import type { Answer, Job, Request } from "./protocol.ts";

// A border: harness/job-workers.ts is who starts this.
const job = JSON.parse(process.argv[2] ?? "null") as Job;
const module = new WebAssembly.Module(readFileSync(job.file));
const runnable: Runnable = job.kind === "beside" ? { module, beside: kernelBeside(job.beside) } : { module };

// In a microtask, not in the callback: there, V8 makes a message with a position for each exception that a program throws
// (longjmp is one), which costs some 50 µs and is nothing of the allocator's.
process.on("message", async (_request: Request) => {
  await Promise.resolve();
  process.send?.(answer());
});

function answer(): Answer {
  try {
    globalThis.gc?.();
    return run();
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
