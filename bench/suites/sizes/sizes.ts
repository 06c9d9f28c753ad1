// Sizes: of the code that users get. Goal S2.
//
// Owns:  what is weighed, and what was aimed at.
// Needs: dist/; rolldown, which bundles as users' bundlers do.

import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import type { GoalFigure } from "../../harness/goal-figure.ts";

export interface Sizes {
  /** dist/kernel.wasm, which has the whole malloc family. */
  readonly kernelBytes: number;
  /** What a page gets that uses Heap and nothing else: bundled, minified, gzipped. */
  readonly heapGzipBytes: number;
}

const KERNEL_AIM = 12_000;
const HEAP_AIM = 14_000;
const ENTRY = "heap-only";

/** Of the library in the folder `dist`. */
export async function measureSizes(dist: string): Promise<Sizes> {
  const kernel = readFileSync(path.join(dist, "kernel.wasm"));
  return {
    kernelBytes: kernel.length,
    heapGzipBytes: gzipSync(await bundledHeap(dist), { level: 9 }).length,
  };
}

async function bundledHeap(dist: string): Promise<string> {
  const source = `export { Heap } from ${JSON.stringify(path.join(dist, "index.js"))};`;
  const entry = {
    name: ENTRY,
    resolveId: (id: string) => (id === ENTRY ? id : null),
    load: (id: string) => (id === ENTRY ? source : null),
  };
  const bundle = await rolldown({ input: ENTRY, platform: "browser", plugins: [entry] });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  return output.map((part) => (part.type === "chunk" ? part.code : "")).join("");
}

export function sizeGoals({ kernelBytes, heapGzipBytes }: Sizes): GoalFigure[] {
  const figures: GoalFigure[] = [
    { goal: "S2", figure: "kernel in wasm, bytes", measured: kernelBytes, aim: KERNEL_AIM },
    { goal: "S2", figure: "Heap, minified and gzipped, bytes", measured: heapGzipBytes, aim: HEAP_AIM },
  ];
  return figures.map((figure) => ({ ...figure, digits: 0 }));
}
