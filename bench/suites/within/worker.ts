// Worker: the process that plays patterns or traces with one allocator in the module, and never another one.
//
// Owns:  which heap is played on: a new one for each sample.
// Needs: argv: a Job as JSON; --expose-gc, so that the memory of earlier heaps is given back between samples.

import { readFileSync } from "node:fs";
import { readTraceFile } from "@morecore/inspect";
import { kernelBeside } from "../../programs/beside.ts";
import type { Runnable } from "../../programs/run.ts";
import { Instance } from "./instance.ts";
import { playPattern } from "./loop.ts";
import { type PackedTrace, type Play, Player, packed } from "./player.ts";
import type { Answer, Job, PatternName, Request, Slices } from "./protocol.ts";

/** Of patterns; of traces over twice the peak: as much as the peers have that JavaScript calls. */
const SLACK_BYTES = 64 * 1024 * 1024;

interface Loaded {
  readonly trace: PackedTrace;
  readonly reserveBytes: number;
}

// A border: harness/job-workers.ts is who starts this.
const job = JSON.parse(process.argv[2] ?? "null") as Job;
const module = new WebAssembly.Module(readFileSync(job.file));
const runnable: Runnable =
  job.kind === "beside" && job.beside !== undefined
    ? { module, beside: kernelBeside(job.beside) }
    : { module, ...(job.sharedMemory === undefined ? {} : { sharedMemory: job.sharedMemory }) };
/** Neither has more than one block. */
const isEmpty = job.kind === "loop" || job.kind === "nothing";
let loaded: Loaded | undefined;

process.on("message", (request: Request) => process.send?.(answer(request)));

function answer(request: Request): Answer {
  try {
    globalThis.gc?.();
    switch (request.job) {
      case "pattern":
        return { kind: "pattern", plays: playsOf(request.pattern, request.targetMs) };
      case "load":
        return load(request.file);
      case "replay":
        return replay(request.touched ? "touched" : "untouched", request.warmPlays);
    }
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

/** As many as there is time for; the first is thrown away, as what is called often is compiled then. */
function playsOf(pattern: PatternName, targetMs: number): Slices[] {
  const plays: Slices[] = [];
  const start = performance.now();
  playPattern(roomy(SLACK_BYTES), pattern);
  do plays.push(playPattern(roomy(SLACK_BYTES), pattern));
  while (performance.now() - start < targetMs);
  return plays;
}

/** A heap that will not grow. */
function roomy(bytes: number): Instance {
  const instance = new Instance(runnable);
  instance.call("reserve", bytes);
  return instance;
}

/** And plays it in each way on heaps that are thrown away, as above. */
function load(file: string): Answer {
  loaded = undefined;
  const trace = readTraceFile(file);
  const largestBytes = trace.sizes.reduce((most, bytes) => Math.max(most, bytes), 0);
  const reserveBytes = isEmpty ? largestBytes : 2 * trace.peakLiveBytes + SLACK_BYTES;
  loaded = { trace: packed(trace), reserveBytes };
  replay("untouched", 0);
  replay("touched", 0);
  const { opCount } = trace;
  return isEmpty ? { kind: "loaded", opCount } : { kind: "loaded", opCount, checksum: checksum(loaded) };
}

function checksum({ trace, reserveBytes }: Loaded): number {
  const player = new Player(roomy(reserveBytes));
  player.play(trace, "checked");
  return player.checksum();
}

function replay(how: Play, warmPlays: number): Answer {
  if (loaded === undefined) throw new Error("no trace has been loaded");
  const { trace, reserveBytes } = loaded;
  const player = new Player(roomy(reserveBytes));
  const cold = player.play(trace, how);
  const warm = Array.from({ length: warmPlays }, () => player.play(trace, how));
  return { kind: "replay", cold, warm };
}
