// Builds dist/: declarations by tsc (see package.json), code by rolldown, the kernel's wasm by asc and binaryen.
//
// Why a bundler for a library without dependencies: V8 reads an imported constant from its module at every use and
// knows nothing of its value, which made malloc and free twice as slow. In one flat module, with the constants of
// layout.ts inlined, they are numbers.

import { chmodSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";
import { bundleBench } from "./bench.mjs";
import { boundKernel } from "./kernel.mjs";
import { bundleSteps } from "./steps.mjs";

const bundle = await rolldown({
  input: {
    index: "src/index.ts",
    "trace/index": "src/trace/index.ts",
    "os/index": "src/os/index.ts",
    "wasm/swap/index": "src/wasm/swap/index.ts",
    "cli/main": "src/cli/main.ts",
  },
  platform: "node",
  // Packages and node's own modules are imported, not bundled.
  external: /^[^./]/,
  optimization: { inlineConst: { mode: "all", pass: 3 } },
});
await bundle.write({
  dir: "dist",
  format: "esm",
  sourcemap: true,
  minify: false,
  chunkFileNames: "chunks/[name]-[hash].js",
});
await bundle.close();
// npx runs a checkout's own command by this file, and marks it only when it sees it for the first time.
chmodSync("dist/cli/main.js", 0o755);

await bundleSteps("dist/steps/index.js");
await bundleBench("dist/bench");

// The kernel as files, for programs in WebAssembly: one that grows by memory.grow, one that asks an import.
writeFileSync("dist/kernel.wasm", await boundKernel());
writeFileSync("dist/kernel-grow.wasm", await boundKernel({ importsGrow: true }));
