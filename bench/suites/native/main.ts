// Native: the command `npm run bench:native`: real programs and the traces, with libmorecore.so and with others.
//
// Owns:  the command line, and the order of things.
// Needs: gcc; `npm run build:native` before.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { positiveNumber } from "../../harness/numbers.ts";
import { toTerminal } from "../../harness/tables.ts";
import { findTraces } from "../../inputs.ts";
import { ROOT } from "../../paths.ts";
import { measureLocality, missingValgrind } from "./locality.ts";
import { measureProgram, measureTrace, type NativePlan, prepare } from "./measure.ts";
import { findPeers } from "./peers.ts";
import { nativePrograms } from "./programs.ts";
import { saveNative } from "./report.ts";
import { type NativeResults, nativeGoals, nativeTables } from "./tables.ts";

interface Options {
  readonly rounds: number;
  readonly only: string;
  readonly traces?: string;
  readonly json?: true;
  readonly save?: true;
}

const PARTS = ["programs", "traces", "locality"] as const;

const command = new Command("bench:native")
  .description("Times and peak resident memory of native programs and traces, morecore beside its peers.")
  .argument("[part]", "programs, traces or locality; all by default")
  .option("--rounds <count>", "how often each runs with each allocator", positiveNumber, 5)
  .option("--only <name>", "only programs and traces with this in their name", "")
  .option("--traces <folder>", "play the traces in this folder instead of the usual ones")
  .option("--json", "print JSON instead of tables")
  .option("--save", "also write the native sections of bench/RESULTS.md, one for each part")
  .action((part: string | undefined, options: Options) => {
    if (part !== undefined && !PARTS.some((known) => known === part))
      throw new InvalidArgumentError(`There is no part ${part}: ${PARTS.join(", ")}.`);
    const results = measureAll(part, options);
    if (options.json) console.log(JSON.stringify({ ...results, goals: nativeGoals(results) }, null, 1));
    else print(results);
    if (options.save) saveNative(results);
  });

function measureAll(part: string | undefined, options: Options): NativeResults {
  const started = performance.now();
  const folder = mkdtempSync(path.join(tmpdir(), "morecore-bench-"));
  try {
    const { peers, remarks } = findPeers();
    const onStep = (what: string): void => void process.stderr.write(`${what}\n`);
    const plan: NativePlan = { peers, rounds: options.rounds, folder, onStep };
    const said = [...remarks];
    const isWanted = ({ name }: { readonly name: string }): boolean => name.includes(options.only);
    const measured = <T extends { readonly name: string }, R extends { readonly remarks: readonly string[] }>(
      things: readonly T[],
      measure: (thing: T, plan: NativePlan) => R | string,
    ): R[] =>
      things.filter(isWanted).flatMap((thing) => {
        const result = measure(thing, plan);
        onStep(thing.name);
        said.push(...(typeof result === "string" ? [result] : result.remarks));
        return typeof result === "string" ? [] : [result];
      });
    prepare(folder);
    const asked = (name: (typeof PARTS)[number]): boolean => part === undefined || part === name;
    const programs = !asked("programs") ? [] : measured(nativePrograms(folder), measureProgram);
    const found = findTraces(ROOT, options.traces);
    const traces = !asked("traces") ? [] : measured(found.traces, measureTrace);
    const missing = asked("locality") ? missingValgrind() : "";
    if (missing) said.push(missing);
    const locality =
      missing === undefined ? measured(found.traces, (trace) => measureLocality(trace, peers, folder)) : [];
    if (part !== "programs") said.push(...found.remarks);
    // Where the traces lay is nobody's business.
    const given = process.argv.slice(2).map((argument) => path.basename(argument));
    const command = ["npm run bench:native --", ...given].join(" ").replace(/ --$/, "");
    const seconds = Math.round((performance.now() - started) / 1000);
    return { peers, rounds: options.rounds, programs, traces, locality, remarks: said, command, seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(results: NativeResults): void {
  for (const table of nativeTables(results)) console.log(toTerminal(table));
  for (const { figure, measured, aim } of nativeGoals(results))
    console.log(`${figure}: ${measured.toFixed(3)} (goal: ≤ ${aim})`);
  for (const remark of results.remarks) console.log(`- ${remark}`);
}

await command.parseAsync();
