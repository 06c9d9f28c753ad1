import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // A model test that shrinks a counterexample takes its time.
    testTimeout: 120_000,
    coverage: {
      provider: "v8",
      include: ["src/kernel/**/*.ts"],
      exclude: ["src/**/*.wasm.ts"],
      reporter: ["text"],
      // Test files run in Node; the command-line tests start the built program, which this does not see.
      reportOnFailure: true,
    },
  },
});
