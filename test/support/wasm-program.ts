// Programs in WebAssembly for the tests of `morecore run`: written in its text format, or in C where Debian's clang and
// wasi-libc are installed.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import binaryen from "binaryen";
import { C_PACKAGES, hasC, ROOT } from "./c-program.ts";

/** For the title of what is skipped. */
export const WITHOUT_C = hasC ? "" : ` (skipped: apt-get install ${C_PACKAGES})`;

/** A module in the text format, its function names kept. */
export function wat(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  module.setFeatures(module.getFeatures() | binaryen.Features.MutableGlobals | binaryen.Features.BulkMemory);
  binaryen.setDebugInfo(true);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/** The functions of the heap that the programs below import, and WASI's exit. */
export const HEAP_IMPORTS = `
  (import "morecore" "mc_malloc" (func $malloc (param i32) (result i32)))
  (import "morecore" "mc_calloc" (func $calloc (param i32 i32) (result i32)))
  (import "morecore" "mc_realloc" (func $realloc (param i32 i32) (result i32)))
  (import "morecore" "mc_free" (func $free (param i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))`;

export const HEAP_BASE = 1234;

/** A program that has a memory of its own and gets its malloc from morecore. */
export function heapProgram(body: string, more = ""): Uint8Array {
  return wat(`(module ${HEAP_IMPORTS}
    (memory (export "memory") 2)
    (global $heap_base (export "__heap_base") i32 (i32.const ${HEAP_BASE}))
    (data (i32.const 1000) "data")
    (global $p (mut i32) (i32.const 0))
    ${more}
    (func $start (export "_start") ${body}))`);
}

/** A program that needs nothing of morecore. */
export function plainProgram(body: string): Uint8Array {
  return wat(`(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func $start (export "_start") ${body}))`);
}

export interface CBuild {
  /** Its malloc: lib/morecore.c, or wasi-libc's own. Default "morecore". */
  readonly malloc?: "morecore" | "own";
  readonly flags?: readonly string[];
}

/** A program in C. Not linked with -O: that would have wasm-opt, where it is installed, drop the names. */
export function cProgram(source: string, { malloc = "morecore", flags = [] }: CBuild = {}): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "morecore-c-"));
  const clang = (...args: string[]) =>
    execFileSync("clang", ["--target=wasm32-wasi", ...args], { cwd: folder, stdio: "pipe" });
  try {
    writeFileSync(join(folder, "program.c"), source);
    clang("-O1", "-w", "-c", "program.c", "-o", "program.o");
    const objects = ["program.o"];
    if (malloc === "morecore") {
      clang("-O2", "-c", join(ROOT, "packages/wasm/c/lib/morecore.c"), "-o", "morecore.o");
      objects.push("morecore.o");
    }
    clang(...objects, "-Wl,--export=__heap_base", ...flags, "-o", "program.wasm");
    return new Uint8Array(readFileSync(join(folder, "program.wasm")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
