// Example: one of examples/, run by the command of its README, and what the README says that it prints.
//
// Node 22.18 and later run TypeScript as it is. Where the tests' own Node does not, the example runs as `npm run examples`
// compiles it; and as it is by the newer Node of `npm run engines`, if that has been fetched.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { engineCommand } from "../../bench/programs/engines.ts";
import { ROOT } from "../support/c-program.ts";

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

export interface Example {
  /** What its README says that it prints. */
  readonly wanted: Printed;
  /** What it prints, by each way that there is here. */
  readonly printed: readonly Printed[];
}

let isCompiled = false;

function compile(): void {
  if (isCompiled) return;
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [compiler, "-p", join(ROOT, "examples/tsconfig.json")]);
  isCompiled = true;
}

/** Whether this Node runs TypeScript. Its declarations do not know of the feature yet. */
const runsTypeScript = "typescript" in process.features && process.features.typescript !== false;

/** The commands by which a README's `node FILE` is run here. */
function commandsFor(name: string, file: string): string[][] {
  if (!file.endsWith(".ts") || runsTypeScript) return [[process.execPath, file]];
  compile();
  const compiled = join(ROOT, "build/examples", name, file.replace(/ts$/, "js"));
  const newer = engineCommand("node26");
  return [[process.execPath, compiled], ...(newer === undefined ? [] : [[...newer, file]])];
}

export function runExample(name: string, env: Readonly<Record<string, string>> = {}): Example {
  const folder = join(ROOT, "examples", name);
  const readme = readFileSync(join(folder, "README.md"), "utf8");
  const [, file = ""] = /^```sh\nnode (\S+)\n```/m.exec(readme) ?? [];
  const [, stdout = ""] = /^prints\n\n```\n(.*?)```/ms.exec(readme) ?? [];
  const printed = commandsFor(name, file).map(([command = "", ...args]) => {
    const ended = spawnSync(command, args, {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    return { stdout: ended.stdout, stderr: ended.stderr };
  });
  return { wanted: { stdout, stderr: "" }, printed };
}
