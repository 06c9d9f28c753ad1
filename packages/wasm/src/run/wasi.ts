// WASI: the system calls of a program, by Node's own node:wasi, made safe.
//
// Owns:  how node:wasi is loaded and guarded.
// Needs: Node.
//
// node:wasi is uvwasi, which is complete. But V8 calls it by "fast API calls", during which nothing may be
// collected, and uvwasi's own accounting can start a collection. Then the process dies by a signal
// (nodejs/node, "Using fast calls for WASI causes V8 coredump"). V8 makes such a call in two places: in the
// wrapper that it compiles for an import which is a bound API function, and in optimised JavaScript that
// calls one. The first is out of reach when the import is a function of JavaScript's, as here all are. The
// second goes with the flag --no-turbo-fast-api-calls. It belongs to the process, so the command sets it
// (packages/cli/src/run.ts). docs/RUN.md says how that was verified.
import type { WasmMemoryObject } from "morecore";

/** What a program is given. */
export interface WasiOptions {
  /** argv, the program's name first. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Directories: the name that the program sees, and the path here. */
  readonly dirs: Readonly<Record<string, string>>;
}

export type SystemCall = (...args: (number | bigint)[]) => number;

export interface Wasi {
  /** The calls, by name. */
  readonly imports: Readonly<Record<string, SystemCall>>;
  /** Lets the calls be made without a start, on this memory. */
  bind(memory: WasmMemoryObject): void;
  /** Runs _start. The exit code of a program that ends; a program that dies throws. */
  start(start: unknown, memory: WasmMemoryObject): number;
}

/** The module names that programs import WASI from, and what node:wasi calls those versions. */
export const WASI_VERSIONS = { wasi_snapshot_preview1: "preview1", wasi_unstable: "unstable" } as const;
export type WasiModule = keyof typeof WASI_VERSIONS;

const ERRNO_AGAIN = 6;
const RETRY_MILLISECONDS = 1;

/** A WASI for one run of one program. Throws Node's error if a directory cannot be opened. */
export async function openWasi(module: WasiModule, { args, env, dirs }: WasiOptions): Promise<Wasi> {
  const { WASI } = await withoutWarning(() => import("node:wasi"));
  const wasi = new WASI({
    version: WASI_VERSIONS[module],
    args: [...args],
    env: { ...env },
    preopens: { ...dirs },
    returnOnExit: true,
  });
  const calls = Object.entries(wasi.wasiImport as Readonly<Record<string, SystemCall>>);
  return {
    imports: Object.fromEntries(calls.map(([name, call]) => [name, guarded(name, call)])),
    bind: (memory) => wasi.initialize({ exports: { memory } }),
    start: (start, memory) => wasi.start({ exports: { memory, _start: start } }),
  };
}

/** A function of JavaScript's around a system call; see above. */
function guarded(name: string, call: SystemCall): SystemCall {
  if (name !== "fd_read" && name !== "fd_write") return (...args) => call(...args);
  return (...args) => {
    for (;;) {
      const errno = call(...args);
      if (errno !== ERRNO_AGAIN) return errno;
      // Node makes pipes non-blocking, and a terminal may be; C programs do not expect that of their standard streams.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MILLISECONDS);
    }
  };
}

/** Loads without the warning that WASI is experimental: it would stand between the lines of the program. */
async function withoutWarning<T>(load: () => Promise<T>): Promise<T> {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return await load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
