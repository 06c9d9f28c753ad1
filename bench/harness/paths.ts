// Paths: where the bench reads and writes.
//
// Owns:  the names.
// Needs: to lie in the repository, as a source or compiled into build/.

import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The nearest folder above with a package-lock.json: build/ has none. */
function rootAbove(folder: string): string {
  const parent = path.dirname(folder);
  return existsSync(path.join(folder, "package-lock.json")) || parent === folder ? folder : rootAbove(parent);
}

export const ROOT = rootAbove(path.dirname(fileURLToPath(import.meta.url)));
/** Compiled allocators. */
export const PEERS = path.join(ROOT, "build", "peers");
/** The last run that was saved of each suite that has a command, as JSON. */
export const RESULTS = path.join(ROOT, "bench", "results");
/** The same for people. */
export const RESULTS_PAGE = path.join(ROOT, "bench", "RESULTS.md");
export const CHARTS = path.join(ROOT, "bench", "charts");
/** What test/replay/steps.test.ts holds the kernel to. */
export const HELD_STEPS = path.join(ROOT, "test", "replay", "steps.json");
