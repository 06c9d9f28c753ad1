// Bump: the files of the checkout that name its version, in another one.
//
// Owns:  package.json of the workspace and of all packages, and package-lock.json. Nothing is written here.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FOLDERS, type Manifest, readManifest } from "./packages.ts";
import { atVersion, jsonText } from "./stage.ts";

interface Lock extends Partial<Manifest> {
  readonly packages: Readonly<Record<string, Partial<Manifest>>>;
}

/** Their new texts, by their paths from the root. */
export function bumped(root: string, version: string): Map<string, string> {
  const ours = new Set(FOLDERS.map((folder) => readManifest(root, folder).name));
  const texts = ["", ...FOLDERS].map((folder): [string, string] => [
    join(folder, "package.json"),
    jsonText(atVersion(readManifest(root, folder), version, ours)),
  ]);
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lock;
  const packages = Object.entries(lock.packages).map(([folder, locked]) => {
    const isOurs = folder === "" || FOLDERS.includes(folder);
    return [folder, isOurs ? atVersion(locked, version, ours) : locked];
  });
  const text = jsonText({ ...lock, version, packages: Object.fromEntries(packages) });
  return new Map([...texts, ["package-lock.json", text]]);
}
