// wasi-libc's dlmalloc, linked from the system's own library.
//
// Owns:  the C line that gives the linker something to link, and the linker's options.
// Needs: clang, lld and wasi-libc as Debian packages them, and libclang-rt-dev-wasm32; else the peer is left out.

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { clang, debianVersion } from "./clang.ts";
import type { BuiltPeer } from "./peer.ts";

const SOURCE = `
extern unsigned char __heap_base;
unsigned long heap_base(void) { return (unsigned long)&__heap_base; }
`;

const EXPORTS = ["heap_base", "malloc", "calloc", "realloc", "free", "aligned_alloc"];

/** The peer, or, as a string, why there is none. */
export function buildDlmalloc(directory: string): BuiltPeer | string {
  mkdirSync(directory, { recursive: true });
  const source = path.join(directory, "dlmalloc.c");
  const file = path.join(directory, "dlmalloc.wasm");
  writeFileSync(source, SOURCE);
  const flags = ["-O2", "-nostartfiles", "-Wl,--no-entry", "-Wl,--strip-all"];
  const exports = EXPORTS.map((name) => `-Wl,--export=${name}`);
  const failure = clang([...flags, ...exports, source, "-o", file]);
  if (failure !== undefined) return failure;
  return { file, version: `wasi-libc ${debianVersion("wasi-libc")}, ${debianVersion("clang")}` };
}
