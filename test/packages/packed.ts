// Packed: every package as npm would publish it, unpacked side by side as npm would install it.
//
// Owns:  a folder outside of the checkout, in which nothing is found that a package does not declare.
// Needs: the packages as they were built; npm pack, tar. No network: other people's packages are those of the checkout.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "../support/c-program.ts";
import { nativeLibrary, whyNoNative } from "../support/native.ts";

/** All that is published, the core first. */
export const FOLDERS = [
  "packages/morecore",
  "packages/os",
  "packages/inspect",
  "packages/wasm",
  "packages/native",
  "packages/native/linux-x64",
  "packages/cli",
  "bench",
] as const;

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
  readonly repository?: unknown;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Tarball {
  readonly manifest: Manifest;
  /** Of the .tgz. */
  readonly size: number;
  /** Paths inside. */
  readonly files: readonly string[];
}

/** What JSON says, taken for what we have written there. */
function readManifest(file: string): Manifest {
  return JSON.parse(readFileSync(file, "utf8")) as Manifest;
}

export const MANIFESTS: readonly Manifest[] = FOLDERS.map((folder) =>
  readManifest(join(ROOT, folder, "package.json")),
);

/** Why the library's package would have no library; "": it has one. */
export const whyNoLibraryPackage: string =
  `${process.platform} ${process.arch}` === "linux x64" ? whyNoNative : "libmorecore.so is for Linux on x64";

/** A stranger's folder. */
export class Stranger {
  readonly folder: string = mkdtempSync(join(tmpdir(), "morecore-stranger-"));
  readonly modules: string = join(this.folder, "node_modules");

  /** Puts a tarball where npm does, and its commands into .bin. */
  install(tarball: string, { name, bin = {} }: Manifest): void {
    const home = join(this.modules, name);
    mkdirSync(home, { recursive: true });
    execFileSync("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"]);
    mkdirSync(join(this.modules, ".bin"), { recursive: true });
    for (const [command, file] of Object.entries(bin))
      symlinkSync(join(home, file), join(this.modules, ".bin", command));
  }

  /** A package of somebody else's, as the checkout has it. */
  link(name: string): void {
    const home = join(this.modules, name);
    if (existsSync(home)) return;
    mkdirSync(dirname(home), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), home);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Packs everything into a folder; the tarballs by the packages' names. */
export function packAll(folder: string): Map<string, Tarball & { readonly path: string }> {
  // Its package is only what was built.
  if (whyNoLibraryPackage === "") nativeLibrary();
  const folders = FOLDERS.filter((name) => whyNoLibraryPackage === "" || !name.endsWith("linux-x64"));
  const out = execFileSync(
    "npm",
    ["pack", "--json", "--offline", "--pack-destination", folder, ...folders.map((name) => `./${name}`)],
    { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  const packed = Object.values(JSON.parse(out) as Record<string, PackedJson>);
  return new Map(
    packed.map(({ name, filename, size, files }) => {
      const manifest = MANIFESTS.find((known) => known.name === name);
      if (manifest === undefined) throw new Error(`npm has packed ${name}, which nobody knows`);
      return [name, { manifest, size, files: files.map(({ path }) => path), path: join(folder, filename) }];
    }),
  );
}

/** Of what npm pack --json prints. */
interface PackedJson {
  readonly name: string;
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}
