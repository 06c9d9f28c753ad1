// Jobs: the file of a program, or of the patterns, for each way of linking that can be had here.
//
// Owns:  which ways those are; linking with mimalloc.
// Needs: what `npm run programs` has made; for mimalloc its folders of sources and objects, and clang.

import type { MadePatterns, MadeProgram } from "../../programs/cache.ts";
import { MIMALLOC, PROGRAMS } from "../../programs/catalog.ts";
import { fetched } from "../../programs/fetch.ts";
import { linkFile, merge, mergeTlsf, optimize, type ToLink } from "../../programs/link.ts";
import { patternParts, programParts } from "../../programs/parts.ts";
import type { Job, Linking, PerLinking } from "./protocol.ts";

/**
 * For what has no main: else the linker would start the C library before every call, and end it after, and mimalloc with
 * it. This says that somebody else will; nobody does, as mimalloc starts with the first malloc.
 */
const NO_START = "-Wl,--export=__wasm_call_ctors";

/** Of a program. `mimalloc` is its object file. Throws with the words of what could not be linked. */
export async function programJobs(program: MadeProgram, mimalloc: string | undefined): Promise<Job[]> {
  const parts = (): ToLink => {
    const known = PROGRAMS.find(({ name }) => name === program.name);
    const folder = known && fetched(known.origin);
    if (known === undefined || folder === undefined)
      throw new Error(`the sources of ${program.name} are gone: npm run programs`);
    return programParts(known, folder);
  };
  return jobsOf(program.name, program, program.workload, mimalloc && withMimalloc(parts(), mimalloc));
}

export async function patternJobs(patterns: MadePatterns, mimalloc: string | undefined): Promise<Job[]> {
  const nothing: Job = { kind: "nothing", file: patterns.nothing, beside: patterns, workload: "" };
  const file = mimalloc && withMimalloc(patternParts(), mimalloc, NO_START);
  return [nothing, ...(await jobsOf("patterns", patterns, "", file))];
}

function withMimalloc(parts: ToLink, object: string, ...flags: readonly string[]): string {
  return linkFile(parts, "mimalloc", [object, MIMALLOC.library, ...flags], optimize);
}

async function jobsOf(
  name: string,
  linked: MadeProgram | MadePatterns,
  workload: string,
  mimalloc: string | undefined,
): Promise<Job[]> {
  const files: PerLinking<string> = {
    dlmalloc: linked.dlmalloc,
    ...(mimalloc === undefined ? {} : { mimalloc }),
    tlsf: await mergeTlsf(name, linked),
    merged: await merge(name, linked),
    beside: linked.beside,
  };
  const { pages, heapBase } = linked;
  return linkingsIn(files).map(([kind, file]) => ({ kind, file, beside: { pages, heapBase }, workload }));
}

/** In the order of the tables. */
export function linkingsIn<T>(figures: PerLinking<T>): [Linking, T][] {
  const { dlmalloc, mimalloc, tlsf, merged, beside } = figures;
  return [
    ["dlmalloc", dlmalloc],
    ...(mimalloc === undefined ? [] : [["mimalloc", mimalloc] satisfies [Linking, T]]),
    ["tlsf", tlsf],
    ["merged", merged],
    ["beside", beside],
  ];
}
