// clang for WebAssembly, as Debian packages it: what peers in C are compiled and linked with.
//
// Owns:  running it, and saying what is missing.
// Needs: clang, lld, wasi-libc and libclang-rt-dev-wasm32; without, the peers are left out.

import { spawnSync } from "node:child_process";

const HOW = "apt-get install --no-install-recommends clang lld wasi-libc libclang-rt-dev-wasm32";

/** Undefined when all went well; else why not, in one line. */
export function clang(args: readonly string[]): string | undefined {
  const run = spawnSync("clang", ["--target=wasm32-wasi", ...args], { encoding: "utf8" });
  if (run.error !== undefined) return `clang cannot be run (${run.error.message}); it needs: ${HOW}`;
  if (run.status === 0) return undefined;
  const lines = run.stderr.trim().split("\n");
  return `${lines.find((line) => line.includes("error")) ?? lines[0]}; it needs: ${HOW}`;
}

/** Of a package of Debian's. */
export function debianVersion(name: string): string {
  const run = spawnSync("dpkg-query", ["-W", "-f", "\u0024{Version}", name], { encoding: "utf8" });
  return run.status === 0 ? run.stdout : "of unknown version";
}
