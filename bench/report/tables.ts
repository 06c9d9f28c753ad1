// Tables: a whole run as text.
//
// Owns:  the order.
// Needs: results.

import type { TextTable } from "../harness/tables.ts";
import { anomalyTables } from "../suites/adversary/anomalies.ts";
import { peerTables } from "../suites/peer-tables.ts";
import { programTables } from "../suites/programs/tables.ts";
import type { Results } from "../suites/results.ts";
import { withinTables } from "../suites/within/tables.ts";

export function runTables(results: Results): TextTable[] {
  return [
    ...peerTables(results),
    ...programTables(results.wasm),
    ...withinTables({ traces: [], ...results.wasm }),
    ...(results.anomalies === undefined ? [] : anomalyTables(results.anomalies)),
  ];
}
