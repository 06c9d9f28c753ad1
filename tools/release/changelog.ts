// Changelog: CHANGELOG.md, as keepachangelog.com has it.

import { Refusal } from "./refusal.ts";

const UNRELEASED = "## [Unreleased]\n";
const RELEASED = /^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$/gm;

export function releasedVersions(changelog: string): string[] {
  return Array.from(changelog.matchAll(RELEASED), ([, version = ""]) => version);
}

/** The changelog in which what was unreleased has a version and a date. Throws a Refusal if that is nothing. */
export function releasedChangelog(
  changelog: string,
  version: string,
  date: string,
  address: string | undefined,
): string {
  const [before, after, ...more] = changelog.split(UNRELEASED);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Refusal(`CHANGELOG.md must have the line "${UNRELEASED.trim()}" once`);
  const end = after.search(/^(?:## |\[[^\]]+\]: )/m);
  const changes = end === -1 ? after : after.slice(0, end);
  if (!/^- \S/m.test(changes))
    throw new Refusal(
      `CHANGELOG.md has no item ("- …") under "${UNRELEASED.trim()}": a release says what is new`,
    );
  const older = end === -1 ? "" : after.slice(end);
  const moved =
    `${before}${UNRELEASED}\n## [${version}] - ${date}\n\n${changes.trim()}\n\n${older}`.trimEnd();
  if (address === undefined) return `${moved}\n`;
  // The first link stands apart from the text, others follow it.
  const gap = /^\[[^\]]+\]: .*$/m.test(older) ? "\n" : "\n\n";
  return `${moved}${gap}[${version}]: ${address}/tree/v${version}\n`;
}
