// Builds packages/native/linux-x64/libmorecore.so: the kernel's wasm made C by wasm2c, and native/*.c around it, by gcc.
//
// wasm2c's C is written for any module: it keeps each memory in a struct, and checks each access. What is taken of it are
// the functions; native/wasm.h says what their loads and stores are, and native/kernel.h why nothing is checked.

import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { nativeCalls, nativeLayout } from "./abi/c.ts";
import { callsOnHeap, NATIVE_CALLS } from "./abi/native.ts";
import { nativeKernel } from "./kernel.ts";
import type { Marked } from "./markers.ts";
import { ROOT } from "./root.ts";
import { kernelC } from "./wasm2c.ts";

const build = join(ROOT, "build/native");
const sources = join(ROOT, "packages/native/src");
const target = join(ROOT, "packages/native/linux-x64");
export const LIBRARY: string = join(target, "libmorecore.so");

const TOOLS: Readonly<Record<string, string>> = { wasm2c: "wabt", gcc: "gcc" };

/** What gcc is told, for any processor. */
export const NATIVE_FLAGS: readonly string[] = [
  ["-std=c11", "-O3", "-fPIC", "-shared", "-flto", "-fvisibility=hidden", "-pthread"],
  // gcc makes calloc of a malloc and a memset, also of those that are calloc.
  ["-fno-builtin-malloc", "-fno-builtin-calloc", "-fno-builtin-realloc", "-fno-builtin-free"],
  // Calls go to their place without a stub; the thread's own variable without a function.
  ["-fno-plt", "-ftls-model=initial-exec", "-fno-semantic-interposition", "-fomit-frame-pointer"],
  ["-Wall", "-Wextra", "-Werror", "-Wl,-z,now", "-Wl,-z,relro", "-Wl,-O1"],
].flat();

/** For traces. Linked into the library, and seen by nobody else: programs have their own. */
const ZLIB = ["-l:libz.a", "-Wl,--exclude-libs,ALL"];

/** Those of the tools that are missing, as sentences. */
export function missingTools(): string[] {
  const missing = Object.entries(TOOLS).filter(([command]) => spawnSync(command, ["--version"]).status !== 0);
  const input = "#include <zlib.h>\n";
  const hasGcc = !missing.some(([command]) => command === "gcc");
  if (hasGcc && spawnSync("gcc", ["-E", "-"], { input }).status !== 0) missing.push(["zlib.h", "zlib1g-dev"]);
  return missing.map(([what, name]) => `there is no ${what}: apt-get install ${name}`);
}

/** Makes the library and returns its path. */
export async function buildNative(): Promise<string> {
  // A folder of its own: tests may build at the same time.
  mkdirSync(build, { recursive: true });
  const made = mkdtempSync(join(build, "made-"));
  try {
    const { files, includes } = await nativeSources(made);
    const library = join(made, "libmorecore.so");
    execFileSync("gcc", [...NATIVE_FLAGS, ...includes, ...files, ...ZLIB, "-o", library], {
      stdio: "inherit",
    });
    // Put there whole: a program may be running with the one that is there.
    renameSync(library, LIBRARY);
    return LIBRARY;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** The files in C that the library is made of, some of them made for it in the folder, and where their headers are. */
export async function nativeSources(
  made: string,
): Promise<{ readonly files: readonly string[]; readonly includes: readonly string[] }> {
  writeFileSync(join(made, "layout.h"), nativeLayout());
  writeFileSync(join(made, "calls.h"), nativeCalls());
  const { bytes, marked } = await nativeKernel();
  writeFileSync(join(made, "kernel.wasm"), bytes);
  execFileSync("wasm2c", [join(made, "kernel.wasm"), "--module-name=mc", "-o", join(made, "wasm2c.c")]);
  writeFileSync(join(made, "kernel.c"), kernelSource(readFileSync(join(made, "wasm2c.c"), "utf8"), marked));
  const own = readdirSync(sources).filter((name) => name.endsWith(".c"));
  return {
    files: [join(made, "kernel.c"), ...own.map((name) => join(sources, name))],
    includes: [`-I${sources}`, `-I${made}`],
  };
}

/** kernel.c, of wasm2c's C. */
function kernelSource(text: string, { rare, apart }: Marked): string {
  const exports = [...callsOnHeap().map(([, { c }]) => c), ...Object.values(NATIVE_CALLS).map(({ c }) => c)];
  const parts = { exports, apart: new Set([...apart, ...rare]) };
  // Stack slots and locals of wasm, as variables, are not all read.
  const quiet = ["unused-parameter", "unused-variable", "unused-but-set-variable"]
    .map((warning) => `#pragma GCC diagnostic ignored "-W${warning}"`)
    .join("\n");
  return `// Made by tools/native.ts from wasm2c's C.\n#include "wasm.h"\n${quiet}\n\n${kernelC(text, parts)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const missing = missingTools();
  if (missing.length > 0) {
    for (const what of missing) console.error(`build:native: ${what}`);
    process.exit(2);
  }
  console.log(await buildNative());
}
