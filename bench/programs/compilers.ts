// Compilers: the versions of TypeScript that our declarations are tested with, from npm's registry, into build/compilers.
//
//   npm run compilers            all of them, some 170 MB; what is there already is not fetched again
//
// They are no dependencies: only tests start them. The first is the minimum that README.md states. Before it, TypeScript cannot
// infer a struct that refers to itself.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../harness/paths.ts";

const FOLDER = join(ROOT, "build/compilers");

/** The last of each version, as it is called and as npm has it. */
const VERSIONS: Readonly<Record<string, string>> = {
  "5.5": "5.5.4",
  "5.6": "5.6.3",
  "5.7": "5.7.3",
  "5.8": "5.8.3",
  "5.9": "5.9.3",
  "6.0": "6.0.3",
  "7.0": "7.0.2",
};

export const COMPILERS: readonly string[] = Object.keys(VERSIONS);

function folderOf(version: string): string {
  return join(FOLDER, "node_modules", `typescript-${version}`);
}

/** The script that compiles, for node; undefined: this version has not been fetched. */
export function compilerScript(version: string): string | undefined {
  const scripts = ["lib/tsc.js", "bin/tsc"].map((file) => join(folderOf(version), file));
  return scripts.find((file) => existsSync(file));
}

/** The module with the compiler's interface, of versions before 7; undefined: it has not been fetched. */
export function compilerModule(version: string): string | undefined {
  const file = join(folderOf(version), "lib/typescript.js");
  return existsSync(file) ? file : undefined;
}

/** Answers with npm's exit code. */
function fetchCompilers(): number {
  if (COMPILERS.every((version) => compilerScript(version) !== undefined)) return 0;
  const packages = Object.entries(VERSIONS).map(
    ([version, exact]) => `typescript-${version}@npm:typescript@${exact}`,
  );
  const flags = ["--prefix", FOLDER, "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit"];
  return spawnSync("npm", ["install", ...flags, ...packages], { stdio: "inherit" }).status ?? 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = fetchCompilers();
