// npm run programs asks Debian for sources without a change to the system: by twins of its lists, for sources.

import { expect, test } from "vitest";
import { asSources } from "../../scripts/programs/fetch.ts";

test("a line for packages becomes the same line for sources", () => {
  const list =
    "# deb http://old.example/\ndeb [arch=amd64 signed-by=/k.gpg] http://debian.example stable main\n";
  expect(asSources(list)).toBe(
    "# deb http://old.example/\ndeb-src [arch=amd64 signed-by=/k.gpg] http://debian.example stable main\n",
  );
});

test("a line for sources stays one", () => {
  expect(asSources("deb-src http://debian.example stable main\n")).toBe(
    "deb-src http://debian.example stable main\n",
  );
});

test("a paragraph for packages, or for both, becomes one for sources", () => {
  const paragraph = (types: string) => `Types: ${types}\nURIs: http://debian.example\nSuites: stable\n`;
  expect(asSources(paragraph("deb"))).toBe(paragraph("deb-src"));
  expect(asSources(paragraph("deb deb-src"))).toBe(paragraph("deb-src"));
});
