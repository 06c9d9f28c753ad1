// Parts: what clang links of a program, of the patterns and of the player of traces, whatever their allocator.
//
// Owns:  their objects and options.
// Needs: the sources, fetched; clang, for what has not been compiled yet.

import type { Program } from "./catalog.ts";
import { compileFiles, compileProgram } from "./compile.ts";
import type { ToLink } from "./link.ts";
import { OWN } from "./places.ts";

/** Callers without a main, in c/: each with what it exports. All are started once, by _initialize. */
export const CALLERS = {
  patterns: [
    ...["drawn_slots", "drawn_sizes", "pair", "churn_fill", "churn", "fifo_fill", "fifo"],
    ...["stack256", "large_stack", "strings", "alternate", "cycle"],
  ],
  replay: [
    ...["records", "most_records", "most_slots", "play", "play_touched", "play_checked", "checksum"],
    "release",
  ],
} as const;
export type Caller = keyof typeof CALLERS;
/** The C file that gives an allocator room; that of "no-malloc" has the allocator, too. */
export type Room = "reserve" | "mimalloc-peer" | "no-malloc";

/** What C's rules allow to leave out must not be left out. */
const CALLER_FLAGS = ["-fno-builtin"];

export function programParts(program: Program, folder: string): ToLink {
  const options = program.libraries.map((library) => `-l${library}`);
  return { name: program.name, objects: compileProgram(program, folder), options };
}

export function callerParts(name: Caller, room: Room): ToLink {
  const objects = [name, room].flatMap((file) => compileFiles(file, [`${OWN}/c/${file}.c`], CALLER_FLAGS));
  const exports = ["reserve", ...CALLERS[name]].map((function_) => `-Wl,--export=${function_}`);
  return { name, objects, options: ["-mexec-model=reactor", ...exports] };
}
