// Figures: that no page for people has a figure that bench/results has not, and how a page names one.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../harness/paths.ts";
import { type Figures, figuresOf } from "../report/figures.ts";
import { GOALS } from "../report/goals.ts";
import { filled, MarkError } from "../report/marks.ts";
import { resultsPage } from "../report/page.ts";
import { readSaved } from "../report/saved.ts";
import { SUMMARY_NAMES, summary } from "../report/summaries.ts";
import { pages } from "../report/write.ts";

const saved = readSaved();

describe("each page has the figures of the last runs that were saved: npm run figures -- --write", () => {
  it.each(pages().map((page) => ({ ...page, name: path.relative(ROOT, page.file) })))(
    "$name",
    ({ text, wanted }) => expect(text).toBe(wanted),
  );
});

describe("a mark", () => {
  const figures: Figures = new Map([
    ["traces-warm-dlmalloc", "0.81"],
    ["lua-dlmalloc", "0.95"],
    ["lua-memory-dlmalloc", "0.82"],
  ]);

  it("is filled within a line, whatever stood there", () => {
    const text = "takes <!-- figure: traces-warm-dlmalloc -->?<!-- /figure --> of it";
    expect(filled(text, figures)).toBe(text.replace("?", "0.81"));
    expect(filled(filled(text, figures), figures)).toBe(text.replace("?", "0.81"));
  });

  it("is filled by a table between lines of its own, with a dash for what was not measured", () => {
    const text = "before\n\n<!-- figures: programs -->\n\nold\n\n<!-- /figures -->\n\nafter\n";
    const once = filled(text, figures);
    expect(once).toContain("<!-- figures: programs -->\n\n|     | dlmalloc: time |");
    expect(once).toMatch(/\n\| lua \| +0\.95 \| +0\.82 \| +– \| +– \|\n\n<!-- \/figures -->\n\nafter\n$/);
    expect(filled(once, figures)).toBe(once);
  });

  it.each([
    ["that names no figure", "<!-- figure: no-such -->1<!-- /figure -->", "figure: no-such: there is none"],
    [
      "that names no table",
      "<!-- figures: nothing -->\n<!-- /figures -->",
      "figures: nothing: there is no such table",
    ],
    ["of a table without figures", "<!-- figures: native -->\n<!-- /figures -->", "nothing to fill it with"],
    ["that is not closed", "<!-- figure: lua-dlmalloc -->0.95", "1 of the marks are not closed"],
    ["that is written otherwise", "<!--figure: lua-dlmalloc -->0.95<!-- /figure -->", "2 of the marks"],
  ])("%s is refused", (_, text, message) => {
    expect(() => filled(text, figures)).toThrow(MarkError);
    expect(() => filled(text, figures)).toThrow(message);
  });
});

describe("RESULTS.md", () => {
  const page = resultsPage(saved);

  it("opens with what was compared and where it is slower, then says what was aimed at", () => {
    const order = ["# Results", "## In short", "### Where it is slower", "## What was aimed at"];
    const places = order.map((heading) => page.indexOf(`${heading}\n`));
    expect(places[0]).toBe(0);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    // On the first screen.
    expect(page.slice(0, page.indexOf("### ")).split("\n").length).toBeLessThan(30);
  });

  it("says so when another kernel was measured than there is", () => {
    const { kernelBytes = 0 } = saved.main?.sizes ?? {};
    expect(page).not.toContain("an earlier kernel");
    expect(resultsPage(saved, kernelBytes)).toBe(page);
    expect(resultsPage(saved, kernelBytes + 1)).toContain(
      `an earlier kernel**, of ${kernelBytes} bytes; it has ${kernelBytes + 1} now`,
    );
  });

  it("says in words what each goal is of which it has a figure", () => {
    for (const [, goal = ""] of page.matchAll(/^\| ([A-Z]\d) +\|/gm)) {
      expect(GOALS[goal], goal).toBeDefined();
      expect(page).toContain(`- ${goal}: ${GOALS[goal]}`);
    }
  });

  it("of nothing saved says what is to be run, and has no figure", () => {
    const empty = resultsPage({});
    expect(empty).toContain("- `npm run bench -- --save`");
    expect(empty).not.toMatch(/\d\.\d/);
  });
});

const NEW_PATTERNS = ["stack256", "large-stack", "strings", "alternate", "cycle"].map(
  (name) => `wasm-${name}-`,
);

it("the names that bench/README.md lists are those that there are", () => {
  const listed = [
    ...readFileSync(path.join(ROOT, "bench", "README.md"), "utf8").matchAll(/^\| `([a-zA-Z0-9-]+)` /gm),
  ];
  const peers = /-(dlmalloc|mimalloc|tlsf|thi\.ng|v8-arrays|v8-objects|glibc|jemalloc)$/;
  const families = new Set([...figuresOf(saved).keys()].map((name) => name.replace(peers, "-PEER")));
  // Of a suite that was not saved yet there are none.
  const unsaved = [
    ...(saved.views === undefined ? ["views-"] : []),
    ...(saved.main?.wasm.traces === undefined ? ["within-", "wasm-calls", ...NEW_PATTERNS] : []),
  ];
  const isThere = (name: string) => families.has(name) || unsaved.some((suite) => name.startsWith(suite));
  for (const [, name = ""] of listed) expect(isThere(name), name).toBe(true);
  for (const family of families)
    expect(
      listed.map(([, name]) => name),
      family,
    ).toContain(family);
  for (const name of SUMMARY_NAMES) expect(summary(name, figuresOf(saved)), name).toBeDefined();
});

it("each file of bench/results is read", () => {
  const names = readdirSync(path.join(ROOT, "bench", "results")).map((name) => name.replace(".json", ""));
  expect(Object.keys(saved).sort()).toEqual(names.sort());
});
