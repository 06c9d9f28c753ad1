// Tables: the micro patterns and live sets of growing size, called from JavaScript.
//
// Owns:  their columns.
// Needs: results.

import { peersOf, timeCells } from "../../harness/peer-cells.ts";
import type { PeerResults } from "../../harness/results.ts";
import type { TextTable } from "../../harness/tables.ts";

export function patternTables(results: PeerResults): TextTable[] {
  return [
    ...(results.patterns.length > 0 ? [patternTable(results)] : []),
    ...(results.scale.length > 0 ? [scaleTable(results)] : []),
  ];
}

function patternTable(results: PeerResults): TextTable {
  const names = peersOf(results);
  const rows = results.patterns.map(({ pattern, nsPerPair }) => [pattern, ...timeCells(names, nsPerPair)]);
  return {
    title: "Patterns: net ns for a malloc and a free, median ±spread (minimum) morecore/peer",
    head: ["pattern", ...names],
    rows,
  };
}

function scaleTable(results: PeerResults): TextTable {
  const names = peersOf(results);
  const rows = results.scale.map(({ live, nsPerPair }) => [String(live), ...timeCells(names, nsPerPair)]);
  return {
    title:
      "Scale: net ns to replace one of so many live blocks, 16 to 144 bytes, median ±spread (minimum) morecore/peer",
    head: ["live", ...names],
    rows,
  };
}
