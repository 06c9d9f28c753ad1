// Bundles bench/suites/steps with the whole library behind it, in which its machine.ts stands for the kernel's: a second
// copy of the library, whose every load and store is counted.

import { join } from "node:path";
import { type Plugin, rolldown } from "rolldown";
import { ROOT } from "./root.ts";

const SUITE = join(ROOT, "bench/suites/steps");
const counting = join(SUITE, "machine.ts");

const countingMachine: Plugin = {
  name: "counting-machine",
  resolveId(specifier, importer) {
    const isMachine = /(^|\/)machine\.ts$/.test(specifier);
    return isMachine && importer !== counting ? counting : null;
  },
};

/** Writes the bundle to `file`. */
export async function bundleSteps(file: string): Promise<void> {
  const bundle = await rolldown({
    input: join(SUITE, "index.ts"),
    platform: "node",
    resolve: { conditionNames: ["@morecore/source", "import", "default"] },
    external: /^(?!(@morecore|morecore)(\/|$))[^./]/,
    plugins: [countingMachine],
    optimization: { inlineConst: { mode: "all", pass: 3 } },
  });
  await bundle.write({ file, format: "esm", minify: false });
  await bundle.close();
}
