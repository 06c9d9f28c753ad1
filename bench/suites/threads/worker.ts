// Worker: the process that plays patterns with one allocator in the module, and never another one.
//
// Owns:  nothing but the answers.
// Needs: argv: a Job as JSON; --expose-gc, so that the memory of earlier plays is given back.

import { readFileSync } from "node:fs";
import { Pool } from "./pool.ts";
import type { Answer, Job, Played, Request, Shape } from "./protocol.ts";

// A border: harness/job-workers.ts is who starts this.
const job = JSON.parse(process.argv[2] ?? "null") as Job;
const pool = new Pool(job.kind, new WebAssembly.Module(readFileSync(job.file)));

process.on("message", async (request: Request) => process.send?.(await answer(request)));

async function answer(request: Request): Promise<Answer> {
  try {
    const plays: Partial<Record<Shape, Played>> = {};
    for (const shape of request.shapes) {
      globalThis.gc?.();
      plays[shape] = await pool.played(request, shape);
    }
    return { kind: "played", plays };
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}
