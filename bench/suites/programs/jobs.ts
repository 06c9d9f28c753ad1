// Jobs: the file of a program for each way of linking that can be had here.
//
// Owns:  which ways those are; linking with mimalloc.
// Needs: what `npm run programs` has made; for mimalloc its folders of sources and objects, and clang.

import type { MadeProgram } from "../../programs/cache.ts";
import { MIMALLOC, PROGRAMS } from "../../programs/catalog.ts";
import { fetched } from "../../programs/fetch.ts";
import { type Linked, linkFile, merge, mergeTlsf, optimize, type ToLink } from "../../programs/link.ts";
import { programParts } from "../../programs/parts.ts";
import type { Job, Linking, PerLinking } from "./protocol.ts";

/** Of a program. `mimalloc` is its object file. Throws with the words of what could not be linked. */
export async function programJobs(program: MadeProgram, mimalloc: string | undefined): Promise<Job[]> {
  const parts = (): ToLink => {
    const known = PROGRAMS.find(({ name }) => name === program.name);
    const folder = known && fetched(known.origin);
    if (known === undefined || folder === undefined)
      throw new Error(`the sources of ${program.name} are gone: npm run programs`);
    return programParts(known, folder);
  };
  const files = await linkedFiles(program.name, program, mimalloc && withMimalloc(parts(), mimalloc));
  const { pages, heapBase, workload } = program;
  return linkingsIn(files).map(([kind, file]) => ({ kind, file, beside: { pages, heapBase }, workload }));
}

/** With mimalloc's object file. */
export function withMimalloc(parts: ToLink, object: string): string {
  return linkFile(parts, "mimalloc", [object, MIMALLOC.library], optimize);
}

/** `mimalloc` is the file that has been linked with it. */
export async function linkedFiles(
  name: string,
  linked: Linked,
  mimalloc: string | undefined,
): Promise<PerLinking<string>> {
  return {
    dlmalloc: linked.dlmalloc,
    ...(mimalloc === undefined ? {} : { mimalloc }),
    tlsf: await mergeTlsf(name, linked),
    merged: await merge(name, linked),
    beside: linked.beside,
  };
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
