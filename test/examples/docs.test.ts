// Docs: the programs in the documents for users compile, run, and print what stands beside them.
//
// A block of TypeScript that begins with an import begins a program; those after it go on with it. What console.log prints stands
// behind it, after `//`. A C or Rust block is a program of its own.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasCommand, needs, ROOT } from "../support/c-program.ts";
import { pageOf } from "../support/pages.ts";

const DOCS = [
  "README.md",
  "docs/MALLOC.md",
  "docs/TYPED.md",
  "docs/LIFETIMES.md",
  "docs/FROM-RUST-AND-C.md",
  "docs/ARENAS.md",
  "docs/CONTAINERS.md",
];
const COMPILER = join(ROOT, "node_modules/typescript/bin/tsc");

/** The blocks of a language in a document. */
function blocks(name: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms");
  return Array.from(pageOf(name).matchAll(fence), ([, text]) => text ?? "");
}

function programs(name: string): string[] {
  const all: string[] = [];
  for (const text of blocks(name, "ts"))
    if (text.startsWith("import ") || all.length === 0) all.push(text);
    else all.push(`${all.pop()}${text}`);
  return all;
}

/** What a program says it prints. */
function announced(program: string): string {
  const lines = Array.from(program.matchAll(/console\.log\(.*\);? +\/\/ (.*)$/gm), ([, text]) => text);
  return lines.map((text) => `${text}\n`).join("");
}

let folder = "";
beforeAll(() => {
  // Within the package, so that "morecore" is this one, as it was built.
  mkdirSync(join(ROOT, "build"), { recursive: true });
  folder = mkdtempSync(join(ROOT, "build/docs-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(DOCS)("the TypeScript in %s", (name) => {
  const all = programs(name).map((text, index) => ({ text, file: `${name.replace(/\W/g, "-")}-${index}` }));

  it("compiles, strictly, as a user's does", () => {
    expect(all.length).toBeGreaterThan(0);
    for (const { text, file } of all) writeFileSync(join(folder, `${file}.ts`), text);
    const compilerOptions = {
      target: "ES2022",
      lib: ["ES2023", "ESNext.Disposable", "DOM"],
      module: "NodeNext",
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      rootDir: ".",
      types: ["node"],
      skipLibCheck: true,
    };
    const files = all.map(({ file }) => `${file}.ts`);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    const { stdout } = spawnSync(process.execPath, [COMPILER, "-p", folder, "--pretty", "false"], {
      encoding: "utf8",
    });
    expect(stdout).toBe("");
  });

  it("prints what it says", () => {
    for (const { text, file } of all) {
      const printed = execFileSync(process.execPath, [join(folder, `${file}.js`)], { encoding: "utf8" });
      const [expected = announced(text)] = blocks(name, "text");
      expect(printed).toBe(expected);
    }
  });
});

describe("the same program in the other languages", () => {
  const name = "docs/FROM-RUST-AND-C.md";
  const [expected = ""] = blocks(name, "text");

  it.skipIf(!needs(hasCommand("clang"), "clang"))("in C, by clang, prints the same", () => {
    const [program = ""] = blocks(name, "c");
    writeFileSync(join(folder, "words.c"), program);
    execFileSync("clang", ["-std=c17", "-Wall", "-Wextra", "-Werror", "words.c", "-o", "words-c"], {
      cwd: folder,
    });
    expect(execFileSync(join(folder, "words-c"), { encoding: "utf8" })).toBe(expected);
  });

  it.skipIf(!needs(hasCommand("rustc"), "rustc"))("in Rust, by rustc, prints the same", () => {
    const [program = ""] = blocks(name, "rust");
    writeFileSync(join(folder, "words.rs"), program);
    execFileSync("rustc", ["--edition", "2021", "-D", "warnings", "words.rs", "-o", "words-rs"], {
      cwd: folder,
      stdio: "pipe",
    });
    expect(execFileSync(join(folder, "words-rs"), { encoding: "utf8" })).toBe(expected);
  });
});
