// web-tree-sitter: a position-independent module, whose state block counts from __memory_base, and which loads other
// modules (grammars) that allocate with its malloc.

import { describe, expect, it } from "vitest";
import {
  digest,
  expectSwapped,
  packageFile,
  packageText,
  replacedIn,
  runWithMemory,
} from "../../../../test/support/swap.ts";
import { swapModule } from "../../src/swap/index.ts";

const GRAMMARS = "@vscode/tree-sitter-wasm/wasm";
const SOURCES = [
  "web-tree-sitter/web-tree-sitter.js",
  "sql.js/dist/sql-wasm-debug.js",
  "acorn/dist/acorn.mjs",
  "typescript/package.json",
];

async function workload(wasmBinary: Uint8Array) {
  // It keeps its instance in the module: a new copy for each run.
  const file = new URL("../../../../node_modules/web-tree-sitter/web-tree-sitter.js", import.meta.url);
  const copy: string = `${file.href}?run=${digest(wasmBinary)}`;
  const { Parser, Language, Query } = (await import(copy)) as typeof import("web-tree-sitter");
  await Parser.init({ wasmBinary });
  const language = await Language.load(packageFile(`${GRAMMARS}/tree-sitter-javascript.wasm`));
  const parser = new Parser();
  parser.setLanguage(language);
  const query = new Query(
    language,
    "(function_declaration name: (identifier) @name) (call_expression) @call",
  );
  const kept: { delete(): void }[] = [];
  const trees = SOURCES.map((file) => {
    // A long source: the same file several times, as functions of its own.
    const text = packageText(file).repeat(file.includes("acorn") ? 8 : 1);
    const tree = parser.parse(text);
    if (tree === null) throw new Error(`${file} was not parsed`);
    const captures = query.captures(tree.rootNode).map(({ name, node }) => `${name} ${node.startIndex}`);
    const edited = tree.copy();
    const expression = tree.rootNode.toString();
    edited.delete();
    kept.push(tree);
    return [file, expression.length, digest(expression), digest(captures.join("\n"))];
  });
  for (const tree of kept) tree.delete();
  query.delete();
  parser.delete();
  return trees;
}

describe("web-tree-sitter", () => {
  it("parses to the same trees on morecore's heap", async () => {
    const bytes = packageFile("web-tree-sitter/web-tree-sitter.wasm");
    const { bytes: swapped, report } = await swapModule(bytes);
    expect(Object.keys(replacedIn(report)).sort()).toEqual(["calloc", "free", "malloc", "realloc"]);
    expect(report.stateBlock?.relative).toBe(true);
    const before = await runWithMemory(() => workload(bytes));
    expectSwapped(before, await runWithMemory(() => workload(swapped)));
  });
});
