// Release: one version of all packages, from a clean checkout to tarballs that can be published.
//
// Owns:       the order of what is done. Everything is looked at first; files of the checkout are written last.
// Needs:      git, npm pack. Publishes nothing.
// Invariants: whoever is refused finds the checkout as it was, but for what git ignores.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { bumped } from "./bump.ts";
import { releasedChangelog, releasedVersions } from "./changelog.ts";
import { FOLDERS, LIBRARY_FOLDER, readManifest } from "./packages.ts";
import { Refusal } from "./refusal.ts";
import { webAddress, whyNoAddress } from "./repository.ts";
import { packAll, type Tarball } from "./stage.ts";
import { obstaclesIn, originOf } from "./tree.ts";
import { checkVersion, distTag } from "./version.ts";

export interface Plan {
  readonly root: string;
  readonly version: string;
  /** As 2026-11-28. */
  readonly date: string;
  /** Where the tarballs go; it is emptied first. */
  readonly to: string;
  /** Does all but write, and goes on where a release would be refused by the state of the checkout. */
  readonly isDryRun: boolean;
  build(): void;
  judge(tarball: Tarball): Promise<readonly string[]>;
}

export interface Released {
  readonly tarballs: readonly Tarball[];
  /** Paths from the root: what is written, or in a dry run would be. */
  readonly written: readonly string[];
  /** Why this would be refused; none unless it was a dry run. */
  readonly obstacles: readonly string[];
}

export async function release(plan: Plan): Promise<Released> {
  const { root, version, isDryRun } = plan;
  const { version: current, repository } = readManifest(root, "");
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  checkVersion(version, current, releasedVersions(changelog));
  const address = addressOf(repository);
  const texts = bumped(root, version).set(
    "CHANGELOG.md",
    releasedChangelog(changelog, version, plan.date, address),
  );
  const obstacles = [whyNoAddress(address, originOf(root)), ...obstaclesIn(root, version)].filter(Boolean);
  if (obstacles.length > 0 && !isDryRun) throw new Refusal(obstacles.join("\n"));

  plan.build();
  const hasLibrary = existsSync(join(root, LIBRARY_FOLDER, "libmorecore.so"));
  if (!hasLibrary) obstacles.push(`${LIBRARY_FOLDER} has no libmorecore.so: npm run build:native says why`);
  if (!hasLibrary && !isDryRun) throw new Refusal(obstacles.join("\n"));
  const folders = FOLDERS.filter((folder) => hasLibrary || folder !== LIBRARY_FOLDER);
  const tarballs = await judged(plan, folders, address);

  if (!isDryRun) for (const [file, text] of texts) writeFileSync(join(root, file), text);
  return { tarballs, written: [...texts.keys()], obstacles };
}

function addressOf(repository: unknown): string | undefined {
  try {
    return webAddress(repository);
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : String(error));
  }
}

async function judged(
  { root, version, to, judge }: Plan,
  folders: readonly string[],
  address: string | undefined,
): Promise<Tarball[]> {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const tarballs = packAll({ root, folders, to, version, address });
  const complaints: string[] = [];
  for (const tarball of tarballs)
    for (const complaint of await judge(tarball)) complaints.push(`${tarball.manifest.name}: ${complaint}`);
  if (complaints.length === 0) return tarballs;
  rmSync(to, { recursive: true });
  throw new Refusal(complaints.join("\n"));
}

/** What makes the release known to git. */
export function commitCommands(version: string, written: readonly string[]): string[][] {
  return [
    ["git", "commit", "-m", `release: ${version}`, "--", ...written],
    ["git", "tag", "-a", `v${version}`, "-m", `morecore ${version}`],
  ];
}

/** What gives it to others, each package after those that it needs. */
export function publishCommands(root: string, version: string, tarballs: readonly Tarball[]): string[] {
  const published = tarballs.map(({ path }) => `npm publish ./${relative(root, path)}${distTag(version)}`);
  return ["git push --follow-tags", ...published];
}
