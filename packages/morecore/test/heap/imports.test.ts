import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const ENTRY = new URL("../../src/index.ts", import.meta.url);

/** What a source file names after `from`, or in `import "…"` and `import("…")`. */
function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return Array.from(
    code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(["'])([^"']+)\1/g),
    (m) => m[2] ?? "",
  );
}

/** importsOf without those of types alone, which are gone when the program runs. */
function valueImportsOf(source: string): string[] {
  return importsOf(source.replace(/^(?:import|export) type [^;]*;/gm, ""));
}

/** The files that an entry reaches, each with what it imports. */
function reachable(entry: URL, importsOf: (source: string) => string[]): Map<string, string[]> {
  const files = new Map<string, string[]>();
  const open = [entry];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file.href)) continue;
    const imports = importsOf(readFileSync(file, "utf8"));
    files.set(file.href, imports);
    for (const name of imports) if (name.startsWith(".")) open.push(new URL(name, file));
  }
  return files;
}

/** Files that import each other, the first one again at the end; none if there is no circle. */
function circleIn(files: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  function circleFrom(file: string, path: readonly string[]): string[] {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    done.add(file);
    for (const name of files.get(file) ?? []) {
      const circle = circleFrom(new URL(name, file).href, [...path, file]);
      if (circle.length > 0) return circle;
    }
    return [];
  }
  return Array.from(files.keys(), (file) => circleFrom(file, [])).find((each) => each.length > 0) ?? [];
}

describe("the core entry", () => {
  const files = reachable(ENTRY, importsOf);

  it("reaches the heap, the kernel and the memories", () => {
    const names = Array.from(files.keys(), (href) => href.slice(href.indexOf("/src/") + 5));
    expect(names).toEqual(
      expect.arrayContaining(["heap/heap.ts", "kernel/malloc.ts", "kernel/check.ts", "memory/wasm.ts"]),
    );
  });

  it("imports nothing but its own files: no package, no module of Node", () => {
    for (const [file, imports] of files)
      for (const name of imports) expect(name, file).toMatch(/^\.\.?\/.+\.ts$/);
  });

  it("never leaves its folders", () => {
    for (const file of files.keys())
      expect(file).toMatch(
        /\/src\/(index\.ts$|(arena|containers|heap|kernel|memory|offset|slotmap|typed)\/)/,
      );
  });

  it("imports nothing in a circle, types apart", () => {
    expect(circleIn(reachable(ENTRY, valueImportsOf))).toEqual([]);
  });

  it("imports downwards only: memory, kernel, typed, arena, offset, slotmap, containers, heap", () => {
    const layers = ["memory", "kernel", "typed", "arena", "offset", "slotmap", "containers", "heap"];
    const downwards = (from: string, to: string): boolean =>
      to === from || layers.indexOf(to) < layers.indexOf(from);
    for (const [file, imports] of files) {
      const [, layer = "index.ts"] = /\/src\/([^/]+)/.exec(file) ?? [];
      if (layer === "index.ts") continue;
      for (const name of imports) {
        const [, other = layer] = /^\.\.\/([^/]+)\//.exec(name) ?? [];
        expect(downwards(layer, other), `${file} imports ${name}`).toBe(true);
      }
    }
  });
});

describe("importsOf", () => {
  it("sees every way to import", () => {
    const source = [
      'import a from "a";',
      "import { b } from 'b';",
      'import "c";',
      'export * from "d";',
      'const e = await import("e");',
      'const f = require("f");',
      '// import "no";',
      'import {\n  type G,\n} from "node:g";',
    ].join("\n");
    expect(importsOf(source)).toEqual(["a", "b", "c", "d", "e", "f", "node:g"]);
  });

  it("can leave out those of types alone", () => {
    const source =
      'import type {\n  A,\n} from "a";\nexport type { B } from "b";\nimport { type C, d } from "c";';
    expect(valueImportsOf(source)).toEqual(["c"]);
  });
});

describe("circleIn", () => {
  it("finds a circle, and none where there is none", () => {
    const files = (c: string): [string, string[]][] => [
      ["file:///a", ["./b", "./c"]],
      ["file:///b", ["./c"]],
      ["file:///c", c === "" ? [] : [c]],
    ];
    expect(circleIn(new Map(files("")))).toEqual([]);
    expect(circleIn(new Map(files("./b")))).toEqual(["file:///b", "file:///c", "file:///b"]);
  });
});
