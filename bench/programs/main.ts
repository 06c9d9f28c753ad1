// Programs: fetches real programs in C, compiles them to WebAssembly and links each with and without morecore.
//
//   npm run programs              all of them; what has been done already is not done again
//   npm run programs -- lua       those with "lua" in their names, and those that are there already
//   npm run programs -- --install installs first what is needed of Debian's packages, for the tests in C++ too
//
// Owns:  the command line, and what is said. Exit codes: 0 all is there; 1 some program is not, and why has been said.
// Needs: the network for what has not been fetched; clang, lld and wasi-libc.

import { installPackages } from "./apt.ts";
import { type MadePatterns, type MadeProgram, writeMade } from "./cache.ts";
import { APT_PACKAGES, CXX_PACKAGES, NATIVE_PACKAGES, PROGRAMS, type Program } from "./catalog.ts";
import { clangVersion, compileFiles } from "./compile.ts";
import { fetched, fetchSources } from "./fetch.ts";
import { linkFile, linkWays, merge, optimize } from "./link.ts";
import { makeMimalloc } from "./mimalloc.ts";
import { PATTERN_FLAGS, patternParts, programParts } from "./parts.ts";
import { OWN } from "./places.ts";

async function main(args: readonly string[]): Promise<void> {
  const only = args.find((argument) => !argument.startsWith("-")) ?? "";
  if (args.includes("--install")) installPackages([...APT_PACKAGES, ...CXX_PACKAGES, ...NATIVE_PACKAGES]);
  clangVersion();
  const patterns = makePatterns();
  await merge("patterns", patterns);
  const mimalloc = attempt("mimalloc", makeMimalloc);
  const programs: MadeProgram[] = [];
  for (const program of PROGRAMS) {
    if (!program.name.includes(only) && fetched(program.origin) === undefined) continue;
    try {
      programs.push(await makeProgram(program));
    } catch (error) {
      complain(`${program.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  writeMade({ programs, patterns, ...(mimalloc === undefined ? {} : { mimalloc }) });
}

async function makeProgram(program: Program): Promise<MadeProgram> {
  const start = performance.now();
  const linked = linkWays(programParts(program, fetchSources(program.origin)));
  await merge(program.name, linked);
  console.log(`${program.name}: there, after ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return { name: program.name, workload: program.workload, ...linked };
}

function makePatterns(): MadePatterns {
  const toLink = patternParts();
  const nothing = compileFiles("no-malloc", [`${OWN}/c/no-malloc.c`], PATTERN_FLAGS);
  return { ...linkWays(toLink), nothing: linkFile(toLink, "nothing", nothing, optimize) };
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
