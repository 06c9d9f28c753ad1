// A newcomer's first minute: the time from `npm install` in an empty folder to the first line that runs, of the packages as they
// would be published, and all that is printed on the way.
//
//   npm run first-line             npm has other people's packages in its cache
//   npm run first-line -- --cold   its cache is empty: the network is measured, too
//
// Needs: `npm run build`. The native library is left out: npm takes it for Linux on x64 only.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FOLDERS, LIBRARY_FOLDER, readManifest } from "./release/packages.ts";
import { packAll, type Tarball } from "./release/stage.ts";
import { ROOT } from "./root.ts";

const ROUNDS = 3;
const FIRST_LINES = `import { Heap } from "morecore";
const heap = Heap.create();
if (heap.malloc(100) % 16 !== 0) throw new Error("malloc has lost its alignment");
`;
const TRACE = join(ROOT, "traces/perl-20k.mct.gz");

interface Newcomer {
  readonly installs: readonly string[];
  readonly runs: readonly [command: string, ...args: string[]];
}

const NEWCOMERS: readonly Newcomer[] = [
  { installs: ["morecore"], runs: ["node", "first.mjs"] },
  { installs: ["morecore", "@morecore/cli"], runs: ["npx", "morecore", "replay", TRACE] },
];

const isCold = process.argv.includes("--cold");
const scratch = mkdtempSync(join(tmpdir(), "morecore-first-line-"));
try {
  const tarballs = packAll({
    root: ROOT,
    folders: FOLDERS.filter((folder) => folder !== LIBRARY_FOLDER),
    to: scratch,
    version: readManifest(ROOT, "").version,
    address: undefined,
  });
  for (const newcomer of NEWCOMERS) measure(newcomer, tarballs);
} finally {
  rmSync(scratch, { recursive: true });
}

function measure({ installs, runs }: Newcomer, tarballs: readonly Tarball[]): void {
  const paths = needed(installs, tarballs).map(({ path }) => path);
  // What the first round brings into the cache is not measured.
  if (!isCold) round(paths, runs);
  const rounds = Array.from({ length: ROUNDS }, () => round(paths, runs));
  const middle = rounds.sort((a, b) => a.install + a.run - b.install - b.run)[Math.floor(ROUNDS / 2)];
  if (middle === undefined) throw new Error("no round was measured");
  const { install, run, printed } = middle;
  console.log(
    `npm install ${installs.join(" ")}: ${seconds(install)}, then ${runs.slice(0, 3).join(" ")}: ${seconds(run)}; ` +
      `the median of ${ROUNDS}, ${isCold ? "cold" : "warm"}`,
  );
  for (const line of printed.trim().split("\n")) console.log(`    ${line}`);
}

/** The tarballs of packages, and of ours that they need: none is in the registry. */
function needed(names: readonly string[], tarballs: readonly Tarball[]): Tarball[] {
  const found = new Set(names);
  for (const name of found) {
    const { dependencies = {} } = tarballs.find(({ manifest }) => manifest.name === name)?.manifest ?? {};
    for (const other of Object.keys(dependencies)) found.add(other);
  }
  return tarballs.filter(({ manifest }) => found.has(manifest.name));
}

function round(
  tarballs: readonly string[],
  [command, ...args]: Newcomer["runs"],
): { install: number; run: number; printed: string } {
  const cwd = mkdtempSync(join(scratch, "newcomer-"));
  const cache = isCold ? ["--cache", join(cwd, "cache")] : [];
  const begin = performance.now();
  // The settings of whoever measures are not a newcomer's.
  const settings = ["--userconfig", join(scratch, "no-settings"), "--no-update-notifier"];
  const npm = spawnSync("npm", ["install", ...settings, ...cache, ...tarballs], { cwd, encoding: "utf8" });
  const installed = performance.now();
  if (npm.status !== 0) throw new Error(`npm install: ${npm.stderr}`);
  writeFileSync(join(cwd, "first.mjs"), FIRST_LINES);
  execFileSync(command, args, { cwd, stdio: "ignore" });
  const end = performance.now();
  rmSync(cwd, { recursive: true });
  return { install: installed - begin, run: end - installed, printed: npm.stdout + npm.stderr };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
