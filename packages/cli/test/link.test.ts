import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "../../../test/support/c-program.ts";
import { textModule } from "../../../test/support/text-module.ts";

const MAIN = join(ROOT, "packages/cli/dist/main.js");
const PROGRAM = textModule(`(module
  (import "morecore" "mc_malloc" (func $malloc (param i32) (result i32)))
  (memory (export "memory") 1)
  (func $unused)
  (func (export "take") (param i32) (result i32) (call $malloc (local.get 0))))`);

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "morecore-link-"));
  writeFileSync(join(folder, "app.wasm"), PROGRAM);
});
afterEach(() => rmSync(folder, { recursive: true }));

function link(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "link", ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

/** How large the linked program is with these options. */
function sizeWith(...options: string[]): number {
  expect(link("app.wasm", "-o", "out.wasm", ...options)).toEqual({ status: 0, out: "", err: "" });
  return readFileSync(join(folder, "out.wasm")).length;
}

describe("morecore link", () => {
  it("writes a program that needs nothing of morecore, says nothing and ends with 0", () => {
    expect(link("app.wasm", "-o", "out.wasm")).toEqual({ status: 0, out: "", err: "" });
    const module = new WebAssembly.Module(readFileSync(join(folder, "out.wasm")));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const { take } = new WebAssembly.Instance(module).exports as { take: (bytes: number) => number };
    expect(take(100)).toBeGreaterThan(65_536);
  });

  it("optimises as it is told; by default as with -O3", () => {
    const plain = sizeWith("-O0");
    expect(sizeWith("--no-optimize")).toBe(plain);
    const fast = sizeWith("-O3");
    expect(fast).toBeLessThan(plain);
    expect(sizeWith()).toBe(fast);
    expect(sizeWith("-O", "z")).toBeLessThanOrEqual(fast);
  });

  it("inlines malloc if it is told so, by default with -O3 only", () => {
    const called = sizeWith("--no-inline");
    const inlined = sizeWith("--inline", "4096");
    expect(inlined).not.toBe(called);
    expect(sizeWith("--inline", "0")).toBe(called);
    expect(sizeWith()).toBe(inlined);
    expect(sizeWith("-O2")).not.toBe(sizeWith("-O2", "--inline", "4096"));
  });

  it("can write the program over itself", () => {
    expect(link("app.wasm", "-o", "app.wasm").status).toBe(0);
    expect(link("app.wasm", "-o", "app.wasm").err).toContain("it imports nothing from morecore");
  });

  it.each([
    [["missing.wasm", "-o", "out.wasm"], /^morecore: cannot read missing.wasm: no such file or directory\n$/],
    [["text.wasm", "-o", "out.wasm"], /text.wasm: it is no WebAssembly module/],
    [["empty.wasm", "-o", "out.wasm"], /empty.wasm: it imports nothing from morecore.*`morecore swap`/],
    [
      ["app.wasm", "-o", "no/such/out.wasm"],
      /^morecore: cannot write no\/such\/out.wasm: no such file or directory\n$/,
    ],
    [["app.wasm"], /required option '-o, --output <file>' not specified/],
    [["app.wasm", "-o", "out.wasm", "-O9"], /argument '9' is invalid. It must be 0, 1, 2, 3, 4, s or z./],
    [
      ["app.wasm", "-o", "out.wasm", "--inline", "-1"],
      /argument '-1' is invalid. It must be a number of bytes./,
    ],
    [["-o", "out.wasm"], /missing required argument 'PROGRAM.wasm'/],
  ])("%j ends with 2, says why and writes nothing", (args, message) => {
    writeFileSync(join(folder, "text.wasm"), "int main() {}");
    writeFileSync(join(folder, "empty.wasm"), textModule("(module)"));
    const { status, err } = link(...args);
    expect(status).toBe(2);
    expect(err).toMatch(message);
    expect(existsSync(join(folder, "out.wasm"))).toBe(false);
  });

  it("has help that tells where the heap begins", () => {
    const { status, out } = link("--help");
    expect(status).toBe(0);
    expect(out).toContain("__heap_base");
  });
});
