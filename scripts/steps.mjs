// Bundles src/steps with the whole library behind it, in which src/steps/machine.ts stands for src/kernel/machine.ts:
// a second copy of the library, whose every load and store is counted.

import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = new URL("..", import.meta.url);
const source = (path) => fileURLToPath(new URL(`src/${path}`, root));

const countingMachine = {
  name: "counting-machine",
  resolveId(specifier, importer) {
    const isMachine = /(^|\/)machine\.ts$/.test(specifier);
    return isMachine && importer !== source("steps/machine.ts") ? source("steps/machine.ts") : null;
  },
};

/** Writes the bundle to `file`. */
export async function bundleSteps(file) {
  const bundle = await rolldown({
    input: source("steps/index.ts"),
    platform: "node",
    external: /^[^./]/,
    plugins: [countingMachine],
    optimization: { inlineConst: { mode: "all", pass: 3 } },
  });
  await bundle.write({ file, format: "esm", minify: false });
  await bundle.close();
}
