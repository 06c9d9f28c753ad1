// Lifetimes: what the compiler refuses, what it lets through, and that the run-time check catches what it cannot refuse.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../../../test/support/c-program.ts";
import { Heap, UseAfterFreeError } from "../../src/index.ts";
import * as examples from "./lifetimes/must-compile.ts";

const FOLDER = join(ROOT, "packages/morecore/test/typed/lifetimes");
const COMPILER = join(ROOT, "node_modules/typescript/bin/tsc");

interface Diagnostic {
  readonly file: string;
  readonly line: number;
  readonly code: string;
  /** All of what is said, the indented lines too. */
  message: string;
}

/** What the compiler says of both files. */
function diagnose(): Diagnostic[] {
  const args = [COMPILER, "-p", join(FOLDER, "tsconfig.json"), "--pretty", "false"];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  expect(stderr).toBe("");
  const all: Diagnostic[] = [];
  for (const text of stdout.split("\n")) {
    const [, file, line, code, message] = /^(.*)\((\d+),\d+\): error (TS\d+): (.*)$/.exec(text) ?? [];
    if (file !== undefined) all.push({ file, line: Number(line), code: code ?? "", message: message ?? "" });
    else if (text !== "") {
      const last = all.at(-1);
      if (last === undefined) throw new Error(`not a diagnostic: ${text}`);
      last.message += `\n${text}`;
    }
  }
  return all;
}

/** The errors that the comments of a file announce, each for the next line. */
function announced(name: string): { line: number; code: string; part: string }[] {
  const lines = readFileSync(join(FOLDER, name), "utf8").split("\n");
  return lines.flatMap((text, index) => {
    const [, code, part] = /^\s*\/\/ error (TS\d+): (.+)$/.exec(text) ?? [];
    return code === undefined || part === undefined ? [] : [{ line: index + 2, code, part }];
  });
}

describe("the compiler", () => {
  const wanted = announced("must-not-compile.ts");
  let said: Diagnostic[] = [];
  beforeAll(() => {
    said = diagnose();
  }, 120_000);

  it("refuses each example that must not compile, with its error, and no other line", () => {
    const found = said.filter(({ file }) => file.endsWith("must-not-compile.ts"));
    expect(found.map(({ line, code }) => ({ line, code }))).toEqual(
      wanted.map(({ line, code }) => ({ line, code })),
    );
    expect(wanted.length).toBeGreaterThan(30);
    for (const [index, { line, part }] of wanted.entries())
      expect(found[index]?.message, `line ${line}`).toContain(part);
  });

  it("refuses nothing else", () => {
    expect(said.filter(({ file }) => !file.endsWith("must-not-compile.ts"))).toEqual([]);
  });
});

describe("what must compile", () => {
  it("runs, checked and unchecked", () => {
    for (const checking of [true, false])
      expect(examples.run(Heap.create({ checking }))).toEqual([2, 9, 4, 3, 2, 6, 14, 3]);
  });
});

describe("what TypeScript cannot refuse throws at run time, and says type, address and what had ended", () => {
  const { anyHole, supertypeHole, unknownHole, closureHole, arenaHole, deleteHole } = examples;

  it.each(Object.entries({ anyHole, supertypeHole, unknownHole, closureHole }))("%s", (_, hole) => {
    const use = hole(Heap.create({ checking: true }));
    expect(use).toThrow(UseAfterFreeError);
    expect(use).toThrow(/^Node at 0x[0-9a-f]+: used after scope \d+ had ended$/);
  });

  it("a stored generator", () => {
    const use = examples.generatorHole(Heap.create({ checking: true }));
    expect(use).toThrow(/^Node\[\] at 0x[0-9a-f]+: used after scope \d+ had ended$/);
  });

  it("an async function that goes on later", async () => {
    const use = examples.asyncHole(Heap.create({ checking: true }));
    await expect(use()).rejects.toThrow(/^Node at 0x[0-9a-f]+: used after scope \d+ had ended$/);
  });

  it("an arena that was disposed of, and a deleted struct", () => {
    expect(arenaHole(Heap.create({ checking: true }))).toThrow(
      /^Node at 0x[0-9a-f]+: used after arena 'frame' had ended$/,
    );
    expect(deleteHole(Heap.create({ checking: true }))).toThrow(
      /^Node at 0x[0-9a-f]+: used after it was deleted$/,
    );
  });

  it("the error carries them as properties", () => {
    try {
      examples.anyHole(Heap.create({ checking: true }))();
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(UseAfterFreeError);
      const { type, address, scope } = error as UseAfterFreeError;
      expect([type, address > 0]).toEqual(["Node", true]);
      expect(scope).toMatch(/^scope \d+$/);
    }
  });

  it("a promise from a scope's function, that a cast let through, is refused when it returns", () => {
    const heap = Heap.create();
    const scope = heap.scope as unknown as (body: () => unknown) => unknown;
    expect(() => scope.call(heap, async () => 1)).toThrow(
      "scope: expected a function that is done when it returns",
    );
  });
});
