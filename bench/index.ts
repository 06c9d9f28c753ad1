// @morecore/bench: what `morecore bench` measures with.

export type { TraceInput } from "./harness/inputs.ts";
export type { Plan } from "./harness/measure.ts";
export { positiveNumber, wholeNumber } from "./harness/numbers.ts";
export { PATTERN_NAMES } from "./harness/patterns.ts";
export { Progress } from "./harness/progress.ts";
export type { PeerResults } from "./harness/results.ts";
export { machineText, measurePeers, stepsOf, type Work } from "./harness/run.ts";
export { skippedReasons } from "./harness/skipped.ts";
export { toTerminal } from "./harness/tables.ts";
export { type FoundPeers, installedPeers } from "./peers/installed.ts";
export { peerTables } from "./suites/peer-tables.ts";
