// AssemblyScript's TLSF, compiled as it stands by its own compiler.
//
// Owns:  the ten lines that export it, and the compiler's options.
// Needs: the npm package assemblyscript.
// Note:  the runtime "minimal" is TLSF and a collector; the collector is unused here and compiled away.

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { BuiltPeer } from "./peer.ts";

const ENTRY = "tlsf.ts";

const SOURCE = `
  export function heap_base(): usize { return __heap_base; }
  export function malloc(bytes: usize): usize { return heap.alloc(bytes); }
  export function calloc(count: usize, bytes: usize): usize {
    const ptr = heap.alloc(count * bytes);
    memory.fill(ptr, 0, count * bytes);
    return ptr;
  }
  export function realloc(ptr: usize, bytes: usize): usize { return heap.realloc(ptr, bytes); }
  export function free(ptr: usize): void { heap.free(ptr); }
`;

/** The module of a source that calls TLSF, and the compiler's version. Throws what the compiler says. */
export async function compileTlsf(
  source: string,
  more: readonly string[] = [],
): Promise<{ binary: Uint8Array; version: string }> {
  // Not every user has the compiler; installed.ts says what is missing.
  const { default: asc } = await import("assemblyscript/asc");
  let binary: Uint8Array | undefined;
  const flags = [ENTRY, "--outFile", "tlsf.wasm", "--runtime", "minimal", "-O3", "--use", "abort=", ...more];
  const { error, stderr } = await asc.main(flags, {
    readFile: (name: string) => (name === ENTRY ? source : null),
    writeFile: (_name: string, contents: string | Uint8Array) => {
      if (typeof contents !== "string") binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined)
    throw new Error(`TLSF: ${error?.message}\n${stderr.toString()}`);
  return { binary, version: `assemblyscript ${asc.version}` };
}

/** Throws when the compiler is not there, and with its own words when it does not compile. */
export async function buildTlsf(directory: string): Promise<BuiltPeer> {
  const { binary, version } = await compileTlsf(SOURCE);
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, "tlsf.wasm");
  writeFileSync(file, binary);
  return { file, version };
}
