// mimalloc: Debian's source package, compiled as a peer. Nothing of it is kept in this repository.
//
// Owns:  the module that JavaScript calls, and the object that programs are linked with.
// Needs: clang with wasi-libc; the sources, fetched or to be fetched.
// Note:  what it asks of WASI (a clock, the standard error, an environment) peers/wasm.ts answers. Its environment is empty,
//        so that its options are the usual ones.

import { readFileSync } from "node:fs";
import path from "node:path";
import { MIMALLOC } from "./catalog.ts";
import { compileFiles } from "./compile.ts";
import { fetchSources } from "./fetch.ts";
import { linkFile } from "./link.ts";
import { OWN } from "./places.ts";

/** As `npm run programs` leaves it. */
export interface MadeMimalloc {
  /** The module with its functions, for peers/wasm.ts. */
  readonly module: string;
  /** For programs in C to be linked with, with MIMALLOC.library. */
  readonly object: string;
  readonly version: string;
}

const EXPORTS = ["heap_base", "reserve", "malloc", "calloc", "realloc", "free", "aligned_alloc"];

/** Fetches the sources if need be. Throws when that cannot be done, and with clang's own words. */
export function makeMimalloc(): MadeMimalloc {
  return compileMimalloc(fetchSources(MIMALLOC.origin));
}

/** Of the sources in a folder. `name` is that of what is kept in build/programs. */
export function compileMimalloc(sources: string, name = "mimalloc"): MadeMimalloc {
  const flags = MIMALLOC.flags.map((flag) => flag.replace("{package}", sources));
  const [object = ""] = compileFiles(name, [path.join(sources, MIMALLOC.source)], flags);
  const [glue = ""] = compileFiles(`${name}-peer`, [path.join(OWN, "c", "mimalloc-peer.c")], []);
  const exports = EXPORTS.map((name) => `-Wl,--export=${name}`);
  const options = ["-mexec-model=reactor", "-Wl,--strip-all", ...exports, MIMALLOC.library];
  const toLink = { name, objects: [glue, object], options };
  return { module: linkFile(toLink, "module", [], (bytes) => bytes), object, version: versionOf(sources) };
}

/** "2.0.9+ds-2", of Debian's changelog. */
function versionOf(sources: string): string {
  const changelog = readFileSync(path.join(sources, "debian", "changelog"), "utf8");
  return /\((.*?)\)/.exec(changelog)?.[1] ?? "of unknown version";
}
