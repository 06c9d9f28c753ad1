// Example: one of examples/, run by the command of its README, and what the README says that it prints.
//
// Node 22.18 and later run TypeScript as it is. Where the tests' own Node does not, the example runs as `npm run examples`
// compiles it; and as it is by the newer Node of `npm run engines`, if that has been fetched.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll } from "vitest";
import { engineCommand } from "../../bench/programs/engines.ts";
import { ROOT } from "../support/c-program.ts";

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code; null if a signal has ended it. */
  readonly status: number | null;
}

export interface Example {
  /** What its README says that it prints. */
  readonly wanted: Printed;
  /** What it prints, by each way that there is here. */
  readonly printed: readonly Printed[];
}

/** Where this test file's are: others compile at the same time, and would write what is being run. */
let folderOfCompiled = "";
afterAll(() => {
  if (folderOfCompiled !== "") rmSync(folderOfCompiled, { recursive: true });
});

/** The folder of the compiled examples. */
function compiled(): string {
  if (folderOfCompiled !== "") return folderOfCompiled;
  // Within the package, so that "morecore" is this one, as it was built.
  mkdirSync(join(ROOT, "build"), { recursive: true });
  folderOfCompiled = mkdtempSync(join(ROOT, "build/examples-"));
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const options = ["-p", join(ROOT, "examples/tsconfig.json"), "--outDir", folderOfCompiled];
  execFileSync(process.execPath, [compiler, ...options]);
  return folderOfCompiled;
}

/** Whether this Node runs TypeScript. Its declarations do not know of the feature yet. */
const runsTypeScript = "typescript" in process.features && process.features.typescript !== false;

/** The commands by which a README's `node FILE` is run here. */
function commandsFor(name: string, file: string): string[][] {
  if (!file.endsWith(".ts") || runsTypeScript) return [[process.execPath, file]];
  const script = join(compiled(), name, file.replace(/ts$/, "js"));
  const newer = engineCommand("node26");
  return [[process.execPath, script], ...(newer === undefined ? [] : [[...newer, file]])];
}

export function runExample(
  name: string,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Example {
  const folder = join(ROOT, "examples", name);
  const readme = readFileSync(join(folder, "README.md"), "utf8");
  const [, file = ""] = /^```sh\nnode (\S+)\n```/m.exec(readme) ?? [];
  const [, stdout = ""] = /^prints\n\n```\n(.*?)```/ms.exec(readme) ?? [];
  const printed = commandsFor(name, file).map(([command = "", ...before]) => {
    const ended = spawnSync(command, [...before, ...args], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    return { stdout: ended.stdout, stderr: ended.stderr, status: ended.status };
  });
  return { wanted: { stdout, stderr: "", status: 0 }, printed };
}
