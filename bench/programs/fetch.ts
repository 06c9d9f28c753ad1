// Fetch: the sources of a program, from npm's registry or from Debian's, into build/programs/src.
//
// Owns:       build/programs/src.
// Needs:      npm; for Debian's sources apt and dpkg-source.
// Invariants: F1  a package's folder is there whole or not at all

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { aptGet } from "./apt.ts";
import type { Origin } from "./catalog.ts";
import { BUILD, run } from "./places.ts";

const SOURCES = path.join(BUILD, "src");

/** The folder of the package's sources, if they have been fetched. */
export function fetched(origin: Origin): string | undefined {
  const folder = folderOf(origin);
  return existsSync(folder) ? folder : undefined;
}

/** The same, fetched now if need be. Throws when that cannot be done. */
export function fetchSources(origin: Origin): string {
  const folder = folderOf(origin);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const inside =
    origin.from === "npm" ? unpackNpm(origin, unfinished) : unpackDebian(origin.name, unfinished);
  renameSync(inside, folder);
  rmSync(unfinished, { recursive: true, force: true });
  return folder;
}

function folderOf(origin: Origin): string {
  return path.join(SOURCES, origin.from === "npm" ? `${origin.name}-${origin.version}` : origin.name);
}

function unpackNpm({ name, version }: Origin & { readonly from: "npm" }, folder: string): string {
  run("npm", ["pack", "--ignore-scripts", "--silent", `${name}@${version}`], { cwd: folder });
  const archive = onlyFile(folder, ".tgz");
  run("tar", ["xzf", archive], { cwd: folder });
  return path.join(folder, "package");
}

function unpackDebian(name: string, folder: string): string {
  aptGet(["source", "--download-only", name], folder);
  const unpacked = path.join(folder, "unpacked");
  run("dpkg-source", ["--no-check", "-x", onlyFile(folder, ".dsc"), unpacked], { cwd: folder });
  return unpacked;
}

function onlyFile(folder: string, extension: string): string {
  const found = readdirSync(folder).filter((name) => name.endsWith(extension));
  if (found.length === 1 && found[0] !== undefined) return found[0];
  throw new Error(`${found.length} files *${extension} where one was to be: ${folder}`);
}
