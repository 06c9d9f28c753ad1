// Programs in C and C++ for the tests: compiled with Debian's clang and wasi-libc, with morecore or with wasi-libc's
// own malloc, merged or beside it.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Heap } from "morecore";
import { type Kernels, type LinkOptions, linkProgram } from "../../packages/wasm/src/link/link.ts";
import { runWasi, type WasiOptions, type WasiResult } from "./wasi.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What has to be installed for C; for C++ also what comes after it. */
export const C_PACKAGES = "clang lld wasi-libc libclang-rt-dev-wasm32";
export const CXX_PACKAGES = `${C_PACKAGES} libc++-dev-wasm32`;
const STUB = join(ROOT, "packages/wasm/c/lib/morecore.c");
const INCLUDE = join(ROOT, "packages/wasm/c/include");
const PAGE = 65_536;
/** The most memory that such a program can have: 16 MiB, so that there is an end to reach. */
export const MEMORY_PAGES = 256;

/** Whether a command is there. */
export function hasCommand(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args.length > 0 ? args : ["--version"]).status === 0;
}

/** Whether C programs for WASI can be compiled here. */
export const hasC: boolean =
  hasCommand("clang") && hasCommand("wasm-ld") && existsSync("/usr/lib/wasm32-wasi/libc.a");
export const hasCxx: boolean = hasC && existsSync("/usr/lib/wasm32-wasi/libc++.a");

/** Says once, where a test is skipped, what it would need. */
export function needs(what: boolean, packages: string): boolean {
  if (!what) console.warn(`skipped: apt-get install ${packages}`);
  return what;
}

export interface Build {
  readonly sources: readonly string[];
  /** false: the C library's own malloc. */
  readonly stub?: boolean;
  readonly flags?: readonly string[];
  readonly compiler?: "clang" | "clang++";
}

/** Compiles a program; its memory ends at MEMORY_PAGES. Throws what the compiler says. */
export function compile({
  sources,
  stub = true,
  flags = [],
  compiler = "clang",
}: Build): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), "morecore-c-"));
  try {
    const output = join(folder, "program.wasm");
    const stubObject = join(folder, "morecore.o");
    if (stub) execFileSync("clang", ["--target=wasm32-wasi", "-O2", "-c", STUB, "-o", stubObject]);
    const all = [
      "--target=wasm32-wasi",
      "-O1",
      "-Wall",
      "-Wextra",
      "-Werror",
      `-I${INCLUDE}`,
      `-Wl,--max-memory=${MEMORY_PAGES * PAGE}`,
      ...flags,
      ...sources,
      ...(stub ? [stubObject] : []),
    ];
    execFileSync(compiler, [...all, "-o", output], { stdio: ["ignore", "pipe", "pipe"] });
    return Uint8Array.from(readFileSync(output));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function builtKernels(): Kernels {
  const built = (name: string) => readFileSync(join(ROOT, "packages/morecore/dist", name));
  return {
    growing: built("kernel.wasm"),
    asking: built("kernel-grow.wasm"),
    threads: built("kernel-threads.wasm"),
  };
}

/** A program and the kernel as one module: `morecore link`. */
export async function linked(program: Uint8Array, options?: LinkOptions): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(await linkProgram(program, builtKernels(), options));
}

/** Runs a program that imports its memory beside a heap in that memory: two modules, no JavaScript between them. */
export function runBeside(module: WebAssembly.Module, options: WasiOptions = {}): WasiResult {
  const memory = new WebAssembly.Memory({ initial: 8, maximum: MEMORY_PAGES });
  const heap = Heap.create({ memory, reserve: 0, advance: 0 });
  return runWasi(module, { ...options, memory, imports: { ...heap.imports, env: { memory } } });
}
