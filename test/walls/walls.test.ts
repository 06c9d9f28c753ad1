import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { scratchFolder } from "../support/scratch.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A file, what is in it, and the walls that it breaks. */
type Case = readonly [title: string, file: string, text: string, broken: readonly string[]];

const CASES: readonly Case[] = [
  [
    "the core cannot import a module of Node",
    "packages/morecore/src/memory/from-node.ts",
    'import "node:fs";',
    ["the core is alone"],
  ],
  [
    "the core cannot import a package, not even a type of it",
    "packages/morecore/src/memory/from-package.ts",
    'export type { Command } from "commander";',
    ["installed: packages/morecore", "the core is alone"],
  ],
  [
    "a generator of the core's sources may",
    "packages/morecore/src/memory/made.gen.mjs",
    'import "node:fs";',
    [],
  ],
  ["the entry for Node may", "packages/morecore/src/file.node.ts", 'import "node:fs";', []],
  [
    "a lower folder of the core cannot import a higher one",
    "packages/morecore/src/memory/upwards.ts",
    'import { heap } from "../heap/heap.ts";\nexport { heap };',
    ["arrows: packages/morecore/src/memory"],
  ],
  [
    "a type counts as any other import",
    "packages/morecore/src/kernel/upwards.ts",
    'import type { Heap } from "../heap/heap.ts";\nexport type { Heap };',
    ["arrows: packages/morecore/src/kernel", "floors: all"],
  ],
  [
    "a floor of the kernel cannot import a higher one",
    "packages/morecore/src/kernel/live.ts",
    'export { top } from "./top.ts";',
    ["floors: live, chunk"],
  ],
  [
    "a floor of the kernel may import its own and a lower one",
    "packages/morecore/src/kernel/bins.ts",
    'export { top } from "./top.ts";\nexport { chunk } from "./chunk.ts";',
    [],
  ],
  [
    "the bench's harness cannot import a suite",
    "bench/harness/upwards.ts",
    'export { suite } from "../suites/suite.ts";',
    ["arrows: bench/harness"],
  ],
  [
    "a folder cannot import the package's face",
    "packages/morecore/src/heap/face.ts",
    'export * from "../index.ts";',
    ["arrows: packages/morecore/src/heap"],
  ],
  [
    "a higher folder of the core may import a lower one",
    "packages/morecore/src/heap/downwards.ts",
    'export { memory } from "../memory/memory.ts";',
    [],
  ],
  [
    "a new folder must be listed",
    "packages/morecore/src/threads/thread.ts",
    'export { memory } from "../memory/memory.ts";',
    ["folders: packages/morecore/src"],
  ],
  [
    "trace cannot import replay",
    "packages/inspect/src/trace/upwards.ts",
    'export { replay } from "../replay/replay.ts";',
    ["arrows: packages/inspect/src/trace"],
  ],
  [
    "replay cannot import record, which stands beside it",
    "packages/inspect/src/replay/beside.ts",
    'export { record } from "../record/record.ts";',
    ["arrows: packages/inspect/src/replay"],
  ],
  [
    "swap cannot import run",
    "packages/wasm/src/swap/upwards.ts",
    'export { run } from "../run/run.ts";',
    ["arrows: packages/wasm/src/swap"],
  ],
  [
    "os stands on the core, and imports it by name",
    "packages/os/src/good.ts",
    'import "morecore";\nimport "morecore/engine";\nimport "node:fs";',
    [],
  ],
  [
    "os cannot import inspect",
    "packages/os/src/inspects.ts",
    'import "@morecore/inspect";',
    ["arrows: packages/os", "named: packages/os"],
  ],
  [
    "os cannot reach into the core",
    "packages/os/src/deep.ts",
    'export { memory } from "../../morecore/src/memory/memory.ts";',
    ["by name"],
  ],
  [
    "a package cannot use one that its package.json does not name",
    "packages/inspect/src/trace/unnamed.ts",
    'await import("commander");',
    ["installed: packages/inspect"],
  ],
  [
    "nor one that is not there at all",
    "packages/inspect/src/trace/missing.ts",
    'import "no-such-package";',
    ["installed: packages/inspect"],
  ],
  [
    "nor one of the family's, also where the arrow is allowed",
    "packages/cli/src/unnamed.ts",
    'import "@morecore/os";',
    ["named: packages/cli"],
  ],
  [
    "a package cannot import a tool",
    "packages/cli/src/tool.ts",
    'import "../../../tools/tool.mjs";',
    ["arrows: packages/cli"],
  ],
  [
    "bench cannot import the command",
    "bench/cli.ts",
    'import "@morecore/cli/main";',
    ["arrows: bench", "named: bench"],
  ],
  [
    "bench cannot reach into a package",
    "bench/deep.ts",
    'import "../packages/wasm/src/run/run.ts";',
    ["by name"],
  ],
  [
    "but for the kernel's machine, which it replaces",
    "bench/suites/steps/machine.ts",
    'export * from "../../../packages/morecore/src/memory/memory.ts";',
    [],
  ],
  [
    "a test may reach into everything",
    "packages/os/test/deep.test.ts",
    'import "../../inspect/src/trace/trace.ts";',
    [],
  ],
  ["a new package must be listed", "packages/site/src/index.ts", 'import "node:fs";', ["listed"]],
  [
    "two files cannot import each other",
    "packages/inspect/src/record/one.ts",
    'import "./other.ts";',
    ["no circle"],
  ],
  [
    "not even for types, and by way of a third",
    "packages/inspect/src/watch/first.ts",
    'import type { Second } from "./second.ts";\nexport type First = Second;',
    ["no circle"],
  ],
];

