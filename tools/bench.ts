// Builds bench/dist/fresh: the process that drives a peer, the loops and the adapters, each a file of its own, since they
// are loaded in copies (bench/harness/fresh.ts). The adapter of morecore has the library in the same file.

import { join } from "node:path";
import { rolldown } from "rolldown";
import { ROOT } from "./root.ts";

const ADAPTERS = ["nothing", "thing", "wasm", "v8-arrays", "v8-objects"];

export async function bundleBench(dir: string): Promise<void> {
  const parts = ["harness/worker", "harness/replay", "harness/patterns"];
  await bundleInto(dir, [...parts, ...ADAPTERS.map((name) => `peers/${name}`)], /^[^./]/);
  await bundleInto(dir, ["peers/morecore"], /^(?!morecore(\/|$))[^./]/);
}

async function bundleInto(dir: string, parts: readonly string[], external: RegExp): Promise<void> {
  const bundle = await rolldown({
    input: Object.fromEntries(
      parts.map((part) => [part.replace("harness/", ""), join(ROOT, `bench/${part}.ts`)]),
    ),
    platform: "node",
    resolve: { conditionNames: ["@morecore/source", "import", "default"] },
    external,
    optimization: { inlineConst: { mode: "all", pass: 3 } },
  });
  await bundle.write({ dir, format: "esm", minify: false, chunkFileNames: "chunks/[name]-[hash].js" });
  await bundle.close();
}
