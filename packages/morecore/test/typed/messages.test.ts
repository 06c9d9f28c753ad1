// Messages: what compilers say of wrong fields, and what editors show of references.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compilerModule, compilerScript } from "../../../../bench/programs/compilers.ts";
import { ROOT } from "../../../../test/support/c-program.ts";

const FOLDER = join(ROOT, "packages/morecore/test/typed/messages");
const COMPILERS: Readonly<Record<string, string | undefined>> = {
  "of this checkout": join(ROOT, "node_modules/typescript/bin/tsc"),
  "5.9": compilerScript("5.9"),
};
/** More than that nobody reads. The longest is of an array's elements. */
const MOST_LINES = 8;

interface Message {
  readonly line: number;
  /** The word at the error's place. */
  readonly at: string;
  text: string;
}

const wrong = readFileSync(join(FOLDER, "wrong.ts"), "utf8").split("\n");

function messagesOf(compiler: string): Message[] {
  const args = [compiler, "-p", FOLDER, "--pretty", "false"];
  const { stdout } = spawnSync(process.execPath, args, { cwd: FOLDER, encoding: "utf8" });
  const all: Message[] = [];
  for (const said of stdout.split("\n")) {
    const [, line, column, text] = /^wrong\.ts\((\d+),(\d+)\): error TS\d+: (.*)$/.exec(said) ?? [];
    const last = all.at(-1);
    if (text !== undefined) all.push({ line: Number(line), at: wordAt(Number(line), Number(column)), text });
    else if (said !== "" && last !== undefined) last.text += `\n${said}`;
    else if (said !== "") throw new Error(`not of wrong.ts: ${said}`);
  }
  return all;
}

function wordAt(line: number, column: number): string {
  return /^\w+/.exec((wrong[line - 1] ?? "").slice(column - 1))?.[0] ?? "";
}

/** What the comments announce, each for the next line. */
const announced = wrong.flatMap((text, index) => {
  const [, at, part] = /^\s*\/\/ at (\w+): (.+)$/.exec(text) ?? [];
  return at === undefined || part === undefined ? [] : [{ line: index + 2, at, part }];
});

it.each(Object.entries(COMPILERS))(
  "TypeScript %s says what is wrong, at the field, in a few lines that a reader understands",
  (_, compiler) => {
    if (compiler === undefined) {
      console.warn("skipped: this TypeScript is not here: npm run compilers");
      return;
    }
    const said = messagesOf(compiler);
    expect(said.map(({ line, at }) => ({ line, at }))).toEqual(
      announced.map(({ line, at }) => ({ line, at })),
    );
    for (const [index, { line, part }] of announced.entries()) {
      const text = said[index]?.text ?? "";
      expect(text, `line ${line}`).toContain(part);
      expect(text, `line ${line}`).not.toContain("never");
      expect(text.split("\n").length, text).toBeLessThanOrEqual(MOST_LINES);
    }
  },
);

it("an editor shows a reference as a Ref of its struct and its lifetime", () => {
  const typescript = compilerModule("5.9");
  if (typescript === undefined) {
    console.warn("skipped: TypeScript 5.9 is not here: npm run compilers");
    return;
  }
  const file = join(FOLDER, "hovers.ts");
  const args = [join(FOLDER, "hover.mjs"), typescript, join(ROOT, "tsconfig.json"), file];
  const shown: unknown = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  const wanted = [...readFileSync(file, "utf8").matchAll(/^ *\/\/ (const .*)$/gm)].map(([, text]) => text);
  expect(wanted.length).toBeGreaterThan(9);
  expect(shown).toEqual(wanted);
});
