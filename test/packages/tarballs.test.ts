// What is published: each tarball by itself, and what its judges say.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { complaintsOf } from "../../tools/release/judge.ts";
import { LIBRARY_FOLDER, MOST_BYTES, readManifest } from "../../tools/release/packages.ts";
import { deadLinks } from "../../tools/release/readme.ts";
import { addressFields, webAddress } from "../../tools/release/repository.ts";
import type { Tarball } from "../../tools/release/stage.ts";
import { ROOT } from "../support/c-program.ts";
import { MANIFESTS, packInto, Stranger, WORKSPACE, whyNoLibraryPackage } from "./packed.ts";

const FOLDERS = Object.keys(MOST_BYTES);
/** Of a function's text, that two files of the core would not have by chance. */
const LONG_TEXT = 100;

const stranger = new Stranger();
let tarballs: ReturnType<typeof packInto>;

beforeAll(() => {
  tarballs = packInto(stranger.folder);
  for (const { manifest, path } of tarballs.values()) stranger.install(path, manifest);
}, 120_000);
afterAll(() => stranger.remove());

function tarballOf(name: string): Tarball {
  const found = tarballs.get(name);
  if (found === undefined) throw new Error(`${name} was not packed`);
  return found;
}

function textIn(name: string, file: string): string {
  return readFileSync(join(stranger.modules, name, file), "utf8");
}

/** All that a value of package.json names as a file of the package. */
function filesNamed(value: unknown): string[] {
  if (typeof value === "string") return value.startsWith("./") ? [value.slice(2)] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([, inner]) => filesNamed(inner));
}

describe.each(FOLDERS)("the tarball of %s", (folder) => {
  const { name } = readManifest(ROOT, folder);
  const skipped = folder === LIBRARY_FOLDER && whyNoLibraryPackage !== "";

  it.skipIf(skipped)("says what it is, for whom it is, and how it is published", () => {
    const { manifest } = tarballOf(name);
    const { license, author, description, keywords, publishConfig } = manifest;
    expect({ version: manifest.version, license, author, publishConfig }).toEqual({
      version: WORKSPACE.version,
      license: "MIT",
      author: "the morecore authors",
      publishConfig: { access: "public", provenance: true },
    });
    expect(description).not.toBe("");
    expect(keywords).toContain("malloc");
  });

  it.skipIf(skipped)("says where its sources are as package.json of the workspace does, or nothing", () => {
    const published = JSON.parse(textIn(name, "package.json"));
    const { homepage, bugs, repository } = published;
    const said = { homepage: undefined, bugs: undefined, repository: undefined };
    expect({ homepage, bugs, repository }).toEqual({
      ...said,
      ...addressFields(webAddress(WORKSPACE.repository), folder),
    });
  });

  it.skipIf(skipped)("is found by tools that know no exports: main and types are those of the root", () => {
    const { main, types, exports = {} } = tarballOf(name).manifest;
    const root = exports["."];
    const expected = typeof root === "object" ? [root["default"], root["types"]] : [undefined, undefined];
    expect([main, types]).toEqual(expected);
  });

  it.skipIf(skipped)("names no file that it lacks, and nothing that only a checkout has", () => {
    const { files } = tarballOf(name);
    const published = JSON.parse(textIn(name, "package.json"));
    const { bin = {}, exports = {} } = published;
    const named = [...filesNamed({ ...published, bin: undefined }), ...Object.values<string>(bin)];
    expect(named.filter((file) => !files.includes(file))).toEqual([]);
    expect(named.length).toBeGreaterThanOrEqual(Object.keys(exports).length);
    expect(Object.keys(published)).not.toEqual(expect.arrayContaining(["scripts"]));
    expect(textIn(name, "package.json")).not.toMatch(/devDependencies|@morecore\/source|"imports"/);
  });

  it.skipIf(skipped)("has a README, the licence's text, and neither tests nor sources nor maps", () => {
    const { files } = tarballOf(name);
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
    expect(files.filter((file) => /(^|\/)(test|src)\/|\.map$|(?<!\.d)\.ts$/.test(file))).toEqual([]);
    expect(textIn(name, "LICENSE")).toBe(readFileSync(join(ROOT, "LICENSE"), "utf8"));
  });

  it.skipIf(skipped)("has a README whose links and pictures a stranger can follow", () => {
    expect(deadLinks(textIn(name, "README.md"), tarballOf(name).files)).toEqual([]);
  });

  it.skipIf(skipped)("has nothing to complain of for publint, arethetypeswrong and the scales", async () => {
    expect(await complaintsOf(tarballOf(name))).toEqual([]);
  });
});

describe("the core", () => {
  it("depends on nothing", () => {
    const { dependencies, optionalDependencies, peerDependencies } = tarballOf("morecore").manifest;
    expect([dependencies, optionalDependencies, peerDependencies]).toEqual([undefined, undefined, undefined]);
  });

  it("has each function and class once", () => {
    const scripts = tarballOf("morecore").files.filter((file) => file.endsWith(".js"));
    const homes = new Map<string, string>();
    const twice = scripts.flatMap((file) =>
      declaredIn(textIn("morecore", file)).flatMap((text) => {
        const home = homes.get(text) ?? file;
        homes.set(text, home);
        return home === file ? [] : [`${home} and ${file}: ${text}`];
      }),
    );
    expect(scripts.length).toBeGreaterThan(1);
    expect(homes.size).toBeGreaterThan(100);
    expect(twice).toEqual([]);
  });
});

/** What stands on the left margin of a script: a bundler that copies one may give it another name. */
function declaredIn(script: string): string[] {
  const declared = script.matchAll(/^(?:async )?(?:function|(?:const \w+ = )?class)\b[\s\S]*?^\}/gm);
  return Array.from(declared, ([text]) =>
    text.replace(/^((?:async )?(?:function\*?|const|class) )\w+/, "$1"),
  ).filter((text) => text.length >= LONG_TEXT);
}

it("the others are taken in the same version", () => {
  const ours = new Set(MANIFESTS.map(({ name }) => name));
  const versions = [...tarballs.values()].flatMap(({ manifest }) =>
    Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies })
      .filter(([name]) => ours.has(name))
      .map(([, version]) => version),
  );
  expect(new Set(versions)).toEqual(new Set([WORKSPACE.version]));
});
