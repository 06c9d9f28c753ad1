// Packs all that is published, and judges it: publint, arethetypeswrong, sizes. Nothing is published, nothing is changed.
//
//   npm run packages [FOLDER]   the tarballs, in build/packages or FOLDER; needs `npm run build`

import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { complaintsOf } from "./release/judge.ts";
import { FOLDERS, LIBRARY_FOLDER, readManifest } from "./release/packages.ts";
import { webAddress } from "./release/repository.ts";
import { packAll } from "./release/stage.ts";
import { ROOT } from "./root.ts";

const to = resolve(process.argv[2] ?? join(ROOT, "build/packages"));
const hasLibrary = existsSync(join(ROOT, LIBRARY_FOLDER, "libmorecore.so"));
if (!hasLibrary) console.log("libmorecore.so is not built: its package is left out");
const { version, repository } = readManifest(ROOT, "");
if (process.argv[2] === undefined) rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
const tarballs = packAll({
  root: ROOT,
  folders: FOLDERS.filter((folder) => hasLibrary || folder !== LIBRARY_FOLDER),
  to,
  version,
  address: webAddress(repository),
});
for (const tarball of tarballs) {
  const { manifest, path, size, unpackedSize, files } = tarball;
  console.log(
    `${path}: ${manifest.name}, ${size} bytes packed, ${unpackedSize} unpacked, ${files.length} files`,
  );
  const complaints = await complaintsOf(tarball);
  if (complaints.length > 0) process.exitCode = 1;
  for (const complaint of complaints) console.error(`${manifest.name}: ${complaint}`);
}
