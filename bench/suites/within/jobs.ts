// Jobs: the patterns, and the player of traces, with each allocator that can be had here.
//
// Owns:  which these are, and how each is linked.
// Needs: clang with wasi-libc; for mimalloc its object.

import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { linkFile, linkInside, linkWays, merge, optimize } from "../../programs/link.ts";
import { type Caller, callerParts } from "../../programs/parts.ts";
import { linkedFiles, linkingsIn, withMimalloc } from "../programs/jobs.ts";
import type { Job } from "./protocol.ts";

/** What may be missing. */
export interface Others {
  /** The object file. */
  readonly mimalloc: string | undefined;
  /** A folder as build/programs/merged is one, of an earlier build. */
  readonly before: string | undefined;
}

/** Throws with the words of what could not be linked. */
export async function patternJobs(others: Others): Promise<Job[]> {
  const linked = linkWays(callerParts("patterns", "reserve"));
  const { pages, heapBase } = linked;
  const files = await linkedFiles("patterns", linked, withMimallocIn("patterns", others));
  const linkings = linkingsIn(files).map(
    ([kind, file]): Job => ({ kind, file, beside: { pages, heapBase } }),
  );
  return [...emptyJobs("patterns"), ...linkings, ...earlier("patterns", others)];
}

/** Without AssemblyScript's TLSF, which has no aligned allocation. Throws as above. */
export async function replayJobs(others: Others): Promise<Job[]> {
  const linked = linkInside(callerParts("replay", "reserve"));
  const mimalloc = withMimallocIn("replay", others);
  return [
    ...emptyJobs("replay"),
    { kind: "dlmalloc", file: linked.dlmalloc },
    ...(mimalloc === undefined ? [] : [{ kind: "mimalloc", file: mimalloc } satisfies Job]),
    { kind: "merged", file: await merge("replay", linked) },
    ...earlier("replay", others),
  ];
}

export function emptyJobs(caller: Caller): Job[] {
  const parts = callerParts(caller, "no-malloc");
  return [
    { kind: "loop", file: linkFile(parts, "loop", [], optimize) },
    { kind: "nothing", file: linkFile(parts, "nothing", [], asLinked) },
  ];
}

function withMimallocIn(caller: Caller, { mimalloc }: Others): string | undefined {
  return mimalloc === undefined ? undefined : withMimalloc(callerParts(caller, "mimalloc-peer"), mimalloc);
}

/** wasm-opt would inline what does nothing. The calls are what every allocator pays. */
function asLinked(bytes: Uint8Array): Uint8Array {
  return bytes;
}

/** Throws if the folder has not got it. */
function earlier(caller: Caller, { before }: Others): Job[] {
  if (before === undefined) return [];
  const isIt = (name: string) => name.startsWith(`${caller}-`) && name.endsWith(".wasm");
  const found = existsSync(before) ? readdirSync(before).find(isIt) : undefined;
  if (found === undefined)
    throw new Error(`${before}: expected ${caller}-*.wasm, as build/programs/merged has it`);
  return [{ kind: "before", file: path.resolve(before, found) }];
}
