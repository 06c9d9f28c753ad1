// Version: which one may follow.

import semver from "semver";
import { Refusal } from "./refusal.ts";

/** Throws a Refusal unless the version is one, and may come after those that were released and the one in package.json. */
export function checkVersion(version: string, current: string, released: readonly string[]): void {
  if (semver.valid(version) !== version)
    throw new Refusal(
      `${JSON.stringify(version)} is no version that npm takes: MAJOR.MINOR.PATCH, as 1.2.3 or 1.2.3-rc.1`,
    );
  const [last] = semver.rsort([...released]);
  if (last !== undefined && !semver.gt(version, last))
    throw new Refusal(`${version} is not greater than ${last}, which CHANGELOG.md says was released`);
  // The first release has the version that package.json has had all along.
  if (semver.lt(version, current))
    throw new Refusal(`${version} is less than ${current}, the version in package.json`);
}

/** What npm publish needs besides: the tag "latest" is for versions that everybody should get. */
export function distTag(version: string): string {
  return semver.prerelease(version) === null ? "" : " --tag next";
}
