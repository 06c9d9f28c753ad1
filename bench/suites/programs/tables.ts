// Tables: programs in WebAssembly as text.
//
// Owns:  columns, formats.
// Note:  a cell of time reads "median ±spread (minimum) ratio", the ratio being its median over dlmalloc's: below 1 is faster.

import type { Sample } from "../../harness/stats.ts";
import { sampleText, type TextTable } from "../../harness/tables.ts";
import { linkingsIn } from "./jobs.ts";
import type { ProgramResults } from "./measure.ts";
import type { PerLinking } from "./protocol.ts";

export function programTables({ programs }: Pick<ProgramResults, "programs">): TextTable[] {
  return programs.length > 0 ? [programTable(programs)] : [];
}

function programTable(programs: ProgramResults["programs"]): TextTable {
  const names = programs[0] === undefined ? [] : linkingsIn(programs[0].ms).map(([name]) => name);
  const rows = programs.map(({ program, ms, heapBytes }) => [
    program,
    ...timeCells(ms, 0),
    ...spaceCells(heapBytes),
  ]);
  return {
    title:
      "Programs in wasm: time and peak memory; ms, median ±spread (minimum) over dlmalloc's, and MB over dlmalloc's",
    head: ["program", ...names, ...names.map((name) => `${name}, MB`)],
    rows,
  };
}

function timeCells(times: PerLinking<Sample>, digits: number): string[] {
  return linkingsIn(times).map(([name, sample]) => {
    const own = sampleText(sample, digits);
    return name === "dlmalloc" ? own : `${own} ${(sample.median / times.dlmalloc.median).toFixed(3)}`;
  });
}

function spaceCells(bytes: PerLinking<number>): string[] {
  return linkingsIn(bytes).map(([name, count]) => {
    const own = (count / 1e6).toFixed(2);
    return name === "dlmalloc" ? own : `${own} ${(count / bytes.dlmalloc).toFixed(3)}`;
  });
}
