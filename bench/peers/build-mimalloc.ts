// mimalloc, compiled from a folder of its sources that the user names: nothing of it is kept in this repository.
//
// Owns:  how it is compiled and linked, and what is said when it cannot be.
// Needs: clang, lld and wasi-libc, as for dlmalloc; mimalloc 2 or 3, which have a port to WASI of their own.
// Note:  what it asks of WASI (a clock, the standard error) wasm.ts answers. Environment it has none,
//        so that its options are the usual ones.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { BuiltPeer } from "./build-tlsf.ts";
import { clang } from "./clang.ts";

const SOURCE = `
#include <stdbool.h>
#include <stddef.h>
extern unsigned char __heap_base;
extern int mi_reserve_os_memory(size_t bytes, bool commit, bool allow_large);
unsigned long heap_base(void) { return (unsigned long)&__heap_base; }
void reserve(size_t bytes) { mi_reserve_os_memory(bytes, true, false); }
char *getenv(const char *name) { (void)name; return NULL; }
`;

const EXPORTS = ["heap_base", "reserve", "malloc", "calloc", "realloc", "free", "aligned_alloc"];
/** As mimalloc's own build has them for a release, all of it one file. */
const COMPILE_FLAGS = [
  ...["-O3", "-w", "-DNDEBUG", "-DMI_MALLOC_OVERRIDE", "-fno-builtin-malloc"],
  ...["-fvisibility=hidden", "-D_WASI_EMULATED_PROCESS_CLOCKS"],
];
const WHOLE = path.join("src", "static.c");
const HEADER = path.join("include", "mimalloc.h");
const HOW =
  "its sources are none of this repository's: get them from https://github.com/microsoft/mimalloc, and name their folder with --mimalloc";

/** For the linker: the clock that mimalloc's port asks for. */
export const MIMALLOC_LIBRARY = "-lwasi-emulated-process-clocks";

export interface Mimalloc extends BuiltPeer {
  /** For programs in C to be linked with. Its name tells what is in it. */
  readonly object: string;
}

/** The peer, or, as a string, why there is none. */
export function buildMimalloc(directory: string, sources: string | undefined): Mimalloc | string {
  if (sources === undefined) return HOW;
  if (!existsSync(path.join(sources, WHOLE))) return `there is no ${WHOLE} in ${sources}; ${HOW}`;
  mkdirSync(directory, { recursive: true });
  const unnamed = path.join(directory, "mimalloc.o");
  const include = `-I${path.join(sources, "include")}`;
  const compiled = clang([...COMPILE_FLAGS, include, "-c", path.join(sources, WHOLE), "-o", unnamed]);
  if (compiled !== undefined) return compiled;
  const key = createHash("sha256").update(readFileSync(unnamed)).digest("hex").slice(0, 16);
  const object = path.join(directory, `mimalloc-${key}.o`);
  renameSync(unnamed, object);

  const source = path.join(directory, "mimalloc.c");
  const file = path.join(directory, "mimalloc.wasm");
  writeFileSync(source, SOURCE);
  const flags = ["-mexec-model=reactor", "-O2", "-Wl,--strip-all"];
  const exports = EXPORTS.map((name) => `-Wl,--export=${name}`);
  const linked = clang([...flags, ...exports, source, object, MIMALLOC_LIBRARY, "-o", file]);
  return linked ?? { file, object, version: versionIn(path.join(sources, HEADER)) };
}

/** "2.4.1" of 20401. */
function versionIn(header: string): string {
  const number = Number(/MI_MALLOC_VERSION\s+(\d{5,})/.exec(readFileSync(header, "utf8"))?.[1]);
  if (Number.isNaN(number)) return "of unknown version";
  return [Math.floor(number / 10_000), Math.floor(number / 100) % 100, number % 100].join(".");
}
