// Workers: the workers, one process for each peer, of which one runs at a time.
//
// Owns:  starting, asking and stopping them.
// Needs: bench/dist/fresh/worker.js, wherever this file runs from.
// Invariants: K1  every worker is stopped when they all are, also after an error

import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import type { PeerInfo, PeerName } from "../peers/peer.ts";
import type { Answer, Request } from "./protocol.ts";

export class Workers {
  readonly #workers = new Map<PeerName, ChildProcess>();

  constructor(peers: readonly PeerInfo[]) {
    const root = path.dirname(createRequire(import.meta.url).resolve("@morecore/bench/package.json"));
    const script = path.join(root, "dist", "fresh", "worker.js");
    for (const { name, moduleFile } of peers) {
      const args = moduleFile === undefined ? [name] : [name, moduleFile];
      this.#workers.set(name, fork(script, args, { execArgv: ["--expose-gc"] }));
    }
  }

  /** The answer; a worker that dies answers "skipped" and is not asked again. */
  ask(name: PeerName, request: Request): Promise<Answer> {
    const worker = this.#workers.get(name);
    if (worker === undefined || !worker.connected) {
      return Promise.resolve({ kind: "skipped", reason: "its process has ended" });
    }
    return new Promise((resolve) => {
      const onExit = (code: number | null, signal: string | null) => {
        resolve({ kind: "skipped", reason: `its process ended (${signal ?? code})` });
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

  /** For work that is not timed: all at once. */
  async askAll(names: readonly PeerName[], request: Request): Promise<void> {
    await Promise.all(names.map((name) => this.ask(name, request)));
  }

  stop(): void {
    for (const worker of this.#workers.values()) worker.kill();
    this.#workers.clear();
  }
}
