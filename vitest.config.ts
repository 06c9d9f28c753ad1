import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // A model test that shrinks a counterexample takes its time.
    testTimeout: 120_000,
    coverage: {
      provider: "v8",
      include: ["src/kernel/**/*.ts"],
      // The last two only hand names on: nothing in them runs.
      exclude: ["src/**/*.wasm.ts", "src/kernel/index.ts", "src/kernel/family.ts"],
      reporter: ["text"],
      // Test files run in Node; the command-line tests start the built program, which this does not see.
      reportOnFailure: true,
    },
  },
});