/** The rest of the circles. Each is told of its first file. */
const CIRCLES: readonly (readonly [file: string, text: string])[] = [
  ["packages/inspect/src/record/other.ts", 'import "./one.ts";'],
  ["packages/inspect/src/watch/second.ts", 'export type { Third as Second } from "./third.ts";'],
  [
    "packages/inspect/src/watch/third.ts",
    'import type { First } from "./first.ts";\nexport type Third = First;',
  ],
];

/** What the cases import, so that it is there. */
const THERE = [
  "packages/morecore/src/index.ts",
  "packages/morecore/src/engine.ts",
  "packages/morecore/src/memory/memory.ts",
  "packages/morecore/src/kernel/top.ts",
  "packages/morecore/src/kernel/chunk.ts",
  "packages/morecore/src/heap/heap.ts",
  "bench/suites/suite.ts",
  "packages/inspect/src/index.ts",
  "packages/inspect/src/trace/trace.ts",
  "packages/inspect/src/record/record.ts",
  "packages/inspect/src/replay/replay.ts",
  "packages/os/src/index.ts",
  "packages/wasm/src/run/run.ts",
  "packages/cli/dist/main.js",
  "tools/tool.mjs",
  "node_modules/commander/index.js",
];

const tree = scratchFolder("walls");
let broken = new Map<string, Set<string>>();

function put(file: string, text: string): void {
  mkdirSync(dirname(join(tree, file)), { recursive: true });
  writeFileSync(join(tree, file), `${text}\n`);
}

beforeAll(() => {
  for (const file of THERE) put(file, "export const it = 1;");
  put("node_modules/commander/package.json", '{ "name": "commander", "main": "index.js" }');
  mkdirSync(join(tree, "node_modules/@morecore"), { recursive: true });
  for (const name of [...readdirSync(join(ROOT, "packages")).map((each) => `packages/${each}`), "bench"]) {
    mkdirSync(join(tree, name), { recursive: true });
    cpSync(join(ROOT, name, "package.json"), join(tree, name, "package.json"));
  }
  for (const name of ["bench", "cli", "inspect", "os", "wasm"])
    symlinkSync(
      join(tree, name === "bench" ? name : `packages/${name}`),
      join(tree, "node_modules/@morecore", name),
    );
  symlinkSync(join(tree, "packages/morecore"), join(tree, "node_modules/morecore"));
  for (const [, file, text] of CASES) put(file, text);
  for (const [file, text] of CIRCLES) put(file, text);
  broken = violations();
}, 60_000);

/** Of each file, the walls that it breaks. */
function violations(): Map<string, Set<string>> {
  const command = join(ROOT, "node_modules/.bin/depcruise");
  const config = join(ROOT, ".dependency-cruiser.mjs");
  const args = ["--config", config, "--output-type", "json", "packages", "bench", "tools"];
  const { stdout, stderr } = spawnSync(command, args, { cwd: tree, encoding: "utf8" });
  expect(stderr).toBe("");
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: { from: string; rule: { name: string } }[] };
  };
  const found = new Map<string, Set<string>>();
  for (const { from, rule } of summary.violations)
    found.set(from, (found.get(from) ?? new Set()).add(rule.name));
  return found;
}

describe("the walls", () => {
  it.each(CASES)("%s", (_, file, __, expected) => {
    expect([...(broken.get(file) ?? [])].sort()).toEqual([...expected].sort());
  });

  it("are broken by nothing else in the tree", () => {
    const expected = CASES.filter(([, , , walls]) => walls.length > 0).map(([, file]) => file);
    expect([...broken.keys()].sort()).toEqual(expected.sort());
  });
});
