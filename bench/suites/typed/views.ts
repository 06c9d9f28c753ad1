// Views: what access to memory costs when views last, beside views until growth.
//
// Owns:  rounds, the table.
// Needs: dist/ as it is; an engine that can: this one, or the Node that `npm run engines` fetches.
//
// Each kind of memory has a process of its own, since V8 compiles loops for the kinds of arrays that it has seen. Processes
// take turns, and the least of all rounds counts.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { machineText } from "../../harness/run.ts";
import type { TextTable } from "../../harness/tables.ts";
import { engineCommand } from "../../programs/engines.ts";
import { VIEW_KINDS, type ViewKind } from "./views-kinds.ts";

const ROUNDS = 5;
const WORKER = fileURLToPath(import.meta.url).replace(/views(\.[jt]s)$/, "views-worker$1");
const NO_ENGINE = "this engine has no resizable WebAssembly.Memory: run `npm run engines -- node26` first";

export interface ViewResults {
  readonly command: string;
  readonly machine: string;
  /** Of the engine that ran the loops. */
  readonly node: string;
  readonly rounds: number;
  /** Nanoseconds by kind of memory, then by loop. */
  readonly ns: Readonly<Partial<Record<ViewKind, Readonly<Record<string, number>>>>>;
}

/** Or, as a string, why there are none. `command` is what was typed. */
export async function measureViews(command: string): Promise<ViewResults | string> {
  const engine =
    "toResizableBuffer" in WebAssembly.Memory.prototype ? [process.execPath] : engineCommand("node26");
  if (engine === undefined) return NO_ENGINE;
  const [file = "", ...args] = engine;
  const ns: Partial<Record<ViewKind, Record<string, number>>> = {};
  for (let round = 0; round < ROUNDS; round++)
    for (const kind of VIEW_KINDS) {
      const { stdout, stderr } = spawnSync(file, [...args, WORKER, kind], { encoding: "utf8" });
      if (stderr !== "") return stderr;
      // A border: the worker prints nothing else.
      const found = JSON.parse(stdout) as Record<string, number>;
      const before = ns[kind] ?? found;
      ns[kind] = Object.fromEntries(
        Object.entries(found).map(([name, time]) => [name, Math.min(time, before[name] ?? time)]),
      );
    }
  const { stdout: version } = spawnSync(file, [...args, "--version"], { encoding: "utf8" });
  return { command, machine: machineText(), node: version.trim().replace(/^v/, ""), rounds: ROUNDS, ns };
}

export function viewTable({ node, rounds, ns }: ViewResults): TextTable {
  const plain = ns["until-growth"] ?? {};
  const rows = Object.entries(plain).map(([name, time]) => [
    name,
    ...VIEW_KINDS.map((kind) => {
      const own = ns[kind]?.[name] ?? Number.NaN;
      const text = `${own.toFixed(2)} ns`;
      return kind === "until-growth" ? text : `${text}, ${(own / time).toFixed(1)}×`;
    }),
  ]);
  return {
    title: `Views: one access in Node ${node}, the least of ${rounds} rounds, and over views until growth`,
    head: ["", ...VIEW_KINDS],
    rows,
  };
}
