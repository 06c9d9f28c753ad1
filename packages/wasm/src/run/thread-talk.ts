// Thread talk: what the Workers that are a program's threads and the host that started them say to each other.
//
// Owns:  the messages; the words that both look at; which system calls a thread makes by itself.
// Needs: imports, wasi, for types.
//
// node:wasi has a table of open files for each instance, and an instance belongs to one JavaScript thread. A program has one
// table. So the host has it, and what goes by it is asked of the host. The program's memory is the same there, so that
// addresses will do. What could wait for somebody outside, such as a read of standard input, would hold up all other threads
// at the host: the thread does that by itself where it can.

import type { Wanted } from "./imports.ts";
import type { SystemCall, WasiModule } from "./wasi.ts";

/** What a Worker is given. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly imports: readonly Wanted[];
  readonly wasiModule: WasiModule;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What to run: wasi_thread_start with these two, or _start. */
  readonly thread: { readonly id: number; readonly argument: number } | undefined;
  /** The thread's own: where it waits for an answer. As ANSWER says. */
  readonly answer: Int32Array;
  /** All threads': as SHARED says. */
  readonly shared: Int32Array;
}

/** The words by which a thread is answered: 0 until it is, and what. */
export const ANSWER = { given: 0, value: 1, words: 2 } as const;
/** The words that all look at: whether a standard stream is no longer what it was at first. */
export const SHARED = { streamsMoved: 0, words: 1 } as const;

/** What a thread says. "call" and "spawn" are answered; after "exit" it waits to be ended. */
export type Said =
  | { readonly kind: "ready"; readonly heapBase: number | undefined }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly (number | bigint)[] }
  | { readonly kind: "spawn"; readonly argument: number }
  | { readonly kind: "ended" }
  | { readonly kind: "exit"; readonly code: number }
  | ({ readonly kind: "died" } & ThreadDeath);

/** Of an error, what can be sent: of those of WebAssembly only a plain Error would arrive. */
export interface ThreadDeath {
  readonly how: "trap" | "exception";
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** The import by which a program starts a thread, and the export that is the thread. */
export const SPAWN = { module: "wasi", name: "thread-spawn" } as const;
export const THREAD_START = "wasi_thread_start";

/** They ask for nothing that one thread has and another has not. */
const OWN_CALLS: ReadonlySet<string> = new Set([
  "args_get",
  "args_sizes_get",
  "clock_res_get",
  "clock_time_get",
  "environ_get",
  "environ_sizes_get",
  "random_get",
  "sched_yield",
]);
const STREAM_CALLS: ReadonlySet<string> = new Set(["fd_read", "fd_write"]);
const LAST_STREAM = 2;
/** Of a poll's subscription: its size, where its kind is, and the kind that waits for a time only. */
const SUBSCRIPTION = { bytes: 48, kind: 8, clock: 0 } as const;

/** The system call as a thread makes it: by itself, or asked of the host. */
export function threadCall(name: string, { own, ask, memory, shared }: ThreadCalls): SystemCall {
  const asked: SystemCall = (...args) => ask(name, args);
  if (OWN_CALLS.has(name)) return own;
  if (STREAM_CALLS.has(name))
    return (fd, ...rest) => {
      const isStream = Number(fd) >>> 0 <= LAST_STREAM && Atomics.load(shared, SHARED.streamsMoved) === 0;
      return isStream ? own(fd ?? 0, ...rest) : asked(fd ?? 0, ...rest);
    };
  if (name !== "poll_oneoff") return asked;
  return (...args) => {
    const [list = 0, , count = 0] = args.map((arg) => Number(arg) >>> 0);
    return waitsOnly(memory, list, count) ? own(...args) : asked(...args);
  };
}

interface ThreadCalls {
  /** The thread's own WASI's. */
  readonly own: SystemCall;
  ask(name: string, args: readonly (number | bigint)[]): number;
  readonly memory: WebAssembly.Memory;
  readonly shared: Int32Array;
}

/** Whether a poll is for times only. */
function waitsOnly({ buffer }: WebAssembly.Memory, list: number, count: number): boolean {
  if (list + count * SUBSCRIPTION.bytes > buffer.byteLength) return false;
  const bytes = new Uint8Array(buffer);
  return Array.from({ length: count }, (_, index) => list + index * SUBSCRIPTION.bytes).every(
    (at) => bytes[at + SUBSCRIPTION.kind] === SUBSCRIPTION.clock,
  );
}

/** Whether a call of the host's changes what a standard stream is. */
export function movesStream(name: string, args: readonly (number | bigint)[]): boolean {
  const touched = name === "fd_close" ? 1 : name === "fd_renumber" ? 2 : 0;
  return args.slice(0, touched).some((fd) => Number(fd) >>> 0 <= LAST_STREAM);
}
