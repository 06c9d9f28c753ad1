// What bundlers make of the packages: what nobody imports is not there, and what is imported is small.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build as vite } from "vite";
import { afterEach, describe, expect, it } from "vitest";
import webpack from "webpack";
import { ROOT } from "../../tools/root.ts";
import { BUNDLERS, codeFor, IMPORTS, packedSize } from "../../tools/sizes.ts";

/** A module of nothing, minified and gzipped: some bundlers leave a line. */
const NOTHING_BYTES = 60;
const ENTRIES = ["morecore", "morecore/wasm", "morecore/js", "morecore/bare", "morecore/malloc"];

describe.each(Object.keys(BUNDLERS))("%s", (bundler) => {
  it("leaves nothing of what is not imported", async () => {
    const code = ENTRIES.map((entry) => `import "${entry}";\nimport { } from "${entry}";\n`).join("");
    expect(await packedSize(bundler, code)).toBeLessThanOrEqual(NOTHING_BYTES);
  });

  it.each(IMPORTS)("makes at most $most bytes of $name from $from, gzipped", async (one) => {
    const bytes = await packedSize(bundler, codeFor(one));
    expect(bytes).toBeLessThanOrEqual(one.most);
    // The limit means something: it is not far above.
    expect(bytes).toBeGreaterThan(one.most / 2);
  });
});

describe("morecore/file", () => {
  const kernel = readFileSync(join(ROOT, "packages/morecore/dist/kernel-grow.wasm"));
  let folder = "";
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A page that makes a heap. */
  function page(): string {
    folder = mkdtempSync(join(ROOT, "build/file-"));
    const entry = join(folder, "page.mjs");
    writeFileSync(entry, 'import { Heap } from "morecore/file";\nconsole.log(Heap.create().malloc(1));\n');
    return entry;
  }

  function filesOut(): Buffer[] {
    const out = join(folder, "out");
    const names = readdirSync(out, { recursive: true, encoding: "utf8" });
    return names.filter((name) => name.endsWith(".wasm")).map((name) => readFileSync(join(out, name)));
  }

  it("has its kernel copied by vite", async () => {
    const input = page();
    const build = { outDir: join(folder, "out"), assetsInlineLimit: 0, rolldownOptions: { input } };
    await vite({ root: folder, configFile: false, logLevel: "silent", build });
    expect(filesOut()).toEqual([kernel]);
  });

  it("has its kernel copied by webpack", async () => {
    const entry = page();
    const compiler = webpack({ mode: "production", entry, output: { path: join(folder, "out") } });
    const problems = await new Promise((done) => {
      compiler?.run((error, stats) => done(error ?? stats?.compilation.errors));
    });
    expect(problems).toEqual([]);
    expect(filesOut()).toEqual([kernel]);
  });

  it("reads its kernel by itself in Node", async () => {
    const { Heap } = await import(join(ROOT, "packages/morecore/dist/file.node.js"));
    expect(Heap.create().malloc(1)).toBeGreaterThan(0);
  });
});
