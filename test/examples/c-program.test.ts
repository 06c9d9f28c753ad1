import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { C_PACKAGES, hasC, needs, ROOT } from "../support/c-program.ts";

const FOLDER = join(ROOT, "examples/c-program");

/** The commands of the README, as they stand there. */
function commands(): string[] {
  const [, block = ""] = /^```sh\n(.*?)^```/ms.exec(readFileSync(join(FOLDER, "README.md"), "utf8")) ?? [];
  return block.trim().split("\n");
}

describe.skipIf(!needs(hasC, C_PACKAGES))("examples/c-program", () => {
  afterAll(() => {
    for (const name of ["app.wasm", "words.wasm"]) rmSync(join(FOLDER, name), { force: true });
  });

  it("runs by the three commands of its README, and leaves a sound heap with nothing leaked", () => {
    const lines = commands();
    expect(lines).toHaveLength(3);
    const results = lines.map((line) => spawnSync("sh", ["-c", line], { cwd: FOLDER, encoding: "utf8" }));
    expect(results.map(({ status, stderr }) => (status === 0 ? "" : stderr))).toEqual(["", "", ""]);
    const printed = results[2]?.stdout.split("\n") ?? [];
    expect(printed.slice(0, 5).every((line) => /^ +\d+ [a-z]+$/.test(line))).toBe(true);
    const words = new Set(
      readFileSync(join(FOLDER, "README.md"), "utf8")
        .toLowerCase()
        .match(/[a-z]+/g),
    );
    expect(printed[5]).toBe(`${words.size} different words`);
    expect(results[2]?.stderr).toMatch(/^live blocks: 2; footprint at most: \d+ bytes\n$/);
  });
});
