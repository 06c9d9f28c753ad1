// Typed: the command `npm run bench:typed`: arenas and the typed layer beside plain objects and typed arrays.
//
// Owns:  the command line, and the section of RESULTS.md that --save writes.
// Needs: dist/ as it is.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { positiveNumber } from "../../harness/numbers.ts";
import { Progress } from "../../harness/progress.ts";
import { machineText } from "../../harness/run.ts";
import { toMarkdown, toTerminal } from "../../harness/tables.ts";
import { RESULTS } from "../../paths.ts";
import { withSection } from "../../report/sections.ts";
import { GROUPS } from "./loops/all.ts";
import { measureTyped, type TypedFigures, type TypedPlan } from "./run.ts";
import { goalText, typedGoals, typedTables } from "./tables.ts";

const MILLION = 1e6;
const SIZES = [1, 5, 20];
/** More would not fit into the 4 GiB of a WebAssembly.Memory, with the chunks that double. */
const MOST_MILLIONS = 100;
const ROUNDS = 5;
const TARGET_MS = 50;
const QUICK = { rounds: 1, sizes: [1], targetMs: 20 } as const;

interface Options {
  readonly rounds: number;
  readonly only: string;
  readonly sizes: number[];
  readonly quick?: true;
  readonly json?: true;
  readonly save?: true;
}

interface TypedResults extends TypedFigures {
  readonly command: string;
  readonly machine: string;
  readonly node: string;
  readonly rounds: number;
  readonly seconds: number;
}

function millions(text: string): number[] {
  const sizes = text.split(",").map(Number);
  if (sizes.every((size) => size > 0 && size <= MOST_MILLIONS)) return sizes;
  throw new InvalidArgumentError(
    `It must be numbers above 0, at most ${MOST_MILLIONS}, with commas between.`,
  );
}

const command = new Command("bench:typed")
  .description(
    "Times, pauses and memory of arenas and typed references, beside plain objects and typed arrays.",
  )
  .option("--rounds <count>", "how often each variant runs", positiveNumber, ROUNDS)
  .option("--sizes <millions>", "how many million nodes the graphs have", millions, SIZES)
  .option("--only <name>", 'only loops with this in their name or title; "graph" for the graphs', "")
  .option("--quick", "one round and one million nodes: shows that it works")
  .option("--json", "print JSON instead of tables")
  .option("--save", "also write the typed section of bench/RESULTS.md")
  .action((options: Options) => {
    const results = measureAll(options);
    if (options.json) console.log(JSON.stringify({ ...results, goals: typedGoals(results) }, null, 1));
    else print(results);
    if (options.save) save(results);
  });

function measureAll(options: Options): TypedResults {
  const started = performance.now();
  const progress = new Progress();
  const { rounds, sizes, targetMs } = options.quick ? QUICK : { ...options, targetMs: TARGET_MS };
  const isWanted = (name: string): boolean => name.toLowerCase().includes(options.only.toLowerCase());
  const plan: TypedPlan = {
    rounds,
    sizes: sizes.map((size) => Math.round(size * MILLION)),
    targetMs,
    isWanted,
    onStep: (what) => progress.done(what),
  };
  const loops = GROUPS.flatMap(({ title, loops }) => loops.map(({ name }) => `${title} ${name}`));
  const steps = (isWanted("graph") ? sizes.length : 0) + loops.filter(isWanted).length;
  progress.start(steps * rounds);
  const figures = measureTyped(plan);
  progress.stop();
  const nothing = steps === 0 ? [`Nothing has "${options.only}" in its name.`] : [];
  return {
    command: ["npm run bench:typed --", ...process.argv.slice(2)].join(" ").replace(/ --$/, ""),
    machine: machineText(),
    node: process.versions.node,
    rounds,
    seconds: Math.round((performance.now() - started) / 1000),
    ...figures,
    remarks: [...figures.remarks, ...nothing],
  };
}

function print(results: TypedResults): void {
  console.log(aboutRun(results).join("\n"));
  for (const table of typedTables(results)) console.log(toTerminal(table));
  for (const line of notesOf(results)) console.log(line);
}

function aboutRun({ command, machine, node, rounds, seconds }: TypedResults): string[] {
  return [
    `command:    ${command}`,
    `machine:    ${machine}`,
    `node:       ${node}`,
    `rounds:     ${rounds}, in ${seconds} s`,
  ];
}

function notesOf(results: TypedResults): string[] {
  return [...typedGoals(results).map(goalText), ...results.remarks].map((line) => `- ${line}`);
}

function save(results: TypedResults): void {
  const before = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : "# Results\n";
  const contents = [
    "# Arenas and the typed layer",
    "",
    ...aboutRun(results).map((line) => `    ${line}`),
    "",
    ...typedTables(results).map(toMarkdown),
    ...notesOf(results),
  ].join("\n");
  writeFileSync(RESULTS, withSection(before, "typed", contents));
  console.error(`written: the section "typed" of ${RESULTS}`);
}

await command.parseAsync();
