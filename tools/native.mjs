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
import { fileURLToPath, pathToFileURL } from "node:url";
import { plainKernel, RARE } from "./kernel.mjs";

const root = new URL("../", import.meta.url);
const build = fileURLToPath(new URL("build/native", root));
const sources = fileURLToPath(new URL("packages/native/src/", root));
const target = fileURLToPath(new URL("packages/native/linux-x64/", root));
export const LIBRARY = join(target, "libmorecore.so");

const TOOLS = { wasm2c: "wabt", gcc: "gcc" };

const FLAGS = [
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
export function missingTools() {
  const missing = Object.entries(TOOLS).filter(([command]) => spawnSync(command, ["--version"]).status !== 0);
  const input = "#include <zlib.h>\n";
  const hasGcc = !missing.some(([command]) => command === "gcc");
  if (hasGcc && spawnSync("gcc", ["-E", "-"], { input }).status !== 0) missing.push(["zlib.h", "zlib1g-dev"]);
  return missing.map(([what, name]) => `there is no ${what}: apt-get install ${name}`);
}

/** Makes the library and returns its path. */
export async function buildNative() {
  // A folder of its own: tests may build at the same time.
  mkdirSync(build, { recursive: true });
  const made = mkdtempSync(join(build, "made-"));
  try {
    writeFileSync(join(made, "layout.h"), layoutHeader());
    writeFileSync(join(made, "kernel.wasm"), await plainKernel());
    execFileSync("wasm2c", [join(made, "kernel.wasm"), "--module-name=mc", "-o", join(made, "wasm2c.c")]);
    writeFileSync(join(made, "kernel.c"), functionsOf(readFileSync(join(made, "wasm2c.c"), "utf8")));
    const own = readdirSync(sources).filter((name) => name.endsWith(".c"));
    const files = [join(made, "kernel.c"), ...own.map((name) => join(sources, name))];
    const library = join(made, "libmorecore.so");
    execFileSync("gcc", [...FLAGS, `-I${sources}`, `-I${made}`, ...files, ...ZLIB, "-o", library], {
      stdio: "inherit",
    });
    // Put there whole: a program may be running with the one that is there.
    renameSync(library, LIBRARY);
    return LIBRARY;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** The offsets and codes of the kernel's sources, for C. */
function layoutHeader() {
  const lines = ["layout.ts", "codes.ts"].flatMap((name) => {
    const text = readFileSync(new URL(`packages/morecore/src/kernel/${name}`, root), "utf8");
    return [...text.matchAll(/^export const ([A-Z0-9_]+): Word = (0x[0-9a-f_]+|[0-9_]+);$/gm)].map(
      ([, constant, value]) => `#define ${constant} ${value.replaceAll("_", "")}u`,
    );
  });
  return `// Made by tools/native.mjs from src/kernel/layout.ts and codes.ts.\n${lines.join("\n")}\n`;
}

/** Functions that malloc and free call seldom, or when they have much to do: their registers are not to be saved before. */
const APART = new Set(["malloc/mallocSlow", "free/freeSlow", "release/release", "take/takeNear", ...RARE]);

function withoutInlining(declaration) {
  const name = /w2c_(\w+)/.exec(declaration)?.[1];
  const isApart = [...APART].some((apart) => apart.replaceAll(/\W/g, "_") === name);
  return isApart ? `__attribute__((noinline)) ${declaration}` : declaration;
}

/** What the functions of wasm2c's C call a thing, and what it is called here. */
const NAMES = [
  // The base is all that they need to know.
  [/Z_mc_instance_t\s*\*/g, "Base "],
  [/\(\*instance->Z_envZ_memory\)\.pages/g, "kernel_pages(instance)"],
  [/instance->Z_(envZ_memory|morecore_instance)\b/g, "instance"],
  [/struct Z_morecore_instance_t\s*\*/g, "Base "],
  // Every heap begins at the same address: what the global says is known.
  [/instance->w2c_heap = [^;]+;/g, ";"],
  [/instance->w2c_heap\b/g, "(u32)HEAP"],
  [/\bZ_morecoreZ_(abort|grow|release)\b/g, "kernel_$1"],
  [/\bZ_mcZ_mc_/g, "mc_"],
];

/** The functions of wasm2c's C, without what it puts before and after them. */
function functionsOf(text) {
  const declared = text.match(/^static \w+ w2c_\w+\([^;{]*\);$/gm) ?? [];
  const defined = text.match(/^(static \w+ w2c_\w+|\w+ Z_mcZ_\w+)\([^;{]*\) \{\n[\s\S]*?^\}$/gm) ?? [];
  if (declared.length === 0 || defined.length <= declared.length)
    throw new Error("tools/native.mjs: this wasm2c writes its functions in another way; 1.0.32 is known");
  const all = [...declared.map(withoutInlining), ...defined].join("\n\n");
  const renamed = NAMES.reduce((before, [pattern, name]) => before.replace(pattern, name), all);
  // Stack slots of wasm, as variables, are not all read.
  const quiet = ["unused-parameter", "unused-but-set-variable"]
    .map((warning) => `#pragma GCC diagnostic ignored "-W${warning}"`)
    .join("\n");
  return `// Made by tools/native.mjs from wasm2c's C.\n#include "wasm.h"\n${quiet}\n\n${renamed}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const missing = missingTools();
  if (missing.length > 0) {
    for (const what of missing) console.error(`build:native: ${what}`);
    process.exit(2);
  }
  console.log(await buildNative());
}
