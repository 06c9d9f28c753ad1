// wasi-libc's dlmalloc, linked from the system's own library.
//
// Owns:  the C line that gives the linker something to link, and the linker's options.
// Needs: clang, lld and wasi-libc as Debian packages them, and libclang-rt-dev-wasm32; else the peer is left out.

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { BuiltPeer } from "../../src/bench/peers/build-tlsf.ts";

const SOURCE = `
extern unsigned char __heap_base;
unsigned long heap_base(void) { return (unsigned long)&__heap_base; }
`;

const EXPORTS = ["heap_base", "malloc", "calloc", "realloc", "free", "aligned_alloc"];
/** Debian's, for all that is compiled from C here. */
export const CLANG_PACKAGES = "clang lld wasi-libc libclang-rt-dev-wasm32";

/** The peer, or, as a string, why there is none. */
export function buildDlmalloc(directory: string): BuiltPeer | string {
  mkdirSync(directory, { recursive: true });
  const source = path.join(directory, "dlmalloc.c");
  const file = path.join(directory, "dlmalloc.wasm");
  writeFileSync(source, SOURCE);
  const flags = ["--target=wasm32-wasi", "-O2", "-nostartfiles", "-Wl,--no-entry", "-Wl,--strip-all"];
  const exports = EXPORTS.map((name) => `-Wl,--export=${name}`);
  const run = spawnSync("clang", [...flags, ...exports, source, "-o", file], { encoding: "utf8" });
  if (run.error !== undefined || run.status !== 0) {
    const first = run.error?.message ?? run.stderr.trim().split("\n")[0];
    return `${first}; it needs: apt-get install --no-install-recommends ${CLANG_PACKAGES}`;
  }
  return { file, version: `wasi-libc ${debianVersion("wasi-libc")}, ${debianVersion("clang")}` };
}

function debianVersion(name: string): string {
  const run = spawnSync("dpkg-query", ["-W", "-f", "\u0024{Version}", name], { encoding: "utf8" });
  return run.status === 0 ? run.stdout : "of unknown version";
}
