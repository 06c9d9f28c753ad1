// Worker: does one job, in a process of its own, and prints the answer.
//
// Needs: the job as its one argument, in JSON; --expose-gc.

import { measureGraph } from "./graph/measure.ts";
import { measureLoop } from "./loops/measure.ts";
import type { Job } from "./protocol.ts";

// A border: run.ts starts this with nothing but jobs.
const job = JSON.parse(process.argv[2] ?? "") as Job;
const answer = job.part === "graph" ? await measureGraph(job.variant, job.nodes) : measureLoop(job);
console.log(JSON.stringify(answer));
