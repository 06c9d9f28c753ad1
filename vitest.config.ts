import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";

/** The packages' sources, not what was built of them: package.json of each says where. */
const CONDITIONS = ["@morecore/source", "module", "node", "development|production"];

export default defineConfig({
  resolve: { conditions: CONDITIONS },
  ssr: { resolve: { conditions: CONDITIONS } },
  test: {
    include: [
      "test/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "bench/test/**/*.test.ts",
      "tools/test/**/*.test.ts",
    ],
    // On two cores Vitest would take one. Tests start programs and wait for them, so the cores are not crowded.
    maxWorkers: "100%",
    sequence: { sequencer: LongestFirst },
    // A model test that shrinks a counterexample takes its time.
    testTimeout: 120_000,
    coverage: {
      provider: "v8",
      include: ["packages/morecore/src/kernel/**/*.ts"],
      // The last two only hand names on: nothing in them runs.
      exclude: [
        "**/*.wasm.ts",
        "packages/morecore/src/kernel/index.ts",
        "packages/morecore/src/kernel/family.ts",
      ],
      reporter: ["text"],
      // Test files run in Node; the command-line tests start the built program, which this does not see.
      reportOnFailure: true,
    },
  },
});
