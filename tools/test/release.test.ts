import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { scratchFolder } from "../../test/support/scratch.ts";
import { FOLDERS, LIBRARY_FOLDER, type Manifest, readManifest } from "../release/packages.ts";
import { commitCommands, type Plan, publishCommands, release } from "../release/release.ts";
import { jsonText } from "../release/stage.ts";
import { git } from "../release/tree.ts";
import { ROOT } from "../root.ts";

const ADDRESS = "https://github.com/someone/morecore";
const CHANGES = "# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- Something.\n";
const scratch = scratchFolder("release");

/** A checkout with our manifests, in which each package has one file. */
function checkout(name: string): string {
  const root = join(scratch, name);
  const put = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  for (const folder of FOLDERS) {
    cpSync(join(ROOT, folder, "package.json"), join(root, folder, "package.json"), { recursive: true });
    put(join(folder, "README.md"), "# It\n\n[more](../../docs/MORE.md), ![chart](../../chart.svg)\n");
    for (const entry of ["dist/index.d.ts", "dist/unreached.d.ts", "dist/index.js", "libmorecore.so"])
      put(join(folder, entry), "");
    for (const entry of Object.values(readManifest(ROOT, folder).exports ?? {}))
      if (typeof entry === "object") for (const file of Object.values(entry)) put(join(folder, file), "");
  }
  put("CHANGELOG.md", CHANGES);
  const repository = { type: "git", url: `git+${ADDRESS}.git` };
  put("package.json", jsonText({ ...readManifest(ROOT, ""), version: "0.1.0", repository }));
  cpSync(join(ROOT, "package-lock.json"), join(root, "package-lock.json"));
  git(root, "init", "--quiet");
  git(root, "config", "user.email", "someone@example.com");
  git(root, "config", "user.name", "someone");
  committed(root);
  return root;
}

function committed(root: string): void {
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "--message", "all");
}

function change(root: string, file: string, text: string): void {
  writeFileSync(join(root, file), text);
  committed(root);
}

function plan(root: string, version: string, more: Partial<Plan> = {}): Plan {
  return {
    root,
    version,
    date: "2026-11-28",
    to: join(scratch, "tarballs", version),
    isDryRun: false,
    build: () => {},
    judge: async () => [],
    ...more,
  };
}

function inTarball(tarball: string, file: string): string {
  return execFileSync("tar", ["-xzOf", tarball, `package/${file}`], { encoding: "utf8" });
}

/** Of ours, in whatever a manifest or a part of the lock file asks for. */
function versionsOf(manifest: Partial<Manifest>): string[] {
  const { version = "none", dependencies, optionalDependencies, devDependencies } = manifest;
  const asked = Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies });
  const ours = asked.filter(([name, what]) => /^(?:@morecore\/|morecore$)/.test(name) && !what.includes(":"));
  return [version, ...ours.map(([, what]) => what)];
}

