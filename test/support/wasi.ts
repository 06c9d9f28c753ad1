// A WASI of a few calls, enough for programs that compute and print: arguments, a standard input that is given, what is
// printed, a clock that stands still, and an exit. There are no files.
//
// Node's own (node:wasi) crashes Node 20 on larger modules, and writes to the real stdout.

export interface WasiOptions {
  /** What the program is called with; its own name is the first. */
  readonly args?: readonly string[];
  readonly stdin?: string;
  /** Imports besides WASI's. */
  readonly imports?: WebAssembly.Imports;
  /** The memory, for a program that imports it. */
  readonly memory?: WebAssembly.Memory;
}

export interface WasiResult {
  /** What proc_exit was given; 0 if _start came back. Undefined: the program trapped. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** What ended it otherwise. */
  readonly error: unknown;
  readonly instance: WebAssembly.Instance | undefined;
}

class Exit {
  readonly code: number;
  constructor(code: number) {
    this.code = code;
  }
}

const SUCCESS = 0;
const EBADF = 8;
const ENOSYS = 52;
const ESPIPE = 70;
const CHARACTER_DEVICE = 2;
/** The time that it always is. */
const NOW = 1_000_000_000n;

type Call = (...words: never[]) => number | undefined;

/** Runs a command's _start. */
export function runWasi(module: WebAssembly.Module, options: WasiOptions = {}): WasiResult {
  const { args = ["program"], stdin = "", imports = {}, memory } = options;
  const printed: Record<number, string> = { 1: "", 2: "" };
  let instance: WebAssembly.Instance | undefined;
  const memoryOf = () => memory ?? (instance?.exports["memory"] as WebAssembly.Memory);
  const calls: Record<string, Call> = {
    ...texts(memoryOf, args),
    ...streams(memoryOf, new TextEncoder().encode(stdin), (fd, text) => {
      printed[fd] += text;
    }),
    proc_exit(code: number) {
      throw new Exit(code);
    },
  };
  const wanted = WebAssembly.Module.imports(module).filter(
    ({ module }) => module === "wasi_snapshot_preview1",
  );
  const wasi = Object.fromEntries(wanted.map(({ name }) => [name, calls[name] ?? (() => ENOSYS)]));
  const result = (exitCode: number | undefined, error?: unknown): WasiResult => ({
    exitCode,
    stdout: printed[1] ?? "",
    stderr: printed[2] ?? "",
    error,
    instance,
  });
  try {
    instance = new WebAssembly.Instance(module, { ...imports, wasi_snapshot_preview1: wasi });
    (instance.exports["_start"] as () => void)();
    return result(0);
  } catch (error) {
    return error instanceof Exit ? result(error.code) : result(undefined, error);
  }
}

/** Arguments, and an environment without variables. */
function texts(memoryOf: () => WebAssembly.Memory, args: readonly string[]): Record<string, Call> {
  const encoded = args.map((text) => new TextEncoder().encode(`${text}\0`));
  const total = encoded.reduce((sum, { length }) => sum + length, 0);
  const view = () => new DataView(memoryOf().buffer);
  return {
    args_sizes_get(count: number, bytes: number) {
      view().setUint32(count, encoded.length, true);
      view().setUint32(bytes, total, true);
      return SUCCESS;
    },
    args_get(list: number, texts: number) {
      let at = texts;
      encoded.forEach((text, index) => {
        view().setUint32(list + 4 * index, at, true);
        new Uint8Array(memoryOf().buffer).set(text, at);
        at += text.length;
      });
      return SUCCESS;
    },
    environ_sizes_get(count: number, bytes: number) {
      view().setUint32(count, 0, true);
      view().setUint32(bytes, 0, true);
      return SUCCESS;
    },
    environ_get: () => SUCCESS,
    clock_time_get(_id: number, _precision: bigint, time: number) {
      view().setBigUint64(time, NOW, true);
      return SUCCESS;
    },
  };
}

/** Standard input, output and error. */
function streams(
  memoryOf: () => WebAssembly.Memory,
  stdin: Uint8Array,
  print: (fd: number, text: string) => void,
): Record<string, Call> {
  let at = 0;
  const view = () => new DataView(memoryOf().buffer);
  /** The pieces of memory that a call lists. */
  const pieces = (list: number, count: number) =>
    Array.from({ length: count }, (_, index) => {
      const entry = list + 8 * index;
      return new Uint8Array(
        memoryOf().buffer,
        view().getUint32(entry, true),
        view().getUint32(entry + 4, true),
      );
    });
  return {
    fd_write(fd: number, list: number, count: number, written: number) {
      if (fd !== 1 && fd !== 2) return EBADF;
      const all = pieces(list, count);
      for (const piece of all) print(fd, new TextDecoder().decode(piece));
      view().setUint32(
        written,
        all.reduce((sum, { length }) => sum + length, 0),
        true,
      );
      return SUCCESS;
    },
    fd_read(fd: number, list: number, count: number, read: number) {
      if (fd !== 0) return EBADF;
      const from = at;
      for (const piece of pieces(list, count)) {
        const part = stdin.subarray(at, at + piece.length);
        piece.set(part);
        at += part.length;
      }
      view().setUint32(read, at - from, true);
      return SUCCESS;
    },
    // A terminal: C libraries print each line at once, so that nothing is lost when a program traps.
    fd_fdstat_get(fd: number, stat: number) {
      if (fd > 2) return EBADF;
      new Uint8Array(memoryOf().buffer, stat, 24).fill(0);
      view().setUint8(stat, CHARACTER_DEVICE);
      return SUCCESS;
    },
    fd_seek: () => ESPIPE,
    fd_close: () => SUCCESS,
    fd_prestat_get: () => EBADF,
  };
}
