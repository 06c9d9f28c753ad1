// Bundles bench/suites/steps with the whole library behind it, in which its machine.ts stands for the kernel's: a second
// copy of the library, whose every load and store is counted.

import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const counting = fileURLToPath(new URL("../bench/suites/steps/machine.ts", import.meta.url));

const countingMachine = {
  name: "counting-machine",
  resolveId(specifier, importer) {
    const isMachine = /(^|\/)machine\.ts$/.test(specifier);
    return isMachine && importer !== counting ? counting : null;
  },
};

/** Writes the bundle to `file`. */
export async function bundleSteps(file) {
  const bundle = await rolldown({
    input: fileURLToPath(new URL("index.ts", new URL("../bench/suites/steps/", import.meta.url))),
    platform: "node",
    resolve: { conditionNames: ["@morecore/source", "import", "default"] },
    external: /^(?!(@morecore|morecore)(\/|$))[^./]/,
    plugins: [countingMachine],
    optimization: { inlineConst: { mode: "all", pass: 3 } },
  });
  await bundle.write({ file, format: "esm", minify: false });
  await bundle.close();
}
