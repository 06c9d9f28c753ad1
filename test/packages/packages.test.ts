// What a stranger gets: the tarballs of all packages, unpacked outside of the checkout.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/c-program.ts";
import { type Ended, runWith } from "../support/native.ts";
import { MANIFESTS, type Manifest, packAll, Stranger, whyNoLibraryPackage } from "./packed.ts";

/** Of the core, packed. */
const MOST_BYTES = 400_000;
/** What bench measures where it is installed. Here it is not. */
const MEASURED = ["@thi.ng/malloc", "assemblyscript"];
const LIBRARY_PACKAGE = "@morecore/native-linux-x64";

const stranger = new Stranger();
let tarballs: ReturnType<typeof packAll>;

beforeAll(() => {
  tarballs = packAll(stranger.folder);
  for (const { manifest, path } of tarballs.values()) stranger.install(path, manifest);
  for (const name of declaredBy(...MANIFESTS))
    if (!isOurs(name) && !MEASURED.includes(name)) stranger.link(name);
}, 120_000);
afterAll(() => stranger.remove());

function isOurs(name: string): boolean {
  return MANIFESTS.some((manifest) => manifest.name === name);
}

function declaredBy(...manifests: readonly Manifest[]): Set<string> {
  return new Set(
    manifests.flatMap(({ dependencies, optionalDependencies, peerDependencies }) =>
      Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }),
    ),
  );
}

/** What an entry of "exports" gives to whom; the checkout's own condition apart, whose files stay there. */
function targets(entry: string | Readonly<Record<string, string>>): string[] {
  if (typeof entry === "string") return [entry];
  return Object.entries(entry).flatMap(([condition, file]) =>
    condition === "@morecore/source" ? [] : [file],
  );
}

/** The names by which a package's JavaScript is imported. A command has none. */
function importable({ name, exports = {} }: Manifest): string[] {
  return Object.entries(exports).flatMap(([path, entry]) =>
    typeof entry === "string"
      ? []
      : targets(entry).some((file) => file.endsWith(".js"))
        ? [name + path.slice(1)]
        : [],
  );
}

