// What a page carries for what it imports: bundled and minified by the bundlers that people use, gzipped.
//
//   npm run sizes                 prints the table
//   npm run sizes -- --write      writes it into docs/ENTRIES.md
//
// Owns:  how each bundler is asked: for production, with nothing set that its user would not set.
// Needs: the packages as they were built.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { build as esbuild } from "esbuild";
import { build as rolldown } from "rolldown";
import { rollup } from "rollup";
import { minify } from "terser";
import { build as vite } from "vite";
import webpack from "webpack";
import { ROOT } from "./root.ts";

/** What is imported, from where, and how many bytes that may take, minified and gzipped, whatever the bundler. */
export interface Import {
  readonly name: string;
  readonly from: string;
  readonly most: number;
}

export const IMPORTS: readonly Import[] = [
  { name: "f64", from: "morecore", most: 1_300 },
  { name: "struct", from: "morecore", most: 4_000 },
  { name: "SlotMap", from: "morecore", most: 6_000 },
  { name: "Vec", from: "morecore", most: 9_200 },
  { name: "OffsetAllocator", from: "morecore", most: 6_500 },
  { name: "Malloc", from: "morecore/malloc", most: 10_500 },
  { name: "Heap", from: "morecore", most: 53_500 },
  { name: "Heap", from: "morecore/wasm", most: 49_500 },
  { name: "Heap", from: "morecore/js", most: 38_500 },
  { name: "Heap", from: "morecore/bare", most: 35_500 },
];

type Bundle = (entry: string, folder: string) => Promise<string>;

export const BUNDLERS: Readonly<Record<string, Bundle>> = {
  async esbuild(entry) {
    const { outputFiles } = await esbuild({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
    });
    return outputFiles[0]?.text ?? "";
  },

  async rollup(entry) {
    const bundle = await rollup({ input: entry, plugins: [nodeResolve()] });
    const { output } = await bundle.generate({ format: "es" });
    await bundle.close();
    return (await minify(output[0].code, { module: true })).code ?? "";
  },

  async webpack(entry, folder) {
    const compiler = webpack({
      mode: "production",
      entry,
      context: folder,
      output: { path: folder, filename: "webpack.js", library: { type: "module" } },
      experiments: { outputModule: true },
      performance: false,
    });
    await new Promise<void>((done, failed) => {
      compiler?.run((error, stats) => {
        if (error) failed(error);
        else if (stats?.hasErrors()) failed(new Error(stats.toString("errors-only")));
        else compiler.close(() => done());
      });
    });
    return readFileSync(join(folder, "webpack.js"), "utf8");
  },

  async vite(entry) {
    const built = await vite({
      configFile: false,
      logLevel: "silent",
      build: {
        write: false,
        minify: true,
        modulePreload: false,
        rolldownOptions: { input: entry, preserveEntrySignatures: "strict" },
      },
    });
    const [first] = [built].flat();
    return first !== undefined && "output" in first ? first.output[0].code : "";
  },

  async rolldown(entry) {
    const { output } = await rolldown({
      input: entry,
      write: false,
      output: { format: "esm", minify: true },
    });
    return output[0].code;
  },
};

/** What a page carries for some code of its own: the bytes of its bundle, gzipped. */
export async function packedSize(bundler: string, code: string): Promise<number> {
  const bundle = BUNDLERS[bundler];
  if (bundle === undefined) throw new RangeError(`no bundler ${bundler}; there are ${Object.keys(BUNDLERS)}`);
  // Inside of the checkout, where "morecore" is found as in anybody's node_modules.
  const folder = mkdtempSync(join(ROOT, "build/sizes-"));
  try {
    const entry = join(folder, "page.mjs");
    writeFileSync(entry, code);
    return gzipSync(await bundle(entry, folder), { level: 9 }).length;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function codeFor({ name, from }: Pick<Import, "name" | "from">): string {
  return `export { ${name} } from ${JSON.stringify(from)};\n`;
}

async function table(): Promise<string> {
  const names = Object.keys(BUNDLERS);
  const rows = [
    ["import", ...names],
    ["---", ...names.map(() => "---:")],
  ];
  for (const one of IMPORTS) {
    const sizes: string[] = [];
    for (const bundler of names) sizes.push(kilobytes(await packedSize(bundler, codeFor(one))));
    rows.push([`\`${one.name}\` from \`${one.from}\``, ...sizes]);
  }
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}

const PAGE = join(ROOT, "docs/ENTRIES.md");
const MARKED = /(<!-- sizes -->\n)[\s\S]*?(<!-- \/sizes -->)/;

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) {
  const made = await table();
  console.log(made);
  if (argv.includes("--write"))
    writeFileSync(PAGE, readFileSync(PAGE, "utf8").replace(MARKED, `$1\n${made}\n\n$2`));
}
