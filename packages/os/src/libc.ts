// Libc: the system's calls, bound once.
//
// Needs: way, and the two files that bind them.
//
// Each function throws or gives a plain answer; nobody else looks at errno. A descriptor that one of them opened is given to no
// one but them: a runtime's own calls on files (node:fs) may know it by another number, or not at all, as in Deno.

import { endianness } from "node:os";
import { bindFiles } from "./libc-files.ts";
import { bindMapping } from "./libc-memory.ts";
import { type Constants, constantsOf, type Libc } from "./system.ts";
import { foreign } from "./way.ts";

let bound: Libc | undefined;

/** The system's calls, bound at first use. Throws an OsError: no way to call C, or a platform that this is not written for. */
export function libc(): Libc {
  bound ??= bind(constantsOf(process.platform, endianness()));
  return bound;
}

function bind(constants: Constants): Libc {
  const way = foreign();
  const pageBytes = way.number("int", "getpagesize")();
  return { pageBytes, ...bindMapping(way, constants, pageBytes), ...bindFiles(way, constants) };
}
