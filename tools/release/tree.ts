// Tree: what git says of the checkout from which a release would be made.

import { spawnSync } from "node:child_process";

const SHOWN = 5;

export function git(root: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

/** Where the checkout was cloned from; undefined: from nowhere that it knows. */
export function originOf(root: string): string | undefined {
  const remotes = git(root, "remote").split("\n");
  return remotes.includes("origin") ? git(root, "remote", "get-url", "origin").trim() : undefined;
}

/** Why no release of this version can be made of what lies there. */
export function obstaclesIn(root: string, version: string): string[] {
  const obstacles: string[] = [];
  const changed = git(root, "status", "--porcelain").trimEnd().split("\n").filter(Boolean);
  if (changed.length > 0) {
    const more = changed.length > SHOWN ? `, and ${changed.length - SHOWN} more` : "";
    const files = changed.slice(0, SHOWN).map((line) => line.slice(3));
    obstacles.push(
      `the tree is not clean: ${files.join(", ")}${more}: a release is made of what is committed`,
    );
  }
  if (git(root, "tag", "--list", `v${version}`) !== "")
    obstacles.push(`the tag v${version} is there already: a version is released once`);
  return obstacles;
}
