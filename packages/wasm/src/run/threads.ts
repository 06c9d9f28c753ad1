// Threads: a program whose threads are Workers, from its first one to its end.
//
// Owns:  the Workers, their numbers, the program's open files; when the program ends, and what of it was stopped then.
// Needs: Node, thread (as the built file that Workers load), thread-talk, wasi.
//
// The program's first thread is a Worker, too. So it may block, and the event loop here goes on: it starts threads, and makes
// the system calls that they ask for. As in a process, the program ends when its first thread does, when any thread exits,
// and when any dies.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { ANSWER, movesStream, type Said, SHARED, type ThreadDeath, type ThreadStart } from "./thread-talk.ts";
import type { Wasi } from "./wasi.ts";

/** What all threads of a program are given. */
export type ThreadsStart = Omit<ThreadStart, "thread" | "answer" | "shared">;

/** How a program with threads ended. */
export interface ThreadsEnd {
  /** Undefined: a thread died. */
  readonly exitCode: number | undefined;
  readonly death: (ThreadDeath & { readonly thread: number | undefined }) | undefined;
  /** Where its heap is, if it was linked with our allocator. */
  readonly heapBase: number | undefined;
  /** How many threads were stopped because the program had ended. */
  readonly stoppedCount: number;
}

/** The numbers that wasi-threads lets a thread have are those from 1 to here. */
const LAST_ID = 0x1fff_ffff;
/** What a program is answered that can have no other thread: an errno of WASI, negative. */
const NO_THREAD = -6;
const WORD_BYTES = 4;
const PACKAGE = "@morecore/wasm/package.json";

interface Thread {
  readonly id: number | undefined;
  readonly answer: Int32Array;
  /** Called once, when it runs, or cannot. */
  readonly onStarted: (isRunning: boolean) => void;
  state: "starting" | "running" | "over";
}

/** Runs a program to its end. */
export function runThreads(given: ThreadsStart, wasi: Wasi): Promise<ThreadsEnd> {
  return new Promise((resolve, reject) => new Threads(given, wasi, { resolve, reject }).begin());
}

interface Waiting {
  readonly resolve: (end: ThreadsEnd) => void;
  readonly reject: (error: unknown) => void;
}

class Threads {
  private readonly given: ThreadsStart;
  private readonly wasi: Wasi;
  private readonly waiting: Waiting;
  private readonly shared = words(SHARED.words);
  private readonly threads = new Map<Worker, Thread>();
  private lastId = 0;
  private heapBase: number | undefined;
  private isOver = false;

  constructor(given: ThreadsStart, wasi: Wasi, waiting: Waiting) {
    this.given = given;
    this.wasi = wasi;
    this.waiting = waiting;
    wasi.bind(given.memory);
    // A Worker that waits in the system for input cannot be stopped. Of a pipe Node makes one that need not wait, when its stream
    // is asked for; wasi.ts asks it again and again.
    void process.stdin;
  }

  /** Starts the first thread. */
  begin(): void {
    this.start(undefined, () => undefined);
  }

  private start(thread: ThreadStart["thread"], onStarted: Thread["onStarted"]): void {
    const started: Thread = { id: thread?.id, answer: words(ANSWER.words), onStarted, state: "starting" };
    const { shared, given } = this;
    const workerData: ThreadStart = { ...given, thread, answer: started.answer, shared };
    const worker = new Worker(threadFile(), { workerData, execArgv: [] });
    this.threads.set(worker, started);
    worker.on("message", (said: Said) => {
      if (this.isOver) return;
      try {
        this.hear(started, said);
      } catch (error) {
        this.fail(error);
      }
    });
    worker.on("error", (error) => {
      if (!this.neverRan(started)) this.fail(error);
    });
    worker.on("exit", () => this.threads.delete(worker));
  }

  private hear(thread: Thread, said: Said): void {
    switch (said.kind) {
      case "ready":
        this.heapBase ??= said.heapBase;
        thread.state = "running";
        thread.onStarted(true);
        return;
      case "call":
        this.answer(thread, this.call(said.name, said.args));
        return;
      case "spawn":
        this.spawn(thread, said.argument);
        return;
      case "ended":
        thread.state = "over";
        if (thread.id === undefined) this.finish({ exitCode: 0 });
        return;
      case "exit":
        thread.state = "over";
        this.finish({ exitCode: said.code });
        return;
      case "died":
        if (!this.neverRan(thread)) this.finish({ death: { ...said, thread: thread.id } });
        return;
    }
  }

  /** A system call, for a thread that waits for it. */
  private call(name: string, args: readonly (number | bigint)[]): number {
    if (movesStream(name, args)) Atomics.store(this.shared, SHARED.streamsMoved, 1);
    return this.wasi.imports[name]?.(...args) ?? 0;
  }

  private spawn(thread: Thread, argument: number): void {
    const id = this.lastId + 1;
    if (id > LAST_ID) {
      this.answer(thread, NO_THREAD);
      return;
    }
    this.lastId = id;
    this.start({ id, argument }, (isRunning) => this.answer(thread, isRunning ? id : NO_THREAD));
  }

  private answer({ answer }: Thread, value: number): void {
    Atomics.store(answer, ANSWER.value, value);
    Atomics.store(answer, ANSWER.given, 1);
    Atomics.notify(answer, ANSWER.given);
  }

  /** A thread that comes to nothing. If another has just started it, that one is told, and the program goes on. */
  private neverRan(thread: Thread): boolean {
    const { state, id } = thread;
    thread.state = "over";
    if (state !== "starting" || id === undefined) return false;
    thread.onStarted(false);
    return true;
  }

  private fail(error: unknown): void {
    this.end(() => this.waiting.reject(error));
  }

  private finish({ exitCode, death }: Partial<Pick<ThreadsEnd, "exitCode" | "death">>): void {
    const { heapBase } = this;
    const stoppedCount = [...this.threads.values()].filter(({ state }) => state !== "over").length;
    this.end(() => this.waiting.resolve({ exitCode, death, heapBase, stoppedCount }));
  }

  /** Stops what still runs, and then tells. */
  private end(tell: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    const stopped = [...this.threads.keys()].map((worker) => worker.terminate());
    void Promise.all(stopped).then(tell);
  }
}

function words(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * WORD_BYTES));
}

/** Beside what was built: a Worker cannot load TypeScript. */
function threadFile(): string {
  const { resolve } = createRequire(import.meta.url);
  return join(dirname(resolve(PACKAGE)), "dist/run/thread.js");
}
