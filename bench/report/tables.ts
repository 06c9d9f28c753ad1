// Tables: a whole run as text, the goals first.
//
// Owns:  the order, and the table of the goals.
// Needs: results.

import { peerTables, type TextTable } from "../harness/tables.ts";
import { anomalyTables } from "../suites/patterns/anomalies.ts";
import { programTables } from "../suites/programs/tables.ts";
import { goalFigures } from "./goals.ts";
import type { Results } from "./results.ts";

export function allTables(results: Results): TextTable[] {
  const goals = goalTable(results);
  return [
    ...(goals.rows.length > 0 ? [goals] : []),
    ...peerTables(results),
    ...programTables(results.wasm),
    ...(results.anomalies === undefined ? [] : anomalyTables(results.anomalies)),
  ];
}

function goalTable(results: Results): TextTable {
  const rows = goalFigures(results).map(({ goal, figure, measured, aim, digits = 3 }) => [
    goal,
    figure,
    measured.toFixed(digits),
    aim === undefined ? "" : `≤ ${aim}`,
    aim === undefined ? "" : measured <= aim ? "met" : "missed",
  ]);
  return { title: "Goals", head: ["", "figure of morecore", "measured", "goal", ""], rows };
}
