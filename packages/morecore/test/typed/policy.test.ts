// Policy: the typed layer and the arenas make no code from strings and no Proxy, and so work under a strict content security
// policy.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../../../../test/support/c-program.ts";

const MAKES_CODE = /\bnew\s+Function\b|\bFunction\s*\(|\beval\s*\(|\bnew\s+Proxy\b/;

it.each(["typed", "arena", "offset", "slotmap"])("%s has no new Function, eval or Proxy", (folder) => {
  const files = readdirSync(join(ROOT, "packages/morecore/src", folder)).filter((name) =>
    name.endsWith(".ts"),
  );
  expect(files.length).toBeGreaterThan(2);
  for (const name of files) {
    const code = readFileSync(join(ROOT, "packages/morecore/src", folder, name), "utf8").replace(
      /\/\*[\s\S]*?\*\/|\/\/.*$/gm,
      "",
    );
    expect(code, name).not.toMatch(MAKES_CODE);
  }
});

it("what it looks for is found where it is", () => {
  for (const code of ["new Function('x')", "eval('x')", "new Proxy({}, {})", "Function('x')"])
    expect(code).toMatch(MAKES_CODE);
});

it("structs, references and scopes work where code generation from strings is forbidden", () => {
  const program = `
    import { Heap, array, f64, i32, pointer, struct, text, u8, union } from ${JSON.stringify(join(ROOT, "packages/morecore/dist/index.js"))};
    let forbidden = false;
    try { new Function("return 1"); } catch { forbidden = true; }
    const Node = struct({ value: i32, next: pointer(() => Node), name: text, bytes: array(u8, 4), kind: union({ a: f64 }) });
    const heap = Heap.create();
    const sum = heap.scope((s) => {
      const a = s.new(Node, { value: 1, name: "a" });
      const b = s.new(Node, { value: 2, next: a, kind: { tag: "a", value: 0.5 } });
      return b.value + b.next.value + b.kind.value;
    });
    console.log(forbidden, sum);`;
  const args = ["--disallow-code-generation-from-strings", "--input-type=module", "-e", program];
  expect(execFileSync(process.execPath, args, { encoding: "utf8" })).toBe("true 3.5\n");
});
