// Programs: fetches real programs in C, compiles them to WebAssembly and links each with and without morecore.
//
//   npm run programs              all of them; what has been done already is not done again
//   npm run programs -- lua       those with "lua" in their names, and those that are there already
//   npm run programs -- --install installs first what is needed of Debian's packages, for the tests in C++ too
//
// Owns:  the command line, and what is said. Exit codes: 0 all is there; 1 some program is not, and why has been said.
// Needs: the network for what has not been fetched; clang, lld and wasi-libc.

import { availableParallelism } from "node:os";
import { installPackages } from "./apt.ts";
import { type MadeProgram, writeMade } from "./cache.ts";
import { APT_PACKAGES, CXX_PACKAGES, NATIVE_PACKAGES, PROGRAMS, type Program } from "./catalog.ts";
import { clangVersion } from "./compile.ts";
import { fetched, fetchSources } from "./fetch.ts";
import { stubObjects } from "./link.ts";
import { makeInThread } from "./make.ts";
import { makeMimalloc } from "./mimalloc.ts";
import { fetchDlmalloc } from "./threads.ts";

async function main(args: readonly string[]): Promise<void> {
  const only = args.find((argument) => !argument.startsWith("-")) ?? "";
  if (args.includes("--install")) installPackages([...APT_PACKAGES, ...CXX_PACKAGES, ...NATIVE_PACKAGES]);
  clangVersion();
  stubObjects();
  const mimalloc = attempt("mimalloc", makeMimalloc);
  attempt("dlmalloc", fetchDlmalloc);
  const wanted = PROGRAMS.filter(({ name, origin }) => name.includes(only) || fetched(origin) !== undefined);
  const programs = await makePrograms(wanted);
  writeMade({ programs, ...(mimalloc === undefined ? {} : { mimalloc }) });
}

/** As many at a time as there are cores. Those that could not be made are left out, and why has been said. */
async function makePrograms(wanted: readonly Program[]): Promise<MadeProgram[]> {
  const made = new Map<Program, MadeProgram>();
  // From the end: the last of the catalog, SQLite, takes longest.
  const waiting = [...wanted];
  const work = async (): Promise<void> => {
    for (let program = waiting.pop(); program !== undefined; program = waiting.pop()) {
      const one = await makeProgram(program);
      if (one !== undefined) made.set(program, one);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return wanted.flatMap((program) => made.get(program) ?? []);
}

async function makeProgram(program: Program): Promise<MadeProgram | undefined> {
  const { name } = program;
  try {
    const { made, seconds } = await makeInThread({ program, folder: fetchSources(program.origin) });
    console.log(`${name}: there, after ${seconds.toFixed(1)} s`);
    return made;
  } catch (error) {
    complain(`${name}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

/** What could be made; undefined, and why has been said, if it could not. */
function attempt<T>(name: string, make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    complain(`${name}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

function complain(message: string): void {
  console.error(message);
  process.exitCode = 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  complain(error instanceof Error ? error.message : String(error));
  console.error(`What is needed: apt-get install --no-install-recommends ${APT_PACKAGES.join(" ")}`);
}
