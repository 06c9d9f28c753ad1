import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

// `npm run tools` compiles sources of packages with the tools. A source that tsc meets through node_modules is another
// package's to it, and not written; the same source met by its path is written. Where both ways lead to it, typescript
// 7.0.2 writes it or not, from run to run. So no tool may meet one through node_modules.
test("no source of ours is met through node_modules where the tools are compiled", () => {
  const said = execFileSync("npx", ["tsc", "-p", "tools/tsconfig.json", "--noEmit", "--traceResolution"], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const resolved = said.split("\n").filter((line) => line.includes("was successfully resolved to"));
  expect(resolved.length).toBeGreaterThan(100);
  expect(resolved.filter((line) => /with Package ID '(morecore|@morecore\/)/.test(line))).toEqual([]);
});
