// Stage: the packages as they are published, from the folders in which they were built.
//
// Owns:  what differs between a folder and its tarball: no names of the checkout's own in package.json, the version, the
//        address and typesVersions there; no declaration that nothing names; links of the README that hold outside.
// Needs: npm pack. No network. Nothing in the checkout is changed.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { reachedFrom } from "./declarations.ts";
import { type Exported, FOLDERS, type Manifest, readManifest, SOURCE, targetsOf } from "./packages.ts";
import { publishedReadme } from "./readme.ts";
import { addressFields } from "./repository.ts";

export interface Tarball {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly path: string;
  /** Of the .tgz. */
  readonly size: number;
  readonly unpackedSize: number;
  /** Paths inside. */
  readonly files: readonly string[];
}

export interface Packing {
  /** Of the checkout. */
  readonly root: string;
  readonly folders: readonly string[];
  /** Where the tarballs go; it is there. */
  readonly to: string;
  /** Of the packages, and of what they need of each other. */
  readonly version: string;
  readonly address: string | undefined;
}

export function packAll({ root, folders, to, version, address }: Packing): Tarball[] {
  const stage = join(to, "stage");
  rmSync(stage, { recursive: true, force: true });
  const built = folders.map((folder) => ({ folder, manifest: readManifest(root, folder) }));
  const names = new Set(FOLDERS.map((folder) => readManifest(root, folder).name));
  const listed = npmPack(root, folders, "--dry-run");
  const staged = built.map(({ folder, manifest }) => {
    const published = publishedManifest(atVersion(manifest, version, names), address, folder);
    const files = reachable(join(root, folder), published, filesOf(listed, manifest.name));
    for (const file of files) copy(join(root, folder, file), join(stage, folder, file));
    writeFileSync(join(stage, folder, "package.json"), jsonText(published));
    const readme = join(stage, folder, "README.md");
    const text = publishedReadme(readFileSync(readme, "utf8"), { folder, version, address, files });
    writeFileSync(readme, text);
    return { folder, manifest: published, files };
  });
  const packed = npmPack(stage, folders, "--pack-destination", to);
  rmSync(stage, { recursive: true });
  return staged.map(({ folder, manifest, files }) => {
    const { filename, size, unpackedSize } = packedAs(packed, manifest.name);
    return { folder, manifest, path: join(to, filename), size, unpackedSize, files };
  });
}

/** A manifest in a version, and all that it needs of ours in the same. */
export function atVersion<T extends Partial<Manifest>>(
  manifest: T,
  version: string,
  ours: ReadonlySet<string>,
): T {
  const moved = (needed: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(needed).map(([name, asked]) => {
        // A folder of the checkout stays one: the workspace's own.
        const isVersion = ours.has(name) && !asked.startsWith("file:");
        return [name, isVersion ? version : asked];
      }),
    );
  const kinds = ["dependencies", "optionalDependencies", "devDependencies", "peerDependencies"] as const;
  const needs = kinds.flatMap((kind) => {
    const needed = manifest[kind];
    return needed === undefined ? [] : [[kind, moved(needed)]];
  });
  return { ...manifest, version, ...Object.fromEntries(needs) };
}

/** Without what only a checkout has: sources, scripts, and what the tests need. */
function publishedManifest(manifest: Manifest, address: string | undefined, folder: string): Manifest {
  const { scripts, imports, devDependencies, exports = {}, ...published } = manifest;
  const withoutSources = Object.entries(exports).map(([name, entry]): [string, Exported] => {
    if (typeof entry === "string") return [name, entry];
    return [name, Object.fromEntries(Object.entries(entry).filter(([condition]) => condition !== SOURCE))];
  });
  return {
    ...published,
    ...addressFields(address, folder),
    ...typesForOldTools(exports),
    exports: Object.fromEntries(withoutSources),
  };
}

/** Where TypeScript's node10, which knows no exports, finds the types of entries below the root. */
function typesForOldTools(exports: Readonly<Record<string, Exported>>): object {
  const entries = Object.entries(exports).flatMap(([name, entry]) => {
    const types = typeof entry === "string" ? undefined : entry["types"];
    return types === undefined || name === "." ? [] : [[name.replace("./", ""), [types]]];
  });
  return entries.length === 0 ? {} : { typesVersions: { "*": Object.fromEntries(entries) } };
}

function reachable(folder: string, { exports = {} }: Manifest, files: readonly string[]): string[] {
  const targets = Object.values(exports).flatMap(targetsOf);
  const entries = targets.filter((file) => file.endsWith(".d.ts"));
  const reached = reachedFrom(folder, entries);
  return files.filter((file) => !file.endsWith(".d.ts") || reached.has(file));
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

/** As npm writes it. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function packedAs(packed: readonly PackedJson[], name: string): PackedJson {
  const found = packed.find((one) => one.name === name);
  if (found === undefined) throw new Error(`npm pack has left out ${name}`);
  return found;
}

function filesOf(packed: readonly PackedJson[], name: string): string[] {
  return packedAs(packed, name).files.map(({ path }) => path);
}

/** Of what npm pack --json prints. */
interface PackedJson {
  readonly name: string;
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

function npmPack(cwd: string, folders: readonly string[], ...options: readonly string[]): PackedJson[] {
  const args = ["pack", "--json", "--offline", ...options, ...folders.map((folder) => `./${folder}`)];
  const out = execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  // npm 11 prints an object by names, earlier ones a list.
  return Object.values(JSON.parse(out) as Record<string, PackedJson>);
}
