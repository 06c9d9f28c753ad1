// Policy: what is not asked of a peer, and why.
//
// Owns:  the rules, and their words for the reader of the tables.
// Needs: the peers' names.

import type { PeerName } from "../peers/peer.ts";

export type Task =
  | { readonly do: "replay"; readonly isWhole: boolean; readonly touched: boolean }
  | { readonly do: "space"; readonly isWhole: boolean }
  | { readonly do: "scale"; readonly live: number };

const QUADRATIC = "whole traces are not played, its lists are searched linearly";
const LINEAR = "not tried with more live blocks, its lists are searched linearly";
const SLOW_TO_MAKE = "not tried with more live blocks, making so many arrays takes seconds";
const ONE_SIZE = "traces are not played, its objects have one size";
const ZEROED = "not touched, its arrays are written when they are made";
const UNKNOWN_SPACE = "space is not known, the engine has it";
/** All reasons that are rules. */
export const POLICIES: ReadonlySet<string> = new Set([
  QUADRATIC,
  LINEAR,
  SLOW_TO_MAKE,
  ONE_SIZE,
  ZEROED,
  UNKNOWN_SPACE,
]);

/** thi.ng's pattern "churn" has as many, and takes 85 µs for one. */
const MOST_LIVE_IN_LISTS = 16_384;
const MOST_LIVE_ARRAYS = 65_536;

/** Why a peer is spared a task; undefined: it is not. With `patient`, what is only slow is tried. */
export function whyNot(peer: PeerName, task: Task, patient: boolean): string | undefined {
  switch (peer) {
    case "thi.ng":
      if (task.do === "scale") return task.live > MOST_LIVE_IN_LISTS ? LINEAR : undefined;
      return task.isWhole && !patient ? QUADRATIC : undefined;
    case "v8-objects":
      return task.do === "scale" ? undefined : ONE_SIZE;
    case "v8-arrays":
      if (task.do === "space") return UNKNOWN_SPACE;
      if (task.do === "scale") return task.live > MOST_LIVE_ARRAYS ? SLOW_TO_MAKE : undefined;
      return task.touched ? ZEROED : undefined;
    default:
      return undefined;
  }
}
