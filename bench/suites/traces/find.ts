// Find: the traces to play.
//
// Owns:  where traces are looked for, and which of two with the same name is taken.
// Needs: traces/ in the package; ../shared/traces beside it, where there is one.

import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import type { TraceInput } from "../../harness/inputs.ts";
import { ROOT } from "../../harness/paths.ts";

const EXTENSION = ".mct.gz";
const SHORT = /-20k$/;
/** Of the usual ones, those of a quick run. */
export const QUICK_TRACES = /^(graphviz-dot|nginx|lua)$|-20k$/;

export interface FoundTraces {
  readonly traces: readonly TraceInput[];
  /** Sentences for the reader, on what was not there. */
  readonly remarks: readonly string[];
}

/** A folder that was named has none. */
export class NoTracesError extends Error {
  override readonly name = "NoTracesError";
}

/** Throws a NoTracesError if there are none in a folder that is given. */
export function findTraces(given: string | undefined): FoundTraces {
  const own = given === undefined ? path.join(ROOT, "traces") : path.resolve(given);
  const shared = path.join(ROOT, "..", "shared", "traces");
  const remarks: string[] = [];
  const folders = [own];
  if (given === undefined && existsSync(shared)) folders.push(shared, path.join(shared, "small"));
  else if (given === undefined)
    remarks.push("../shared/traces is not there: only the traces of this package are played.");
  const byName = new Map<string, TraceInput>();
  for (const folder of folders) {
    for (const entry of existsSync(folder) ? readdirSync(folder) : []) {
      if (!entry.endsWith(EXTENSION)) continue;
      const name = entry.slice(0, -EXTENSION.length);
      if (!byName.has(name))
        byName.set(name, { name, file: path.join(folder, entry), isShort: SHORT.test(name) });
    }
  }
  if (byName.size === 0) {
    if (given !== undefined) throw new NoTracesError(`${given}: expected a folder with files *${EXTENSION}`);
    remarks.push(`No ${EXTENSION} file in ${folders.join(", ")}.`);
  }
  const traces = [...byName.values()].sort((a, b) => a.name.localeCompare(b.name));
  return { traces, remarks };
}
