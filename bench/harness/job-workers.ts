// Job workers: a process for each of the things that are compared, of which one runs at a time.
//
// Owns:       starting, asking and stopping them; whose turn it is.
// Needs:      a script that takes its job from argv, as JSON, and answers each message with one.
// Invariants: J1  every worker is stopped when they all are, also after an error
//             J2  within a round every worker answers once; who is first changes from round to round

import { type ChildProcess, fork } from "node:child_process";

/** A job names its worker. */
export interface NamedJob<K extends string> {
  readonly kind: K;
}

export interface Failed {
  readonly kind: "failed";
  readonly reason: string;
}

export class JobWorkers<K extends string, Request extends object, Answer extends { readonly kind: string }> {
  readonly #workers = new Map<K, ChildProcess>();

  /** `script` is the worker's file. */
  constructor(script: string, jobs: readonly NamedJob<K>[]) {
    for (const job of jobs)
      this.#workers.set(job.kind, fork(script, [JSON.stringify(job)], { execArgv: ["--expose-gc"] }));
  }

  /** The answer; a worker that has died answers "failed". */
  ask(kind: K, request: Request): Promise<Answer | Failed> {
    const worker = this.#workers.get(kind);
    if (worker === undefined || !worker.connected)
      return Promise.resolve({ kind: "failed", reason: "its process has ended" });
    return new Promise((resolve) => {
      const onExit = (code: number | null, signal: string | null) => {
        resolve({ kind: "failed", reason: `its process ended (${signal ?? code})` });
      };
      worker.once("exit", onExit);
      // A border: messages come from the script, which sends nothing but answers.
      worker.once("message", (message) => {
        worker.off("exit", onExit);
        resolve(message as Answer);
      });
      worker.send(request);
    });
  }

  /** Of each worker, so many times. A failure's reason, if there is one: the others are not asked any more. */
  async inTurns(
    rounds: number,
    request: Request,
    take: (kind: K, round: number, answer: Answer) => void,
  ): Promise<string | undefined> {
    const kinds = [...this.#workers.keys()];
    for (let round = 0; round < rounds; round++) {
      const first = round % kinds.length;
      for (const kind of [...kinds.slice(first), ...kinds.slice(0, first)]) {
        const answer = await this.ask(kind, request);
        if (isFailed(answer)) return `${kind}: ${answer.reason}`;
        take(kind, round, answer);
      }
    }
    return undefined;
  }

  /** What a function makes of them. At its end, also by an error, they are stopped. */
  async use<T>(work: (workers: this) => Promise<T>): Promise<T> {
    try {
      return await work(this);
    } finally {
      this.stop();
    }
  }

  stop(): void {
    for (const worker of this.#workers.values()) worker.kill();
    this.#workers.clear();
  }
}

function isFailed(answer: { readonly kind: string }): answer is Failed {
  return answer.kind === "failed";
}
