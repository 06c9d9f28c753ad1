// Printing: what the consoles of other engines show of an object is what Node's shows: a few lines.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { ENGINES, engineCommand } from "../../bench/programs/engines.ts";
import { ROOT } from "../support/c-program.ts";

const MOST_LINES = 10;
const LIBRARY = pathToFileURL(join(ROOT, "packages/morecore/dist/index.js")).href;

/** What an engine prints, by object. */
function printedBy(command: readonly string[]): Record<string, string> {
  const [engine = "", ...before] = command;
  const script = join(ROOT, "test/runtimes/printing.mjs");
  const printed = execFileSync(engine, [...before, script, LIBRARY], { encoding: "utf8" });
  const parts = printed.split(/^== /m).slice(1);
  return Object.fromEntries(
    parts.map((part) => [part.split("\n", 1)[0], part.trimEnd().split("\n").slice(1).join("\n")]),
  );
}

describe("the console of Node", () => {
  const printed = printedBy([process.execPath]);

  it.each(Object.keys(printed))(`shows %s in ${MOST_LINES} lines at most`, (name) => {
    expect(printed[name]?.split("\n").length).toBeLessThanOrEqual(MOST_LINES);
  });

  // workerd runs no scripts by name.
  for (const engine of ENGINES.filter((name) => name !== "workerd")) {
    const found = engineCommand(engine);
    const command = engine === "deno" && found !== undefined ? [...found, "--allow-read"] : found;
    if (command === undefined) console.warn(`skipped: what ${engine} prints; npm run engines fetches it`);
    it.skipIf(command === undefined)(`shows what the console of ${engine} shows`, () => {
      expect(printedBy(command ?? [])).toEqual(printed);
    });
  }
});
