// Apt: Debian's packages and their sources, by an apt of our own.
//
// Owns:       build/programs/apt. With fetch.ts's `npm pack`, this is all that uses the network.
// Needs:      apt-get; to install something, to be root.
// Invariants: A1  the system's lists, cache and sources are as they were
//             A2  `apt-get update` is run once, for packages and sources together

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { BUILD, run } from "./places.ts";

const APT = path.join(BUILD, "apt");
const SYSTEM_SOURCES = "/etc/apt";

/** Runs our apt-get. Throws with its own words. */
export function aptGet(args: readonly string[], cwd: string): void {
  const env = { ...process.env, APT_CONFIG: privateApt(), DEBIAN_FRONTEND: "noninteractive" };
  run("apt-get", args, { cwd, env });
}

/** Installs those of the packages that are not there. */
export function installPackages(packages: readonly string[]): void {
  const isThere = (name: string) => {
    const { stdout } = spawnSync("dpkg", ["-s", name], { encoding: "utf8" });
    return /^Status: .* installed$/m.test(stdout ?? "");
  };
  const missing = packages.filter((name) => !isThere(name));
  if (missing.length === 0) return;
  console.log(`installing ${missing.join(" ")}`);
  aptGet(["install", "-y", "--no-install-recommends", ...missing], BUILD);
}

/** The configuration of an apt of our own, with the system's lines for packages made lines for their sources, too. */
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
    .map((file) => ({ name: path.basename(file), text: withSources(readFileSync(file, "utf8")) }));
}

/** What apt is told of packages, and the same of their sources. */
export function withSources(text: string): string {
  const lines = text.split("\n");
  const isKnown = (line: string) => lines.includes(line.replace(/^deb\s/, "deb-src "));
  return lines
    .map((line) => line.replace(/^Types:.*$/, "Types: deb deb-src"))
    .flatMap((line) =>
      /^deb\s/.test(line) && !isKnown(line) ? [line, line.replace(/^deb\s/, "deb-src ")] : line,
    )
    .join("\n");
}
