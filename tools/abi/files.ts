// Files: all that is made of the family's table, and whether it is as the table says.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../root.ts";
import { withBlock } from "./block.ts";
import {
  definitions,
  headerCodes,
  headerDeclarations,
  importDeclarations,
  pieceStates,
  wordsForCodes,
} from "./c.ts";
import { familyTable } from "./docs.ts";
import { heapCalls, kernelFamily } from "./typescript.ts";

/** A file's path, and its whole text as it is to be, given how it is. */
const FILES: Readonly<Record<string, (text: string) => string>> = {
  "packages/morecore/src/kernel/family.ts": () => formatted("family.ts", kernelFamily()),
  "packages/morecore/src/heap/family-calls.ts": () => formatted("family-calls.ts", heapCalls()),
  "packages/wasm/c/include/morecore.h": (text) => {
    const c = withBlock(text, "C and POSIX", "//", headerDeclarations("C"));
    const bsd = withBlock(c, "BSD", "//", headerDeclarations("BSD"));
    const dlmalloc = withBlock(bsd, "dlmalloc", "//", headerDeclarations("dlmalloc"));
    return withBlock(dlmalloc, "codes", "//", headerCodes());
  },
  "packages/wasm/c/lib/morecore.c": (text) => {
    const imports = withBlock(text, "imports", "//", importDeclarations());
    const states = withBlock(imports, "states", "//", pieceStates());
    const words = withBlock(states, "words", "//", wordsForCodes());
    return withBlock(words, "definitions", "//", definitions());
  },
  "docs/FAMILY.md": (text) => withBlock(text, "family", "<!--", familyTable()),
};

/** The text as the repository's formatter has it. */
function formatted(name: string, text: string): string {
  const biome = join(ROOT, "node_modules/.bin/biome");
  return execFileSync(biome, ["format", `--stdin-file-path=${name}`], {
    input: text,
    cwd: ROOT,
    encoding: "utf8",
  });
}

export interface MadeFile {
  readonly path: string;
  /** As it is; "": there is no such file. */
  readonly found: string;
  readonly wanted: string;
}

export function madeFiles(): MadeFile[] {
  return Object.entries(FILES).map(([path, make]) => {
    const found = existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), "utf8") : "";
    return { path, found, wanted: make(found) };
  });
}

export function writeFiles(files: readonly MadeFile[]): void {
  for (const { path, wanted } of files) writeFileSync(join(ROOT, path), wanted);
}
