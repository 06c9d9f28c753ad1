// Parts: what clang links of a program, and of the patterns, whatever their allocator.
//
// Owns:  their objects and options.
// Needs: the sources, fetched; clang, for what has not been compiled yet.

import type { Program } from "./catalog.ts";
import { compileFiles, compileProgram } from "./compile.ts";
import type { ToLink } from "./link.ts";
import { OWN } from "./places.ts";

const PATTERN_EXPORTS = ["pair", "drawn_slots", "drawn_sizes", "churn_fill", "churn", "fifo_fill", "fifo"];
/** What C's rules allow to leave out must not be left out. */
export const PATTERN_FLAGS = ["-fno-builtin"];

export function programParts(program: Program, folder: string): ToLink {
  const options = program.libraries.map((library) => `-l${library}`);
  return { name: program.name, objects: compileProgram(program, folder), options };
}

export function patternParts(): ToLink {
  const objects = compileFiles("patterns", [`${OWN}/c/patterns.c`], PATTERN_FLAGS);
  const exports = PATTERN_EXPORTS.map((name) => `-Wl,--export=${name}`);
  return { name: "patterns", objects, options: ["-nostartfiles", "-Wl,--no-entry", ...exports] };
}
