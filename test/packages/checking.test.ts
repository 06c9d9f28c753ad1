// Whether references are checked when nobody has said: in programs as they are, and in what bundlers make of them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { build as esbuild } from "esbuild";
import { build as rolldown } from "rolldown";
import { rollup } from "rollup";
import { build as vite } from "vite";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { webpack } from "webpack";
import { ROOT } from "../support/c-program.ts";
import { runWith } from "../support/native.ts";

type Mode = "production" | "development";

/** Inside the checkout, where "morecore" is found as in anybody's node_modules. */
let folder = "";
let entry = "";

beforeAll(() => {
  folder = mkdtempSync(join(ROOT, "build/checking-"));
  entry = join(folder, "page.mjs");
  writeFileSync(entry, 'import { Heap } from "morecore";\nglobalThis.checking = Heap.create().checking;\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

afterEach(() => vi.unstubAllEnvs());

/** What a page without a process finds. */
function inPage(code: string): unknown {
  const page = createContext({ atob, TextEncoder, TextDecoder });
  runInContext(code, page);
  return page["checking"];
}

const BUNDLERS: Readonly<Record<string, (mode: Mode) => Promise<string>>> = {
  async esbuild(mode) {
    const { outputFiles } = await esbuild({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: "iife",
      define: { "process.env.NODE_ENV": JSON.stringify(mode) },
    });
    return outputFiles[0]?.text ?? "";
  },

  async "esbuild, which sets it by --minify"(mode) {
    const { outputFiles } = await esbuild({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: "iife",
      minify: mode === "production",
    });
    return outputFiles[0]?.text ?? "";
  },

  async rolldown(mode) {
    const { output } = await rolldown({
      input: entry,
      platform: "browser",
      transform: { define: { "process.env.NODE_ENV": JSON.stringify(mode) } },
      output: { format: "iife" },
      write: false,
    });
    return output[0].code;
  },

  async vite(mode) {
    // Vitest has set one of its own, which counts more.
    vi.stubEnv("NODE_ENV", mode);
    const file = await vite({
      root: folder,
      mode,
      configFile: false,
      logLevel: "silent",
      build: { write: false, rolldownOptions: { input: entry, output: { format: "iife" } } },
    });
    return "output" in file ? (file.output[0]?.code ?? "") : "";
  },

  webpack(mode) {
    const made = webpack({
      mode,
      entry,
      devtool: false,
      output: { path: folder, filename: `${mode}.js` },
    });
    return new Promise((resolve, reject) =>
      made?.run((error, stats) => {
        if (error || stats?.hasErrors()) reject(error ?? new Error(stats?.toString()));
        else resolve(readFileSync(join(folder, `${mode}.js`), "utf8"));
      }),
    );
  },
};

describe.each(Object.entries(BUNDLERS))("%s", (_name, bundle) => {
  it.each([
    ["production", false],
    ["development", true],
  ] as const)("in %s leaves checking %s", async (mode, checking) => {
    expect(inPage(await bundle(mode))).toBe(checking);
  });
});

it("a bundler that replaces nothing leaves checking on in a page", async () => {
  const made = await rollup({
    input: entry,
    plugins: [{ name: "morecore", resolveId: (id) => (id === "morecore" ? join(ROOT, DIST) : null) }],
  });
  const { output } = await made.generate({ format: "iife" });
  expect(inPage(output[0].code)).toBe(true);
});

const DIST = "packages/morecore/dist/index.js";

/** What a program prints that makes a heap, after some other code. NODE_ENV "": it is not set. */
function printed(before: string, NODE_ENV: string): unknown {
  const script = `import { Heap } from "./${DIST}"; ${before}; console.log(Heap.create().checking);`;
  return runWith(process.execPath, ["--input-type=module", "-e", script], {
    preload: "",
    cwd: ROOT,
    env: { NODE_ENV },
  });
}

it.each([
  ["without NODE_ENV", "delete process.env.NODE_ENV", "", true],
  ["in development", "", "development", true],
  ["in production", "", "production", false],
  ["where the program sets it", "process.env.NODE_ENV = 'production'", "development", false],
  ["where there is no process", "delete globalThis.process", "production", true],
  ["where a process has no environment", "globalThis.process = {}", "production", true],
  [
    "where the environment may not be read",
    "globalThis.process = { get env() { throw new Error('NotCapable'); } }",
    "production",
    true,
  ],
])("%s, checking in Node is as it should be", (_title, before, mode, checking) => {
  expect(printed(before, mode)).toEqual({ stdout: `${checking}\n`, stderr: "", end: 0 });
});

it.each([
  ["granted", false],
  ["prompt", true],
  ["denied", true],
])("Deno is not asked for what is not granted yet: %s", (state, checking) => {
  const before = [
    `globalThis.Deno = { permissions: { querySync: () => ({ state: "${state}" }) } }`,
    `globalThis.process = { get env() { console.log("asked"); return { NODE_ENV: "production" }; } }`,
  ].join(";");
  const asked = state === "granted" ? "asked\n" : "";
  expect(printed(before, "")).toEqual({ stdout: `${asked}${checking}\n`, stderr: "", end: 0 });
});
