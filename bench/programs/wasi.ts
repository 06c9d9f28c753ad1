// Wasi: as much of WASI as a program needs that reads one folder of files and prints.
//
// Owns:       a clock and random numbers that are the same in each run; files, open files, what was printed.
// Needs:      nothing of the host: no file, no clock. (Not node:wasi, which crashes Node 20.)
// Invariants: W1  what a program does depends on its arguments and files only

import { countsFrom } from "../harness/random.ts";

const ERRNO = { success: 0, badf: 8, inval: 28, noent: 44, nosys: 52 } as const;
const FILETYPE = { device: 2, folder: 3, file: 4 } as const;

const STDERR = 2;
const FOLDER = 3;
const FIRST_FILE = 4;
const FOLDER_NAME = ".";
/** All that there are; wasi-libc asks for fewer. */
const RIGHTS = (1n << 30n) - 1n;
/** How far each look at the clock moves it, in nanoseconds. */
const TICK = 1_000_000n;
const EPOCH = 1_700_000_000_000_000_000n;
const SEED = 0x6d6f7265;

export interface WasiOptions {
  /** The first is the program's name. */
  readonly args: readonly string[];
  /** By name, in the folder in which the program runs. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** What proc_exit throws, out of the program. */
export class ExitError extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit code ${code}`);
    this.code = code;
  }
}

interface OpenFile {
  readonly bytes: Uint8Array;
  at: number;
}

type Call = (...args: never[]) => number;

export class Wasi {
  /** To be set before the program starts. */
  memory: WebAssembly.Memory | undefined;
  readonly #args: readonly Uint8Array[];
  readonly #files: WasiOptions["files"];
  readonly #open = new Map<number, OpenFile>();
  readonly #printed: { readonly fd: number; readonly bytes: Uint8Array }[] = [];
  #nextFd = FIRST_FILE;
  #time = EPOCH;
  readonly #random = countsFrom(SEED);

  constructor({ args, files }: WasiOptions) {
    this.#args = args.map((text) => Buffer.from(`${text}\0`));
    this.#files = files;
  }

  /** 1 is the standard output, 2 the standard error. */
  printed(fd: number): Uint8Array {
    return Buffer.concat(this.#printed.filter((piece) => piece.fd === fd).map(({ bytes }) => bytes));
  }

  /** All that this module wants of WASI; what is not here answers ENOSYS. */
  imports(module: WebAssembly.Module): Record<string, Call> {
    const calls = { ...this.#processCalls(), ...this.#fileCalls() };
    const wanted = WebAssembly.Module.imports(module).filter(
      (one) => one.module === "wasi_snapshot_preview1",
    );
    return Object.fromEntries(wanted.map(({ name }) => [name, calls[name] ?? (() => ERRNO.nosys)]));
  }

  #processCalls(): Record<string, Call> {
    return {
      args_sizes_get: (count: number, bytes: number) => this.#sizesOfArgs(count, bytes),
      args_get: (list: number, buffer: number) => this.#copyArgs(list, buffer),
      environ_sizes_get: (count: number, bytes: number) => this.#store32(count, 0) || this.#store32(bytes, 0),
      environ_get: () => ERRNO.success,
      clock_res_get: (_clock: number, result: number) => this.#store64(result, TICK),
      clock_time_get: (_clock: number, _precision: bigint, result: number) => {
        this.#time += TICK;
        return this.#store64(result, this.#time);
      },
      random_get: (from: number, count: number) => this.#fillRandomly(from, count),
      proc_exit: (code: number) => {
        throw new ExitError(code);
      },
    };
  }

  #fileCalls(): Record<string, Call> {
    return {
      fd_prestat_get: (fd: number, result: number) => {
        if (fd !== FOLDER) return ERRNO.badf;
        return this.#store32(result, 0) || this.#store32(result + 4, FOLDER_NAME.length);
      },
      fd_prestat_dir_name: (_fd: number, name: number, count: number) => {
        this.#bytes(name, count).set(Buffer.from(FOLDER_NAME));
        return ERRNO.success;
      },
      path_open: (
        ...[_folder, _look, name, count, _create, _rights, _inherited, _flags, result]: PathOpenArguments
      ) => this.#openFile(Buffer.from(this.#bytes(name, count)).toString(), result),
      fd_fdstat_get: (fd: number, result: number) => this.#describe(fd, result),
      fd_close: (fd: number) => (this.#open.delete(fd) ? ERRNO.success : ERRNO.badf),
      fd_seek: (fd: number, offset: bigint, whence: number, result: number) =>
        this.#seek(fd, Number(offset), whence, result),
      fd_read: (fd: number, list: number, count: number, result: number) =>
        this.#read(fd, list, count, result),
      fd_write: (fd: number, list: number, count: number, result: number) =>
        this.#write(fd, list, count, result),
    };
  }

  // The program's memory grows, and its buffer is another one then: a new view for each look.
  #view(): DataView {
    if (this.memory === undefined) throw new Error("wasi: the program's memory has not been set");
    return new DataView(this.memory.buffer);
  }

  #bytes(from: number, count: number): Uint8Array {
    return new Uint8Array(this.#view().buffer, from >>> 0, count);
  }

  #store32(at: number, value: number): number {
    this.#view().setUint32(at >>> 0, value, true);
    return ERRNO.success;
  }

  #store64(at: number, value: bigint): number {
    this.#view().setBigUint64(at >>> 0, value, true);
    return ERRNO.success;
  }

  #sizesOfArgs(count: number, bytes: number): number {
    this.#store32(count, this.#args.length);
    return this.#store32(
      bytes,
      this.#args.reduce((sum, arg) => sum + arg.length, 0),
    );
  }

  #copyArgs(list: number, buffer: number): number {
    let to = buffer;
    for (const [index, arg] of this.#args.entries()) {
      this.#store32(list + index * 4, to);
      this.#bytes(to, arg.length).set(arg);
      to += arg.length;
    }
    return ERRNO.success;
  }

  #fillRandomly(from: number, count: number): number {
    const bytes = this.#bytes(from, count);
    for (let i = 0; i < count; i++) bytes[i] = this.#random(256);
    return ERRNO.success;
  }

  #openFile(name: string, result: number): number {
    const bytes = this.#files[name];
    if (bytes === undefined) return ERRNO.noent;
    const fd = this.#nextFd++;
    this.#open.set(fd, { bytes, at: 0 });
    return this.#store32(result, fd);
  }

  #describe(fd: number, result: number): number {
    if (fd > FOLDER && !this.#open.has(fd)) return ERRNO.badf;
    const type = fd <= STDERR ? FILETYPE.device : fd === FOLDER ? FILETYPE.folder : FILETYPE.file;
    this.#bytes(result, 24).fill(0)[0] = type;
    this.#store64(result + 8, RIGHTS);
    return this.#store64(result + 16, RIGHTS);
  }

  #seek(fd: number, offset: number, whence: number, result: number): number {
    const file = this.#open.get(fd);
    if (file === undefined) return ERRNO.badf;
    const from = [0, file.at, file.bytes.length][whence];
    if (from === undefined || from + offset < 0) return ERRNO.inval;
    file.at = from + offset;
    return this.#store64(result, BigInt(file.at));
  }

  /** Of the standard input there is nothing. */
  #read(fd: number, list: number, count: number, result: number): number {
    const file = this.#open.get(fd);
    if (file === undefined && fd !== 0) return ERRNO.badf;
    let total = 0;
    for (const room of this.#pieces(list, count)) {
      if (file === undefined) break;
      const bytes = file.bytes.subarray(file.at, file.at + room.length);
      room.set(bytes);
      file.at += bytes.length;
      total += bytes.length;
    }
    return this.#store32(result, total);
  }

  #write(fd: number, list: number, count: number, result: number): number {
    if (fd < 1 || fd > STDERR) return ERRNO.badf;
    let total = 0;
    for (const bytes of this.#pieces(list, count)) {
      this.#printed.push({ fd, bytes: bytes.slice() });
      total += bytes.length;
    }
    return this.#store32(result, total);
  }

  /** The buffers of a list of addresses and lengths. */
  #pieces(list: number, count: number): Uint8Array[] {
    const view = this.#view();
    return Array.from({ length: count }, (_, index) => {
      const at = (list >>> 0) + index * 8;
      return this.#bytes(view.getUint32(at, true), view.getUint32(at + 4, true));
    });
  }
}

type PathOpenArguments = [number, number, number, number, number, bigint, bigint, number, number];
