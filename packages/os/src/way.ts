// Way: which way to call C is taken, once for all.
//
// Needs: node-ffi, koffi, Node.
//
// Node's own node:ffi comes first: it needs no package, and late releases of Node 26 have it without a flag. Where it is not
// (older Nodes, Deno, Bun, `node --no-experimental-ffi`), the package koffi serves. Deno and Bun have ways of their own as well.
// They are not used: koffi works in both and passes the same tests, and one way less is one less that can be wrong.

import { createRequire } from "node:module";
import { isError } from "morecore/engine";
import { isDenial, OsError } from "./errors.ts";
import type { Find, Foreign } from "./foreign.ts";
import { findKoffi } from "./koffi.ts";
import { findNodeFfi } from "./node-ffi.ts";

let taken: Foreign | undefined;

/** The way to call C, taken at first use. Throws an OsError that says how to get one. */
export function foreign(): Foreign {
  taken ??= takeWay(createRequire(import.meta.url), process.platform);
  return taken;
}

/** The first way for a platform that can be found. Throws an OsError: there is none, or it may not be used. */
export function takeWay(find: Find, platform: string): Foreign {
  let denial: unknown;
  for (const findWay of [findNodeFfi, findKoffi]) {
    try {
      const way = findWay(find, platform);
      if (way !== undefined) return way;
    } catch (error) {
      if (!isDenial(error)) throw error;
      denial ??= error;
    }
  }
  if (isError(denial))
    throw new OsError("NOT_ALLOWED", `@morecore/os may not call C: ${denial.message}`, denial);
  throw new OsError(
    "NO_KOFFI",
    "@morecore/os needs the package koffi: npm install koffi (Node 26.12 needs none: it has node:ffi)",
  );
}
