// Declarations: which .d.ts files a user's compiler can come to, from those that a package exports. tsc writes one for each
// source; a third of the core's are named by no other, and would only be offered by editors.

import { readFileSync } from "node:fs";
import { posix } from "node:path";

const IMPORT = /(?:\bfrom |\bimport\(|^import )"(\.[^"]+)"/gm;

/** Paths in a folder that are reached from the given ones, these included. */
export function reachedFrom(folder: string, entries: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const waiting = entries.map((entry) => posix.normalize(entry));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    const from = posix.dirname(file);
    for (const [, to = ""] of readFileSync(posix.join(folder, file), "utf8").matchAll(IMPORT))
      waiting.push(posix.join(from, to.replace(/\.[jt]s$/, ".d.ts")));
  }
  return reached;
}
