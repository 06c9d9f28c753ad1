// `morecore swap`, as it is built.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratchFolder } from "../../../../test/support/scratch.ts";

const folder = scratchFolder("command");

const GOOD = "node_modules/web-tree-sitter/web-tree-sitter.wasm";
const REFUSED = "node_modules/sql.js/dist/sql-wasm.wasm";

function swap(...options: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["packages/cli/dist/main.js", "swap", ...options],
    {
      encoding: "utf8",
    },
  );
  return { status, stdout, stderr };
}

describe("morecore swap", () => {
  it("writes the swapped module and prints what was found and how", () => {
    const output = join(folder, "out.wasm");
    const { status, stdout } = swap(GOOD, "-o", output);
    expect(status).toBe(0);
    expect(stdout).toMatch(/allocator: dlmalloc/);
    expect(stdout).toMatch(/its state: at __memory_base \+ \d+/);
    expect(stdout).toMatch(/malloc +│ malloc +│ replaced +│/);
    expect(stdout).toContain("exported as malloc");
    expect(WebAssembly.validate(readFileSync(output))).toBe(true);
  });

  it("with --dry-run writes nothing", () => {
    const output = join(folder, "none.wasm");
    const { status, stdout } = swap(GOOD, "--dry-run", "-o", output);
    expect(status).toBe(0);
    expect(stdout).toContain("would be swapped");
    expect(existsSync(output)).toBe(false);
  });

  it("ends with 1 and the reason for what it refuses, and writes nothing", () => {
    const output = join(folder, "refused.wasm");
    const { status, stdout, stderr } = swap(
      REFUSED,
      "--glue",
      "node_modules/sql.js/dist/sql-wasm.js",
      "-o",
      output,
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/refused: function 1827 .*realloc was inlined into/);
    expect(stdout).toMatch(/the glue takes export Ia for/);
    expect(existsSync(output)).toBe(false);
  });

  it("ends with 2 for bad use and bad files", () => {
    const broken = join(folder, "broken.js");
    writeFileSync(broken, "int main(void);");
    expect(swap(GOOD)).toMatchObject({ status: 2, stderr: expect.stringContaining("say where to write") });
    expect(swap()).toMatchObject({ status: 2 });
    expect(swap("package.json", "--dry-run")).toMatchObject({
      status: 2,
      stderr: "morecore: package.json: it is no WebAssembly module: it does not begin with \\0asm\n",
    });
    expect(swap("none.wasm", "--dry-run")).toMatchObject({
      status: 2,
      stderr: "morecore: cannot read none.wasm: no such file or directory\n",
    });
    expect(swap(GOOD, "--dry-run", "--glue", broken)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("cannot be read as JavaScript"),
    });
    expect(swap(GOOD, "-o", join(folder, "no", "such", "folder.wasm"))).toMatchObject({ status: 2 });
  });
});
