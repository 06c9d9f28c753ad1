// Suite: which test files are run in every engine, and which not, and why.
//
// Owns:  the folders, and what is left out of them. A new test file of these folders comes in by itself.
// Needs: nothing but the folders.
//
// The kernel's own tests and those of misuse are of sums and comparisons, which all engines do alike: Vitest runs them.
//
// A test that asks for something that only some engines have says so itself, by a check of what is there
// (test/support/capabilities.ts). Here stand the files that no check can help: what they import is not to be had.

import { readdirSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../../bench/harness/paths.ts";

const FOLDERS: readonly string[] = [
  ...["arena", "containers", "heap", "memory", "offset", "slotmap", "typed"].map(
    (name) => `packages/morecore/test/${name}`,
  ),
  ...["conformance", "regress", "workers"].map((name) => `test/${name}`),
];

const OWN = "packages/morecore/test";
const BINARYEN = "it makes its modules by binaryen, which is larger than all else here, and needs to compile";
const PROCESS = "it starts programs and reads files";
const REALM = "it makes another realm by node:vm";
const MODEL = "it tries thousands of random states for many seconds, of what no engine does otherwise";

/** With the reasons. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  [`${OWN}/containers/hash-map-torn.test.ts`]: MODEL,
  [`${OWN}/containers/list-windows.test.ts`]: "it starts a thread of Node's from a file",
  [`${OWN}/containers/torn-lists.test.ts`]: MODEL,
  [`${OWN}/heap/alone.test.ts`]: BINARYEN,
  [`${OWN}/heap/entries.test.ts`]: "it reads a source, and tries each entry, one of which needs to compile",
  [`${OWN}/heap/exports.test.ts`]: BINARYEN,
  [`${OWN}/heap/forbidden.test.ts`]: "it plays hosts that forbid to compile; here are real ones",
  [`${OWN}/memory/printed.test.ts`]: "it asks Node's own inspect",
  [`${OWN}/memory/slots.test.ts`]: REALM,
  [`${OWN}/memory/wasm.test.ts`]: "it plays engines that have no memory; here are real ones",
  [`${OWN}/offset/model.test.ts`]: MODEL,
  [`${OWN}/slotmap/slot-map-model.test.ts`]: MODEL,
  [`${OWN}/slotmap/slot-map-torn.test.ts`]: MODEL,
  [`${OWN}/typed/layout-clang.test.ts`]: "it starts a compiler of C",
  [`${OWN}/typed/lifetimes.test.ts`]: "it starts a compiler of TypeScript",
  [`${OWN}/typed/messages.test.ts`]: "it starts a compiler of TypeScript",
  [`${OWN}/typed/policy.test.ts`]: PROCESS,
  [`${OWN}/typed/ref-inspect.test.ts`]: "it asks Node's own inspect",
  [`${OWN}/typed/scalar-access.test.ts`]: PROCESS,
  "test/conformance/disposal.test.ts": PROCESS,
  "test/conformance/high-addresses.test.ts": "it makes memories of 2 GiB and more, which take seconds each",
  "test/conformance/realms.test.ts": REALM,
  "test/conformance/inside-modules.test.ts": "it starts a compiler of AssemblyScript",
  "test/regress/stale-shared-buffer.test.ts": "it starts a thread of Node's",
};

/** What the bundle has in the place of a file. */
export const STAND_INS: Readonly<Record<string, string>> = {
  // Heaps in the system's memory have their own tests, in packages/os.
  "test/support/os.ts": "test/runtimes/stand-ins/os.ts",
  // One seed for all engines: what fails in one is tried in the others, too.
  "test/support/seed.ts": "test/runtimes/stand-ins/seed.ts",
};

/** The test files, from the root of the repository. */
export function suiteFiles(): string[] {
  const all = FOLDERS.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder))
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `${folder}/${name}`),
  );
  return all.filter((file) => !(file in LEFT_OUT));
}
