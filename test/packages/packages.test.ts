// What a stranger gets: the tarballs of all packages, unpacked outside of the checkout.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Manifest, targetsOf } from "../../tools/release/packages.ts";
import { ROOT } from "../support/c-program.ts";
import { type Ended, runWith } from "../support/native.ts";
import { MANIFESTS, packInto, Stranger, whyNoLibraryPackage } from "./packed.ts";

/** What bench measures where it is installed. Here it is not. */
const MEASURED = ["@thi.ng/malloc", "assemblyscript"];
const LIBRARY_PACKAGE = "@morecore/native-linux-x64";

const stranger = new Stranger();
let tarballs: ReturnType<typeof packInto>;

beforeAll(() => {
  tarballs = packInto(stranger.folder);
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

/** The names by which a package's JavaScript is imported. A command has none. */
function importable({ name, exports = {} }: Manifest): string[] {
  return Object.entries(exports).flatMap(([path, entry]) =>
    typeof entry === "string"
      ? []
      : targetsOf(entry).some((file) => file.endsWith(".js"))
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

/** Node 20.19 and 22.12 are the first whose require takes an ES module. */
const takesModules = "require_module" in process.features;

const isNode = (name: string): boolean => name.startsWith("node:") || builtinModules.includes(name);

describe.each(MANIFESTS.map((manifest) => [manifest.name, manifest] as const))("%s", (name, manifest) => {
  const skipped = name === LIBRARY_PACKAGE && whyNoLibraryPackage !== "";

  it.skipIf(skipped)("imports what it declares, and nothing else", () => {
    const scripts = (tarballs.get(name)?.files ?? []).filter((file) => /\.m?js$/.test(file));
    const imported = scripts.flatMap((file) => [
      ...importsOf(readFileSync(join(stranger.modules, name, file), "utf8")),
    ]);
    const declared = declaredBy(manifest).add(name);
    expect(imported.filter((other) => !isNode(other) && !declared.has(other))).toEqual([]);
  });

  const names = importable(manifest);

  it.skipIf(names.length === 0)("can be imported by each name that it exports", () => {
    const script = `for (const name of ${JSON.stringify(names)}) if (Object.keys(await import(name)).length === 0) console.log(name);`;
    expect(runIn(process.execPath, "--input-type=module", "-e", script)).toEqual(SILENT);
  });

  it.skipIf(names.length === 0 || !takesModules)(
    "can be required by each of them, in a CommonJS file",
    () => {
      const script = `for (const name of ${JSON.stringify(names)}) if (Object.keys(require(name)).length === 0) console.log(name);`;
      const quiet = ["--disable-warning=ExperimentalWarning", "--input-type=commonjs", "-e", script];
      expect(runIn(process.execPath, ...quiet)).toEqual(SILENT);
    },
  );

  it.skipIf(names.length === 0)('has no effect when it is imported, as "sideEffects" says', () => {
    const script = `const before = Object.getOwnPropertyNames(globalThis);
      for (const name of ${JSON.stringify(names)}) await import(name);
      console.log(...Object.getOwnPropertyNames(globalThis).filter((name) => !before.includes(name)));`;
    expect(runIn(process.execPath, "--input-type=module", "-e", script)).toEqual({ ...SILENT, stdout: "\n" });
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
