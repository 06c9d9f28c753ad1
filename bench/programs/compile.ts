// Compile: a program's C files to objects, once for all the ways in which it is linked.
//
// Owns:       build/programs/objects.
// Needs:      clang with wasi-libc.
// Invariants: O1  a folder of objects is there whole or not at all; its name tells what it was made of

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { COMMON_FLAGS, type Program } from "./catalog.ts";
import { BUILD, keyOf, OWN, run } from "./places.ts";

const OBJECTS = path.join(BUILD, "objects");

/** The object files. Throws with clang's own words. */
export function compileProgram(program: Program, packageFolder: string): string[] {
  const flags = program.flags.map((flag) => flag.replace("{package}", packageFolder));
  const own = program.ownSources.map((name) => path.join(OWN, name));
  return compileFiles(program.name, [...expand(packageFolder, program), ...own], flags);
}

/** Objects of these files, made anew if one of our own files, a flag or clang has changed. */
export function compileFiles(name: string, files: readonly string[], flags: readonly string[]): string[] {
  const all = [...COMMON_FLAGS, `-I${path.join(OWN, "include")}`, ...flags];
  const key = keyOf(clangVersion(), ...all, ...files, ...ownContents(files));
  const folder = path.join(OBJECTS, `${name}-${key}`);
  if (!existsSync(folder)) {
    const unfinished = `${folder}.unfinished`;
    removeOthers(name);
    mkdirSync(unfinished, { recursive: true });
    for (const file of files)
      run("clang", [...all, "-c", file, "-o", path.join(unfinished, objectName(file))]);
    renameSync(unfinished, folder);
  }
  return files.map((file) => path.join(folder, objectName(file)));
}

let knownVersion: string | undefined;
export function clangVersion(): string {
  knownVersion ??= run("clang", ["--version"]);
  return knownVersion;
}

function objectName(file: string): string {
  return `${path.basename(file, ".c")}.o`;
}

/** Fetched sources do not change; what this repository has of its own may, and the headers beside it. */
function ownContents(files: readonly string[]): string[] {
  const own = files.filter((file) => !file.startsWith(BUILD));
  const folders = new Set([path.join(OWN, "include"), ...own.map((file) => path.dirname(file))]);
  const headers = [...folders].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".h"))
      .map((name) => path.join(folder, name)),
  );
  return [...headers, ...own].map((file) => readFileSync(file, "utf8"));
}

function expand(folder: string, { sources, leftOut = [] }: Program): string[] {
  const names = sources.flatMap((source) => {
    if (!source.endsWith("/*.c")) return source;
    const inside = readdirSync(path.join(folder, path.dirname(source))).filter((name) => name.endsWith(".c"));
    return inside.sort().map((name) => path.join(path.dirname(source), name));
  });
  return names.filter((name) => !leftOut.includes(name)).map((name) => path.join(folder, name));
}

function removeOthers(name: string): void {
  if (!existsSync(OBJECTS)) return;
  for (const entry of readdirSync(OBJECTS))
    if (/^-[0-9a-f]{16}(\.unfinished)?$/.test(entry.slice(name.length)) && entry.startsWith(name))
      rmSync(path.join(OBJECTS, entry), { recursive: true, force: true });
}
