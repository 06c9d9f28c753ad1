// Bundle: the test files as one script that any engine can run.
//
// Owns:       build/runtimes/suite.
// Needs:      esbuild; the built package (`npm run build`).
// Invariants: B1  a file that imports morecore by its public names alone tests what was built: packages/morecore/dist
//             B2  one that looks into the sources, itself or by what it imports, has all of the package from its sources
//
// Two bundles and not one, since a heap of the sources is none of the built package: a file that had both would
// compare classes of the one with objects of the other.

import { readFileSync } from "node:fs";
import path from "node:path";
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild";
import { ROOT } from "../../bench/harness/paths.ts";
import { STAND_INS, suiteFiles } from "./suite.ts";

const FOLDER = path.join(ROOT, "build/runtimes/suite");
const SOURCES = "packages/morecore/src/";
/** By which the sources' tests know what dist has, too. */
const PUBLIC: Readonly<Record<string, string>> = {
  "packages/morecore/src/index.ts": "packages/morecore/dist/index.js",
  "packages/morecore/src/engine.ts": "packages/morecore/dist/engine.js",
};

const COMMON: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  mainFields: ["module", "main"],
  logLevel: "error",
};

export type Part = "built" | "sources";

export interface Bundle {
  /** Where the scripts lie. */
  readonly folder: string;
  readonly parts: Readonly<Record<Part, readonly string[]>>;
  /** Those that make resizable buffers: some engines cannot bear them beside others (inside/forgetful.ts). */
  readonly apart: readonly string[];
}

/** Writes the scripts. */
export async function bundleSuite(): Promise<Bundle> {
  const files = suiteFiles();
  const metafile = await bundle("sources", files, false);
  const imports = new Map(files.map((file) => [file, importsOf(file, metafile)]));
  const isInside = (name: string): boolean => name.startsWith(SOURCES) && !(name in PUBLIC);
  const looking = files.filter((file) => imports.get(file)?.some(isInside));
  const parts = { built: files.filter((file) => !looking.includes(file)), sources: looking };
  for (const part of ["built", "sources"] as const) await bundle(part, parts[part], true);
  await bundleEntries();
  await bundleWorker();
  const apart = files.filter((file) => imports.get(file)?.some(makesResizable));
  return { folder: FOLDER, parts, apart };
}

/** A test file, and what it imports, but nothing of what the package's sources import in turn. */
function importsOf(file: string, { inputs }: Metafile): string[] {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    if (!name.startsWith(SOURCES)) for (const each of inputs[name]?.imports ?? []) visit(each.path);
  };
  visit(file);
  return [...seen];
}

/** Tests and their support alone are asked: the package mentions them, too. */
function makesResizable(name: string): boolean {
  if (!/^(packages\/\w+\/)?test\//.test(name)) return false;
  return /maxByteLength|"lasting"/.test(readFileSync(path.join(ROOT, name), "utf8"));
}

/** One part, as a module that exports `answer`; with `write` false, to look at what it would be made of. */
async function bundle(part: Part, files: readonly string[], write: boolean): Promise<Metafile> {
  const loaders = files.map(
    (file) => `${JSON.stringify(file)}: () => import(${JSON.stringify(`./${file}`)}),`,
  );
  const contents = `
    import { run } from "./test/runtimes/inside/run.ts";
    export { servingKernel } from "./test/runtimes/inside/kernel.ts";
    export const answer = (wishes) => run({ ${loaders.join("\n")} }, wishes);`;
  const { metafile } = await build({
    ...COMMON,
    metafile: true,
    stdin: { contents, resolveDir: ROOT, loader: "js" },
    outfile: path.join(FOLDER, `${part}.js`),
    write,
    inject: ["buffer", "dispose"].map((name) => path.join(ROOT, `test/runtimes/stand-ins/${name}.ts`)),
    alias: { vitest: path.join(ROOT, "test/runtimes/inside/vitest.ts") },
    conditions: part === "sources" ? ["@morecore/source"] : [],
    plugins: [fewerRuns, replacing(part === "sources" ? STAND_INS : { ...STAND_INS, ...PUBLIC })],
  });
  return metafile;
}

/** What each kind of engine starts with. */
async function bundleEntries(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: ["page", "command", "worker"].map((name) =>
      path.join(ROOT, `test/runtimes/inside/${name}.ts`),
    ),
    outdir: FOLDER,
    external: ["./built.js", "./sources.js"],
  });
}

/** What Workers start with, under the name that tests know it by. */
async function bundleWorker(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: [path.join(ROOT, "test/workers/stress.worker.mjs")],
    outdir: FOLDER,
    outExtension: { ".js": ".mjs" },
  });
}

const FAST_CHECK = path.join(ROOT, "test/runtimes/stand-ins/fast-check.ts");

/** Tests get fast-check by our own file, and that gets the package. */
const fewerRuns: Plugin = {
  name: "fewer-runs",
  setup({ onResolve }) {
    onResolve({ filter: /^fast-check$/ }, ({ importer }) =>
      importer === FAST_CHECK ? undefined : { path: FAST_CHECK },
    );
  },
};

/** A file of the repository, when it is imported, hands on what another one has. */
function replacing(files: Readonly<Record<string, string>>): Plugin {
  return {
    name: "replacing",
    setup({ onLoad }) {
      for (const [file, by] of Object.entries(files)) {
        const filter = new RegExp(`^${path.join(ROOT, file).replaceAll(/[.+/]/g, "\\$&")}$`);
        onLoad({ filter }, () => ({
          contents: `export * from ${JSON.stringify(path.join(ROOT, by))};`,
          resolveDir: ROOT,
        }));
      }
    },
  };
}
