// Workers: one process for each way in which a program is linked, of which one runs at a time.
//
// Owns:       starting, asking and stopping them.
// Needs:      worker.js beside this file.
// Invariants: K1  every worker is stopped when they all are, also after an error

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Answer, Job, Kind, Request } from "./protocol.ts";

export class ProgramWorkers {
  readonly #workers = new Map<Kind, ChildProcess>();

  constructor(jobs: readonly Job[]) {
    const script = fileURLToPath(import.meta.url).replace(/workers(\.[jt]s)$/, "worker$1");
    for (const job of jobs)
      this.#workers.set(job.kind, fork(script, [JSON.stringify(job)], { execArgv: ["--expose-gc"] }));
  }

  /** The answer; a worker that has died answers "failed". */
  ask(kind: Kind, request: Request): Promise<Answer> {
    const worker = this.#workers.get(kind);
    if (worker === undefined || !worker.connected)
      return Promise.resolve({ kind: "failed", reason: "its process has ended" });
    return new Promise((resolve) => {
      const onExit = (code: number | null, signal: string | null) => {
        resolve({ kind: "failed", reason: `its process ended (${signal ?? code})` });
      };
      worker.once("exit", onExit);
      // A border: messages come from worker.ts, which sends nothing but answers.
      worker.once("message", (message) => {
        worker.off("exit", onExit);
        resolve(message as Answer);
      });
      worker.send(request);
    });
  }

  stop(): void {
    for (const worker of this.#workers.values()) worker.kill();
    this.#workers.clear();
  }
}