/** The packages that a built file imports. */
function importsOf(code: string): Set<string> {
  const found = [
    ...code.matchAll(/^(?:import|export)\b[^;"]*\bfrom "([^"]+)";$/gm),
    ...code.matchAll(/^import "([^"]+)";$/gm),
    ...code.matchAll(/\bimport\("([^"]+)"\)/g),
    ...code.matchAll(/\bresolve\("([^"]+)"\)/g),
  ].flatMap(([, specifier = ""]) => (specifier.startsWith(".") ? [] : specifier));
  return new Set(found.map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier));
}

const isNode = (name: string): boolean => name.startsWith("node:") || builtinModules.includes(name);

describe.each(MANIFESTS.map((manifest) => [manifest.name, manifest] as const))("%s", (name, manifest) => {
  const skipped = name === LIBRARY_PACKAGE && whyNoLibraryPackage !== "";

  it("says what it is: the version of all, a description, the licence, no repository", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const { description, license, repository } = manifest;
    expect({ version: manifest.version, license, repository }).toEqual({
      version,
      license: "MIT",
      repository: undefined,
    });
    expect(description).not.toBe("");
  });

  it("takes the others in its own version", () => {
    const { version, dependencies, optionalDependencies } = manifest;
    const others = Object.entries({ ...dependencies, ...optionalDependencies }).filter(([other]) =>
      isOurs(other),
    );
    expect(others).toEqual(others.map(([other]) => [other, version]));
  });

  it.skipIf(skipped)("has a README, the licence's text, and neither tests nor sources nor maps", () => {
    const { files } = tarballs.get(name) ?? { files: [] };
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
    expect(files.filter((file) => /(^|\/)(test|src)\/|\.map$|[^d]\.ts$/.test(file))).toEqual([]);
    expect(readFileSync(join(stranger.modules, name, "LICENSE"))).toEqual(
      readFileSync(join(ROOT, "LICENSE")),
    );
  });

  it.skipIf(skipped)("has each file that its exports and its commands name", () => {
    const { exports = {}, bin = {} } = manifest;
    const named = [...Object.values(exports).flatMap(targets), ...Object.values(bin)];
    expect(tarballs.get(name)?.files).toEqual(
      expect.arrayContaining(named.map((file) => file.replace(/^\.\//, ""))),
    );
  });

  it.skipIf(skipped)("imports what it declares, and nothing else", () => {
    const scripts = (tarballs.get(name)?.files ?? []).filter((file) => /\.m?js$/.test(file));
    const imported = scripts.flatMap((file) => [
      ...importsOf(readFileSync(join(stranger.modules, name, file), "utf8")),
    ]);
    const declared = declaredBy(manifest).add(name);
    expect(imported.filter((other) => !isNode(other) && !declared.has(other))).toEqual([]);
  });

  it.skipIf(importable(manifest).length === 0)("can be imported by each name that it exports", () => {
    const names = JSON.stringify(importable(manifest));
    const script = `for (const name of ${names}) if (Object.keys(await import(name)).length === 0) console.log(name);`;
    expect(runIn(process.execPath, "--input-type=module", "-e", script)).toEqual(SILENT);
  });
});

describe("the core", () => {
  it("depends on nothing", () => {
    expect(declaredBy(...MANIFESTS.slice(0, 1))).toEqual(new Set());
  });

  it(`has at most ${MOST_BYTES} bytes, packed`, () => {
    expect(tarballs.get("morecore")?.size).toBeLessThanOrEqual(MOST_BYTES);
  });
});

it("a user's compiler finds the types of all that is exported, and they are sound", () => {
  const names = MANIFESTS.flatMap(importable);
  const lines = names.map((name, index) => `import * as all${index} from "${name}";\nvoid all${index};`);
  writeFileSync(join(stranger.folder, "user.ts"), `${lines.join("\n")}\n`);
  const compilerOptions = {
    target: "ES2022",
    lib: ["ES2023", "ESNext.Disposable", "DOM"],
    module: "NodeNext",
    strict: true,
    noEmit: true,
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
  };
  writeFileSync(
    join(stranger.folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: ["user.ts"] }),
  );
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  expect(runIn(process.execPath, compiler, "-p", stranger.folder, "--pretty", "false")).toEqual(SILENT);
});

const SILENT: Ended = { stdout: "", stderr: "", end: 0 };

function runIn(command: string, ...args: readonly string[]): Ended {
  return runWith(command, args, { preload: "", cwd: stranger.folder });
}

/** What npx runs, once the package is there. */
function morecore(...args: readonly string[]): Ended {
  return runIn(join(stranger.modules, ".bin/morecore"), ...args);
}

describe("npx morecore", () => {
  const { version } = MANIFESTS[0] ?? { version: "" };

  it("runs the command that is installed beside the core", () => {
    expect(morecore("--version")).toEqual({ stdout: `${version}\n`, stderr: "", end: 0 });
  });

  it("plays a trace, draws it, and measures, from the tarballs alone", () => {
    const trace = join(ROOT, "traces/perl-20k.mct.gz");
    const { stdout, end } = morecore("replay", "--svg", "out.svg", trace);
    expect({ end, stdout }).toEqual({ end: 0, stdout: expect.stringContaining("perl-20k") });
    const measured = morecore("bench", "--rounds", "1", "--json", trace);
    expect({ ...measured, stdout: "" }).toEqual(SILENT);
    expect(JSON.parse(measured.stdout)).toMatchObject({ format: "morecore-bench-1" });
  });

  describe("of a core without the command beside it", () => {
    const other = new Stranger();
    const core = join(other.modules, "morecore/bin/morecore.mjs");
    beforeAll(() => {
      const packed = tarballs.get("morecore");
      if (packed !== undefined) other.install(packed.path, packed.manifest);
    });
    afterAll(() => other.remove());

    it("runs the command of the folder where the user stands", () => {
      expect(runIn(core, "--version")).toEqual({ stdout: `${version}\n`, stderr: "", end: 0 });
    });

    it("says which package has it where there is none, and ends with 2", () => {
      expect(runWith(core, ["--version"], { preload: "", cwd: other.folder })).toEqual({
        stdout: "",
        stderr: "morecore: the command is in the package @morecore/cli: npm install @morecore/cli\n",
        end: 2,
      });
    });
  });
});

describe("the native library", () => {
  const library = join(stranger.modules, LIBRARY_PACKAGE, "libmorecore.so");

  it.skipIf(whyNoLibraryPackage !== "")(
    "comes with its package: preload prints where, run-native uses it",
    () => {
      expect(morecore("preload")).toEqual({ stdout: `${library}\n`, stderr: "", end: 0 });
      const { stdout } = morecore("run-native", "--", "cat", "/proc/self/maps");
      expect(stdout).toContain(library);
    },
  );

  it.skipIf(process.platform !== "linux")(
    "is missed in one line that says what to do, for a user and in a checkout",
    () => {
      const packed = tarballs.get(LIBRARY_PACKAGE);
      rmSync(join(stranger.modules, LIBRARY_PACKAGE), { recursive: true, force: true });
      const missing = {
        stdout: "",
        stderr:
          "morecore: libmorecore.so is not here: npm install @morecore/native-linux-x64; in a checkout of morecore: npm run build:native\n",
        end: 2,
      };
      expect(morecore("preload")).toEqual(missing);
      expect(morecore("run-native", "--", "ls")).toEqual(missing);
      if (packed !== undefined) stranger.install(packed.path, packed.manifest);
    },
  );
});
