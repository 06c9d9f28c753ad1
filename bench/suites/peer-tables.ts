// Peer tables: all that is measured of the peers that JavaScript calls.
//
// Owns:  the order.
// Needs: the suites of patterns and of traces.

import type { PeerResults } from "../harness/results.ts";
import type { TextTable } from "../harness/tables.ts";
import { patternTables } from "./patterns/tables.ts";
import { traceTables } from "./traces/tables.ts";

export function peerTables(results: PeerResults): TextTable[] {
  return [...patternTables(results), ...traceTables(results)];
}
