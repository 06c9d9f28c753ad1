// Paths: where the bench reads and writes.
//
// Owns:  the names.
// Needs: to be compiled into build/bench (tsconfig.json).

import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
/** Compiled allocators. */
export const PEERS = path.join(ROOT, "build", "peers");
/** The last full run: for people, and for the charts. */
export const RESULTS = path.join(ROOT, "bench", "RESULTS.md");
export const RESULTS_JSON = path.join(ROOT, "bench", "results.json");
export const CHARTS = path.join(ROOT, "bench", "charts");
/** What test/replay/steps.test.ts holds the kernel to. */
export const HELD_STEPS = path.join(ROOT, "test", "replay", "steps.json");
