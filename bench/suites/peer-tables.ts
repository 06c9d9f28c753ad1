// Peer tables: all that is measured of the peers that JavaScript calls.
//
// Owns:  the order.
// Needs: the suites of patterns and of traces.

import type { PeerResults } from "../harness/results.ts";
import type { TextTable } from "../harness/tables.ts";
import { patternTables } from "./patterns/tables.ts";
import { traceTables } from "./traces/tables.ts";

/**
 * The figures as tables, each peer beside the others.
 *
 * @example
 *
 * ```ts
 * console.log(peerTables({ versions: {}, patterns: [], traces: [], scale: [] }).length); // 0
 * ```
 */
export function peerTables(results: PeerResults): TextTable[] {
  return [...patternTables(results), ...traceTables(results)];
}
