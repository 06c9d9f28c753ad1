// Declarations: what an editor shows of each name that a package exports: its comment, and an example that runs.
//
// An example is a block of TypeScript under @example. What it uses of the packages is imported for it. What console.log prints
// stands behind it, after `//`. One that is marked `no-run` is compiled only: it needs a file, or takes minutes.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/c-program.ts";
import { type Declaration, declarationsOf, namesOf } from "../support/declarations.ts";
import { hasOs } from "../support/os.ts";
import { sentencesOf, wordsOf } from "../support/prose.ts";

const SENTENCE_WORDS = 25;
/** By the name that users import: where its declarations are. */
const ENTRIES: Readonly<Record<string, string>> = {
  morecore: "packages/morecore/dist/index.d.ts",
  "@morecore/os": "packages/os/dist/index.d.ts",
  "@morecore/inspect": "packages/inspect/dist/index.d.ts",
  "@morecore/inspect/pictures": "packages/inspect/dist/pictures/index.d.ts",
  "@morecore/wasm": "packages/wasm/dist/index.d.ts",
  "@morecore/wasm/swap": "packages/wasm/dist/swap/index.d.ts",
  "@morecore/native": "packages/native/dist/index.d.ts",
  "@morecore/bench": "bench/dist/index.d.ts",
};

interface Example {
  readonly from: string;
  readonly name: string;
  readonly code: string;
  readonly runs: boolean;
  readonly file: string;
}

const declared = Object.entries(ENTRIES).map(
  ([from, entry]) => [from, declarationsOf(join(ROOT, entry))] as const,
);
/** What an ArrayRef is made of: hovering over a member leads there. */
const elements = declarationsOf(join(ROOT, "packages/morecore/dist/typed/values.d.ts")).filter(({ name }) =>
  name.startsWith("ArrayElements"),
);
declared.find(([from]) => from === "morecore")?.[1].push(...elements);
const examples: Example[] = declared.flatMap(([from, declarations]) =>
  declarations.flatMap((declaration) => examplesIn(from, declaration)),
);

function examplesIn(from: string, { name, kind, comment }: Declaration): Example[] {
  const blocks = comment.matchAll(/^```ts( no-run)?\n(.*?)^```$/gms);
  return Array.from(blocks, ([, mark, code = ""], index) => ({
    from,
    name,
    code,
    runs: mark === undefined,
    // Not by the name alone: on some disks SbrkMemory is sbrkMemory.
    file: `${from}-${name}-${kind}${index}`.replace(/\W/g, "-"),
  }));
}

/** Errors are made by the packages alone, and so are values of classes without a public way to make one. */
function isForUsers({ name, kind }: Declaration): boolean {
  return !(kind === "member" && /(?:Error|Uninit)\.constructor$/.test(name));
}

/** The imports of the names that an example uses: of its own package first. */
function importsFor({ from, code }: Example): string {
  const spread = code.replaceAll("...", "");
  const taken = new Set(Array.from(code.matchAll(/\b(?:const|let) (\w+)/g), ([, name]) => name));
  const lines: string[] = [];
  for (const [entry, path] of [[from, ENTRIES[from] ?? ""], ...Object.entries(ENTRIES)] as const) {
    const used = namesOf(join(ROOT, path)).filter(
      (name) => !taken.has(name) && new RegExp(`(?<![.\\w"])${name}\\b(?!:)`).test(spread),
    );
    for (const name of used) taken.add(name);
    if (used.length > 0) lines.push(`import { ${used.join(", ")} } from "${entry}";`);
  }
  return lines.join("\n");
}

/** What an example says it prints. */
function announced(code: string): string[] {
  return Array.from(code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm), ([, text = ""]) => text);
}

describe.each(declared)("what an editor shows of %s", (_, declarations) => {
  const shown = declarations.filter(isForUsers);

  it("is found: all that the package exports", () => {
    expect(shown.length).toBeGreaterThan(5);
  });

  it("is a comment on each name, and on each member that its users see", () => {
    expect(shown.filter(({ comment }) => comment === "").map(({ name, at }) => `${name}, ${at}`)).toEqual([]);
  });

  it("is an example for each class and each function", () => {
    const without = shown.filter(
      ({ kind, comment }) => /class|function/.test(kind) && !comment.includes("@example"),
    );
    expect(without.map(({ name, at }) => `${name}, ${at}`)).toEqual([]);
  });
});

let folder = "";
let said = "";
const printed: Record<string, string[]> = {};

/** Runs each example, one after the other, and writes down what it prints. */
const RUNNER = `
import { format } from "node:util";
const names = JSON.parse(process.argv[2]);
const printed = {};
const { log } = console;
for (const name of names) {
  const lines = (printed[name] = []);
  console.log = (...values) => lines.push(...format(...values).split("\\n"));
  try {
    await import("./" + name + ".js");
  } catch (error) {
    lines.push("threw " + error);
  }
}
console.log = log;
process.stdout.write("\\n" + JSON.stringify(printed));
`;

beforeAll(() => {
  // Within the checkout, so that the packages are these, as they were built.
  mkdirSync(join(ROOT, "build"), { recursive: true });
  folder = mkdtempSync(join(ROOT, "build/declarations-"));
  for (const example of examples) {
    const text = `${importsFor(example)}\n${example.code}export {};\n`;
    writeFileSync(join(folder, `${example.file}.ts`), text);
  }
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
  const files = examples.map(({ file }) => `${file}.ts`);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  said = spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], {
    encoding: "utf8",
  }).stdout;
  writeFileSync(join(folder, "runner.mjs"), RUNNER);
  const names = examples
    .filter(({ runs, from }) => runs && (hasOs || from !== "@morecore/os"))
    .map(({ file }) => file);
  const output = execFileSync(process.execPath, [join(folder, "runner.mjs"), JSON.stringify(names)], {
    encoding: "utf8",
    cwd: folder,
  });
  Object.assign(printed, JSON.parse(output.split("\n").at(-1) ?? "{}"));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Where the system maps things is its own affair: now and then there is no room above a process's break. */
const hasNoRoom = (line: string): boolean => line.includes("something is mapped right above the break");

describe("the examples", () => {
  it("compile, strictly, as a user's does", () => {
    expect(said).toBe("");
  });

  it.each(examples.map((example) => [example.name, example] as const))(
    "prints what it says: %s",
    (_, { file, code }) => {
      const lines = printed[file];
      if (lines === undefined || (code.includes("sbrk") && lines.some(hasNoRoom))) return;
      expect(lines).toEqual(announced(code));
    },
  );

  it("run, but for those that need a file or take minutes", () => {
    expect(Object.keys(printed).length).toBeGreaterThan(examples.length / 2);
  });

  it("are short: at most twelve lines", () => {
    expect(examples.filter(({ code }) => code.split("\n").length > 14).map(({ name }) => name)).toEqual([]);
  });
});

describe("the comments", () => {
  it.each(declared)(`of %s have no sentence of more than ${SENTENCE_WORDS} words`, (_, declarations) => {
    const long = declarations.flatMap(({ name, comment }) =>
      sentencesOf(comment.replace(/@example.*/s, ""))
        .filter((sentence) => wordsOf(sentence).length > SENTENCE_WORDS)
        .map((sentence) => `${name}: ${sentence}`),
    );
    expect(long).toEqual([]);
  });
});
