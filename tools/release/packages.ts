// Packages: what is published, and what its package.json says.
//
// Owns:  the list of folders, in the order of publishing; how large each may be.
// Needs: package.json of each folder, which we have written: what stands there is taken for what it should be.

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** All that is published, each after those that it needs, and the most bytes of its tarball. */
export const MOST_BYTES: Readonly<Record<string, number>> = {
  "packages/morecore": 400_000,
  "packages/os": 50_000,
  "packages/inspect": 60_000,
  "packages/wasm": 120_000,
  "packages/native/linux-x64": 200_000,
  "packages/native": 20_000,
  bench: 200_000,
  "packages/cli": 40_000,
};
export const FOLDERS: readonly string[] = Object.keys(MOST_BYTES);
export const LIBRARY_FOLDER = "packages/native/linux-x64";

export type Exported = string | Readonly<Record<string, string>>;
type Versions = Readonly<Record<string, string>>;

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly license?: string;
  readonly author?: string;
  readonly repository?: unknown;
  readonly type?: string;
  readonly main?: string;
  readonly types?: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, Exported>>;
  readonly imports?: unknown;
  readonly scripts?: unknown;
  readonly dependencies?: Versions;
  readonly optionalDependencies?: Versions;
  readonly peerDependencies?: Versions;
  readonly devDependencies?: Versions;
  readonly publishConfig?: unknown;
}

export function readManifest(root: string, folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
}

/** What an entry of "exports" names; the checkout's own condition apart, whose files stay there. */
export function targetsOf(entry: Exported): string[] {
  if (typeof entry === "string") return [entry];
  return Object.entries(entry).flatMap(([condition, file]) => (condition === SOURCE ? [] : [file]));
}

/** By this condition the packages find each other's sources in a checkout. */
export const SOURCE = "@morecore/source";
