// Installed: the peers that can be had on this machine.
//
// Owns:  how they are found, and what is said of those that are missing.
// Needs: @thi.ng/malloc and assemblyscript, where they are installed; clang and wasi-libc, where they are.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { buildDlmalloc } from "./build-dlmalloc.ts";
import { buildTlsf } from "./build-tlsf.ts";
import type { BuiltPeer, PeerInfo } from "./peer.ts";

/** The allocators that can be measured here. */
export interface FoundPeers {
  /** "nothing" and morecore first. */
  readonly peers: readonly PeerInfo[];
  /** Sentences on what is missing. */
  readonly remarks: readonly string[];
}

/** A module that was built elsewhere, or, as a string, why there is none. */
export type BuiltElsewhere = BuiltPeer | string;

/**
 * All that can be had here. What must be compiled is, into a directory. mimalloc, if anybody has it, comes from the caller.
 *
 * @example
 *
 * ```ts no-run
 * const { peers, remarks } = await installedPeers("build/peers");
 * console.log(peers.length, remarks);
 * ```
 */
export async function installedPeers(directory: string, mimalloc?: BuiltElsewhere): Promise<FoundPeers> {
  const remarks: string[] = [];
  const peers: PeerInfo[] = [
    { name: "nothing", version: "", moduleFile: undefined },
    { name: "morecore", version: versionOf("morecore"), moduleFile: undefined },
  ];
  for (const [name, built] of [
    ["dlmalloc", buildDlmalloc(directory)],
    ["mimalloc", mimalloc],
  ] as const) {
    if (built === undefined) continue;
    if (typeof built === "string") remarks.push(`${name} is left out: ${built}`);
    else peers.push({ name, version: built.version, moduleFile: built.file });
  }
  try {
    const { version, file } = await buildTlsf(directory);
    peers.push({ name: "tlsf", version, moduleFile: file });
  } catch (error) {
    remarks.push(leftOut("tlsf", "assemblyscript", error));
  }
  try {
    const version = `@thi.ng/malloc ${versionOf("@thi.ng/malloc")}`;
    peers.push({ name: "thi.ng", version, moduleFile: undefined });
  } catch (error) {
    remarks.push(leftOut("thi.ng", "@thi.ng/malloc", error));
  }
  const engine = `V8 ${process.versions.v8}`;
  peers.push({ name: "v8-arrays", version: `new Float32Array, ${engine}`, moduleFile: undefined });
  peers.push({ name: "v8-objects", version: `objects of four numbers, ${engine}`, moduleFile: undefined });
  return { peers, remarks };
}

/** Throws when the package is not installed. */
function versionOf(name: string): string {
  const parsed: unknown = JSON.parse(readFileSync(packageFile(name), "utf8"));
  return typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "?";
}

/** Not every package lets its package.json be imported; its folder is looked for as Node does. */
function packageFile(name: string): string {
  const { resolve } = createRequire(import.meta.url);
  if (name === "morecore") return resolve("morecore/package.json");
  for (const folder of resolve.paths(name) ?? []) {
    const file = path.join(folder, name, "package.json");
    try {
      readFileSync(file);
      return file;
    } catch {
      // It may be in the next one.
    }
  }
  throw new Error(`Cannot find package '${name}'`);
}

function leftOut(peer: string, name: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const isMissing = message.includes("Cannot find package") || message.includes("Cannot find module");
  return `${peer} is left out: ${isMissing ? `it needs: npm install ${name}` : message}`;
}
