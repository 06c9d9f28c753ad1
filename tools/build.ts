// Builds dist/ of each package: declarations by tsc, code by rolldown, the kernel's wasm by asc and binaryen.
//
// Why a bundler for a library without dependencies: V8 reads an imported constant from its module at every
// use and knows nothing of its value. That made malloc and free twice as slow. In one flat module, with the
// constants of layout.ts inlined, they are numbers.

import { execFileSync } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";
import { bundleBench } from "./bench.ts";
import { fold } from "./fold.ts";
import { boundKernel } from "./kernel.ts";
import { pure } from "./pure.ts";
import { ROOT } from "./root.ts";
import { bundleSteps } from "./steps.ts";

/** Each after those that it needs: declarations are made from theirs. */
const PACKAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "packages/morecore": Object.fromEntries(
    ["index", "wasm", "js", "malloc", "bare", "file", "file.node", "engine"].map((entry) => [
      entry,
      `src/${entry}.ts`,
    ]),
  ),
  "packages/os": { index: "src/index.ts" },
  "packages/inspect": { index: "src/index.ts", "pictures/index": "src/pictures/index.ts" },
  "packages/wasm": {
    index: "src/index.ts",
    "run/auto-swap": "src/run/auto-swap.ts",
    "run/thread": "src/run/thread.ts",
    "swap/index": "src/swap/index.ts",
  },
  "packages/native": { index: "src/index.ts" },
  bench: { index: "index.ts" },
  "packages/cli": { main: "src/main.ts" },
};

process.chdir(ROOT);
for (const [folder, entries] of Object.entries(PACKAGES)) {
  rmSync(`${folder}/dist`, { recursive: true, force: true });
  declare(folder);
  await bundle(folder, entries);
}

function declare(folder: string): void {
  // A command has no declarations.
  if (folder === "packages/cli") return;
  const config = folder === "bench" ? "tsconfig.build.json" : "tsconfig.json";
  execFileSync("node_modules/.bin/tsc", ["-p", `${folder}/${config}`], { stdio: "inherit" });
}

async function bundle(folder: string, entries: Readonly<Record<string, string>>): Promise<void> {
  const built = await rolldown({
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, `${folder}/${file}`])),
    platform: "node",
    // Packages, those beside this one too, and node's own modules are imported, not bundled.
    external: /^[^./]/,
    optimization: { inlineConst: { mode: "all", pass: 3 } },
    plugins: folder === "packages/cli" ? [] : [{ name: "pure", renderChunk: (code) => pure(fold(code)) }],
  });
  await built.write({
    dir: `${folder}/dist`,
    format: "esm",
    minify: false,
    chunkFileNames: "chunks/[name]-[hash].js",
  });
  await built.close();
}

chmodSync("packages/cli/dist/main.js", 0o755);
await bundleSteps("bench/dist/steps/index.js");
await bundleBench("bench/dist/fresh");

// The kernel as files, for programs in WebAssembly: one that grows by memory.grow, one that asks an import, one for threads.
writeFileSync("packages/morecore/dist/kernel.wasm", await boundKernel({ named: true }));
writeFileSync(
  "packages/morecore/dist/kernel-threads.wasm",
  await boundKernel({ named: true, threads: true }),
);
writeFileSync(
  "packages/morecore/dist/kernel-grow.wasm",
  await boundKernel({ importsGrow: true, named: true }),
);
