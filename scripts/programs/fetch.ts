// Fetch: the sources of a program, from npm's registry or from Debian's, into build/programs/src.
//
// Owns:       build/programs/src and build/programs/apt. This is all that uses the network.
// Needs:      npm; for Debian's sources apt-get and dpkg-source.
// Invariants: F1  the system's own apt is unchanged: lists, cache and sources are of our own
//             F2  a package's folder is there whole or not at all

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Origin } from "./catalog.ts";
import { BUILD, run } from "./places.ts";

const SOURCES = path.join(BUILD, "src");
const APT = path.join(BUILD, "apt");
const SYSTEM_SOURCES = "/etc/apt";

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
  const env = { ...process.env, APT_CONFIG: privateApt() };
  run("apt-get", ["source", "--download-only", name], { cwd: folder, env });
  const unpacked = path.join(folder, "unpacked");
  run("dpkg-source", ["--no-check", "-x", onlyFile(folder, ".dsc"), unpacked], { cwd: folder });
  return unpacked;
}

function onlyFile(folder: string, extension: string): string {
  const found = readdirSync(folder).filter((name) => name.endsWith(extension));
  if (found.length === 1 && found[0] !== undefined) return found[0];
  throw new Error(`${found.length} files *${extension} where one was to be: ${folder}`);
}

/** The configuration of an apt of our own, with the system's lines for packages turned into lines for sources. */
function privateApt(): string {
  const config = path.join(APT, "apt.conf");
  if (existsSync(config)) return config;
  for (const folder of ["lists/partial", "cache/archives/partial", "sources"])
    mkdirSync(path.join(APT, folder), { recursive: true });
  for (const { name, text } of sourceLists()) writeFileSync(path.join(APT, "sources", name), text);
  const unfinished = `${config}.unfinished`;
  const lines = {
    "Dir::State::Lists": path.join(APT, "lists"),
    "Dir::Cache": path.join(APT, "cache"),
    "Dir::Etc::SourceList": "/dev/null",
    "Dir::Etc::SourceParts": path.join(APT, "sources"),
    // The sandbox's user may not be able to read this folder.
    "APT::Sandbox::User": "root",
  };
  writeFileSync(
    unfinished,
    Object.entries(lines)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(""),
  );
  run("apt-get", ["update"], { env: { ...process.env, APT_CONFIG: unfinished } });
  renameSync(unfinished, config);
  return config;
}

/** Both formats: one line for each source (*.list), and paragraphs (*.sources). */
function sourceLists(): { readonly name: string; readonly text: string }[] {
  const parts = path.join(SYSTEM_SOURCES, "sources.list.d");
  const files = [path.join(SYSTEM_SOURCES, "sources.list")];
  for (const name of existsSync(parts) ? readdirSync(parts) : []) files.push(path.join(parts, name));
  return files
    .filter((file) => existsSync(file) && /\.(list|sources)$/.test(file))
    .map((file) => ({ name: path.basename(file), text: asSources(readFileSync(file, "utf8")) }));
}

/** What apt is told of packages, turned into what it is to be told of their sources. */
export function asSources(text: string): string {
  return text.replace(/^Types:.*$/gm, "Types: deb-src").replace(/^deb\s/gm, "deb-src ");
}