describe("a release", () => {
  let root: string;
  let released: Awaited<ReturnType<typeof release>>;
  beforeAll(async () => {
    root = checkout("released");
    released = await release(plan(root, "0.2.0"));
  });

  it("gives its version to each package, to what they need of each other, and to the lock file", () => {
    const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
    const locked = ["", ...FOLDERS].map((folder) => lock.packages[folder]);
    const manifests = ["", ...FOLDERS].map((folder) => readManifest(root, folder));
    const versions = [lock, ...locked, ...manifests].flatMap(versionsOf);
    expect(new Set(versions)).toEqual(new Set(["0.2.0"]));
    expect(versions.length).toBeGreaterThan(2 * FOLDERS.length);
  });

  it("changes nothing else in those files", () => {
    const changed = git(root, "diff", "--unified=0").match(/^[+-](?![+-]{2}).*/gm) ?? [];
    const others = changed.filter((line) => !/"0\.[12]\.0",?$/.test(line));
    expect(others).toEqual(["+## [0.2.0] - 2026-11-28", "+", "+", `+[0.2.0]: ${ADDRESS}/tree/v0.2.0`]);
  });

  it("packs each package in that version, with the address and the folder of its sources", () => {
    expect(released.tarballs.map(({ folder }) => folder)).toEqual(FOLDERS);
    for (const { folder, path } of released.tarballs)
      expect(JSON.parse(inTarball(path, "package.json"))).toMatchObject({
        version: "0.2.0",
        homepage: `${ADDRESS}/tree/HEAD/${folder}#readme`,
        bugs: `${ADDRESS}/issues`,
        repository: { type: "git", url: `git+${ADDRESS}.git`, directory: folder },
      });
  });

  it("leads a README's links to the release's own files, and pictures to what they show", () => {
    const [core] = released.tarballs;
    expect(inTarball(core?.path ?? "", "README.md")).toContain(
      `[more](${ADDRESS}/blob/v0.2.0/docs/MORE.md), ![chart](${ADDRESS}/raw/v0.2.0/chart.svg)`,
    );
  });

  it("leaves out declarations that no entry reaches", () => {
    expect(released.tarballs[0]?.files).toContain("dist/index.d.ts");
    expect(released.tarballs[0]?.files).not.toContain("dist/unreached.d.ts");
  });

  it("says which commands commit and publish, each package after those that it needs", () => {
    const commands = publishCommands(root, "0.2.0", released.tarballs);
    expect(commands.map((command) => command.replace(/\S*\//, ""))).toEqual([
      "git push --follow-tags",
      "npm publish morecore-0.2.0.tgz",
      "npm publish morecore-os-0.2.0.tgz",
      "npm publish morecore-inspect-0.2.0.tgz",
      "npm publish morecore-wasm-0.2.0.tgz",
      "npm publish morecore-native-linux-x64-0.2.0.tgz",
      "npm publish morecore-native-0.2.0.tgz",
      "npm publish morecore-bench-0.2.0.tgz",
      "npm publish morecore-cli-0.2.0.tgz",
    ]);
    expect(publishCommands(root, "0.2.0-rc.1", released.tarballs)[1]).toMatch(/\.tgz --tag next$/);
    expect(git(root, "tag")).toBe("");
  });

  it("is committed and tagged by those commands, and can be followed by the next only", async () => {
    for (const [, ...args] of commitCommands("0.2.0", released.written)) git(root, ...args);
    expect(git(root, "status", "--porcelain")).toBe("");
    const text = readFileSync(join(root, "CHANGELOG.md"), "utf8");
    change(root, "CHANGELOG.md", text.replace("## [Unreleased]\n", "## [Unreleased]\n\n- More.\n"));
    await expect(release(plan(root, "0.2.0"))).rejects.toThrow("0.2.0 is not greater than 0.2.0, which");
    await release(plan(root, "0.2.1"));
    expect(readFileSync(join(root, "CHANGELOG.md"), "utf8")).toBe(
      "# Changelog\n\n## [Unreleased]\n\n## [0.2.1] - 2026-11-28\n\n- More.\n\n" +
        "## [0.2.0] - 2026-11-28\n\n### Fixed\n\n- Something.\n\n" +
        `[0.2.0]: ${ADDRESS}/tree/v0.2.0\n[0.2.1]: ${ADDRESS}/tree/v0.2.1\n`,
    );
  });
});

describe("a release is refused, and the checkout is as it was,", () => {
  let root: string;
  beforeAll(() => {
    root = checkout("refused");
  });

  async function refused(version: string, message: RegExp, more: Partial<Plan> = {}): Promise<void> {
    const before = git(root, "status", "--porcelain");
    await expect(release(plan(root, version, more))).rejects.toThrow(
      expect.objectContaining({ name: "Refusal", message: expect.stringMatching(message) }),
    );
    expect(git(root, "status", "--porcelain")).toBe(before);
    expect(existsSync(join(scratch, "tarballs", version, "morecore-0.2.0.tgz"))).toBe(false);
  }

  it.each(["v0.2.0", "0.2", "0.2.0+1", "next", "", "00.2.0"])("of %j, no version", (version) =>
    refused(version, /is no version that npm takes: MAJOR\.MINOR\.PATCH/),
  );

  it("of a version less than that of package.json", () =>
    refused("0.0.9", /^0\.0\.9 is less than 0\.1\.0, the version in package\.json$/));

  it("when a judge complains: who, and of what", () =>
    refused("0.2.0", /^@morecore\/os: it has an odd file$/, {
      judge: async ({ manifest }) => (manifest.name === "@morecore/os" ? ["it has an odd file"] : []),
    }));

  it("when something is not committed: what", async () => {
    writeFileSync(join(root, "new.txt"), "");
    await refused("0.2.0", /^the tree is not clean: new\.txt: a release is made of what is committed$/);
    committed(root);
  });

  it("when the tag is there", async () => {
    git(root, "tag", "v0.3.0");
    await refused("0.3.0", /^the tag v0\.3\.0 is there already/);
  });

  it("when the checkout was cloned from elsewhere", async () => {
    git(root, "remote", "add", "origin", "git@github.com:other/morecore.git");
    await refused("0.2.0", /is https:\/\/github\.com\/someone\/morecore, but .* is git@github\.com:other/);
    git(root, "remote", "remove", "origin");
  });

  it("when nothing is unreleased", async () => {
    change(root, "CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [0.0.1] - 2026-01-01\n\n- It.\n");
    await refused("0.2.0", /^CHANGELOG\.md has no item/);
    change(root, "CHANGELOG.md", CHANGES);
  });

  it("when the address is none, or none that can be published", async () => {
    const manifest = { ...readManifest(root, ""), repository: undefined };
    change(root, "package.json", jsonText(manifest));
    await refused("0.2.0", /^"repository" is not set in package\.json.*npm pkg set/);
    for (const url of ["https://example.com/a/b", `${ADDRESS}.git`, "git+https://github.com/a.git"]) {
      change(root, "package.json", jsonText({ ...manifest, repository: { type: "git", url } }));
      await refused("0.2.0", /^"repository" in package\.json is .*: it must be an object whose url is/);
    }
  });
});

describe("a dry run", () => {
  it("goes on where the checkout is not ready, writes nothing, and says what would be refused", async () => {
    const root = checkout("rehearsed");
    change(root, "package.json", jsonText({ ...readManifest(root, ""), repository: undefined }));
    execFileSync("rm", [join(root, LIBRARY_FOLDER, "libmorecore.so")]);
    const before = git(root, "status", "--porcelain");
    const { obstacles, tarballs, written } = await release(plan(root, "0.2.0", { isDryRun: true }));
    expect(git(root, "status", "--porcelain")).toBe(before);
    expect(obstacles).toEqual([
      expect.stringContaining('"repository" is not set'),
      expect.stringContaining("the tree is not clean: packages/native/linux-x64/libmorecore.so"),
      expect.stringContaining("has no libmorecore.so"),
    ]);
    expect(written).toContain("CHANGELOG.md");
    expect(tarballs.map(({ folder }) => folder)).toEqual(FOLDERS.filter((name) => name !== LIBRARY_FOLDER));
    expect(inTarball(tarballs[0]?.path ?? "", "README.md")).toContain("\nmore, chart\n");
  });
});

describe("the command", () => {
  function run(...args: readonly string[]): { status: number | null; stderr: string } {
    const command = [join(ROOT, "build/tools/release.js"), ...args];
    const { status, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
    return { status, stderr };
  }

  it("ends with 1 where a release is refused, and says why", () => {
    const stderr =
      'release: "v9.0.0" is no version that npm takes: MAJOR.MINOR.PATCH, as 1.2.3 or 1.2.3-rc.1\n';
    expect(run("v9.0.0")).toEqual({ status: 1, stderr });
  });

  it("ends with 2 for arguments that it does not know", () => {
    expect(run()).toEqual({ status: 2, stderr: "error: missing required argument 'version'\n" });
    expect(run("9.0.0", "--publish")).toEqual({
      status: 2,
      stderr: "error: unknown option '--publish'\n",
    });
  });
});
