// Link: a program's objects with an allocator, in each of four ways.
//
// Owns:       build/programs/linked and build/programs/merged.
// Needs:      clang, for all but merging; binaryen (npm); for merging the kernel in dist/.
// Invariants: L1  the same objects go into all ways, and all go through wasm-opt's -O3 at the end
//             L2  only merging depends on the kernel: another dist/kernel.wasm costs no linking

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  featureBits,
  featuresWith,
  linkProgram,
  readFeatures,
  readMemories,
  readSections,
} from "@morecore/wasm";
import binaryen from "binaryen";
import { ROOT } from "../harness/paths.ts";
import { clangVersion, compileFiles } from "./compile.ts";
import { BUILD, keyOf, run } from "./places.ts";
import { tlsfKernel } from "./tlsf.ts";

/** The C library's own malloc; TLSF, or the kernel, in the program's module; the kernel as a module beside it. */
export const WAYS = ["dlmalloc", "tlsf", "merged", "beside"] as const;
export type Way = (typeof WAYS)[number];

/** What linking leaves: files, of which `app` still has its allocator to be merged into it. */
export interface Linked {
  readonly dlmalloc: string;
  readonly app: string;
  readonly beside: string;
  /** Of `beside`: the pages of memory that it wants, and the first address behind its own data and stack. */
  readonly pages: number;
  readonly heapBase: number;
}

export interface ToLink {
  readonly name: string;
  readonly objects: readonly string[];
  /** For clang. */
  readonly options: readonly string[];
}

export const STUB = path.join(ROOT, "packages", "wasm", "c", "lib", "morecore.c");
const KERNELS = {
  growing: path.join(ROOT, "packages", "morecore", "dist", "kernel.wasm"),
  asking: path.join(ROOT, "packages", "morecore", "dist", "kernel-grow.wasm"),
  threads: path.join(ROOT, "packages", "morecore", "dist", "kernel-threads.wasm"),
};
const O3 = { optimize: 3, shrink: 0 } as const;
/**
 * No -O: clang would run the system's wasm-opt where there is one. No debug information, of which wasi-libc is full:
 * binaryen takes its time over it.
 */
const LINK_FLAGS = [
  "--target=wasm32-wasi",
  "-Wl,--strip-debug",
  "-Wl,-z,stack-size=1048576",
  "-Wl,--export=__heap_base",
];

export function linkWays(toLink: ToLink): Linked {
  const beside = linkFile(toLink, "beside", [...stubObjects(), "-Wl,--import-memory"], optimize);
  return { ...linkInside(toLink), beside, ...layoutOf(readFileSync(beside)) };
}

/** Those ways that have the allocator in the program's module. */
export function linkInside(toLink: ToLink): Pick<Linked, "dlmalloc" | "app"> {
  return {
    dlmalloc: linkFile(toLink, "dlmalloc", [], optimize),
    app: linkFile(toLink, "app", stubObjects(), (bytes) => bytes),
  };
}

/** What all programs share. Threads that compile it at once would be in each other's way. */
export function stubObjects(): string[] {
  return compileFiles("morecore", [STUB], ["-I", path.join(ROOT, "packages", "wasm", "c", "include")]);
}

/** One file, linked with more than the program's own objects, and finished. */
export function linkFile(
  { name, objects, options }: ToLink,
  way: string,
  more: readonly string[],
  finish: (bytes: Uint8Array) => Uint8Array,
): string {
  const args = [...LINK_FLAGS, ...objects, ...more, ...options];
  // The objects' folders are named by what is in them.
  return cachedNow("linked", `${name}.${way}`, keyOf(clangVersion(), ...args), (file) => {
    run("clang", [...args, "-o", file]);
    writeFileSync(file, finish(readFileSync(file)));
  });
}

/** The file of the program with the kernel in it, as dist/ has that now. By `morecore link`'s own means. */
export async function merge(name: string, { app }: Pick<Linked, "app">): Promise<string> {
  const program = readFileSync(app);
  const isShared = readMemories(readSections(program))[0]?.shared === true;
  const kernels = {
    growing: readFileSync(KERNELS.growing),
    asking: readFileSync(KERNELS.asking),
    ...(isShared ? { threads: readFileSync(KERNELS.threads) } : {}),
  };
  const key = keyOf(program, ...Object.values(kernels));
  const file = cachedFile("merged", name, key);
  if (existsSync(file)) return file;
  const linked = await linkProgram(program, kernels, O3);
  return cachedNow("merged", name, key, (unfinished) => writeFileSync(unfinished, linked));
}

/** The file of the program with AssemblyScript's TLSF in it, in the same way. */
export async function mergeTlsf(name: string, { app }: Pick<Linked, "app">): Promise<string> {
  const program = readFileSync(app);
  const kernel = await tlsfKernel(layoutOf(program).heapBase);
  const key = keyOf(program, kernel);
  const file = cachedFile("merged", `${name}.tlsf`, key);
  if (existsSync(file)) return file;
  const linked = await linkProgram(program, { growing: kernel, asking: kernel }, O3);
  return cachedNow("merged", `${name}.tlsf`, key, (unfinished) => writeFileSync(unfinished, linked));
}

/** wasm-opt -O3, of a whole module. */
export function optimize(bytes: Uint8Array): Uint8Array {
  const module = readModule(bytes);
  binaryen.setDebugInfo(true);
  binaryen.setOptimizeLevel(O3.optimize);
  binaryen.setShrinkLevel(O3.shrink);
  module.optimize();
  const optimized = module.emitBinary();
  module.dispose();
  return optimized;
}

function readModule(bytes: Uint8Array): binaryen.Module {
  const features = featuresWith(readFeatures(readSections(bytes)));
  return binaryen.readBinaryWithFeatures(bytes, featureBits(binaryen.Features, features));
}

function layoutOf(bytes: Uint8Array): Pick<Linked, "pages" | "heapBase"> {
  const module = readModule(bytes);
  const { init } = binaryen.getGlobalInfo(module.getGlobal(heapBaseGlobal(module)));
  const base = binaryen.getExpressionInfo(init);
  module.dispose();
  const pages = readMemories(readSections(bytes))[0]?.minimum;
  if (pages === undefined || !("value" in base) || typeof base.value !== "number")
    throw new Error("a program must have a memory, and a constant __heap_base");
  return { pages, heapBase: base.value };
}

function heapBaseGlobal(module: binaryen.Module): string {
  for (let index = 0; index < module.getNumExports(); index++) {
    const { name, value } = binaryen.getExportInfo(module.getExportByIndex(index));
    if (name === "__heap_base") return value;
  }
  throw new Error("__heap_base is not exported");
}

function cachedFile(folder: string, name: string, key: string): string {
  return path.join(BUILD, folder, `${name}-${key}.wasm`);
}

/** The cached file, made if it is not there, in place of those of other keys. */
function cachedNow(folder: string, name: string, key: string, make: (file: string) => void): string {
  const file = cachedFile(folder, name, key);
  if (existsSync(file)) return file;
  const directory = path.dirname(file);
  mkdirSync(directory, { recursive: true });
  for (const entry of readdirSync(directory))
    if (entry.startsWith(`${name}-`)) rmSync(path.join(directory, entry));
  const unfinished = path.join(directory, `${name}.unfinished`);
  make(unfinished);
  renameSync(unfinished, file);
  return file;
}
