// Results: what a whole run has found, as --json prints it.
//
// Owns:  the shape.
// Needs: the results of the peers (harness), and of programs and callers in wasm.

import type { PeerResults } from "../harness/results.ts";
import type { Anomalies } from "./adversary/anomalies.ts";
import type { ProgramResults } from "./programs/measure.ts";
import type { Sizes } from "./sizes/sizes.ts";
import type { WithinResults } from "./within/results.ts";

export interface Results extends PeerResults {
  readonly machine: string;
  readonly command: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly remarks: readonly string[];
  readonly wasm: WasmResults;
  /** Runs that were saved before these were part of them have none. */
  readonly anomalies?: Anomalies;
  readonly sizes?: Sizes;
}

/** Programs in wasm, and callers in wasm. */
export interface WasmResults
  extends Pick<ProgramResults, "programs">,
    Pick<WithinResults, "patterns">,
    // Runs that were saved before have none.
    Partial<Pick<WithinResults, "traces">> {
  readonly remarks: readonly string[];
}
