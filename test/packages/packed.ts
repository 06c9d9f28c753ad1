// Packed: every package as npm would publish it, unpacked side by side as npm would install it.
//
// Owns:  a folder outside of the checkout, in which nothing is found that a package does not declare.
// Needs: the packages as they were built; tools/release, tar. No network: other people's packages are those of the checkout.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { FOLDERS, LIBRARY_FOLDER, type Manifest, readManifest } from "../../tools/release/packages.ts";
import { webAddress } from "../../tools/release/repository.ts";
import { packAll, type Tarball } from "../../tools/release/stage.ts";
import { ROOT } from "../support/c-program.ts";
import { nativeLibrary, whyNoNative } from "../support/native.ts";

export const MANIFESTS: readonly Manifest[] = FOLDERS.map((folder) => readManifest(ROOT, folder));

/** Of the workspace: the version of all, and where the sources are to be found, once somebody has said so. */
export const WORKSPACE: Manifest = readManifest(ROOT, "");

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

/** Packs everything into a folder, as a release does; the tarballs by the packages' names. */
export function packInto(folder: string): Map<string, Tarball> {
  // Its package is only what was built.
  if (whyNoLibraryPackage === "") nativeLibrary();
  const { version, repository } = WORKSPACE;
  const tarballs = packAll({
    root: ROOT,
    folders: FOLDERS.filter((name) => whyNoLibraryPackage === "" || name !== LIBRARY_FOLDER),
    to: folder,
    version,
    address: webAddress(repository),
  });
  return new Map(tarballs.map((tarball) => [tarball.manifest.name, tarball]));
}
