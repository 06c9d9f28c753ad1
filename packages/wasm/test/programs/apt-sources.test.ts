// npm run programs asks Debian for sources without a change to the system: by copies of its lists, with lines for sources.

import { expect, test } from "vitest";
import { withSources } from "../../../../bench/programs/apt.ts";

test("a line for packages gets a line for sources", () => {
  const list =
    "# deb http://old.example/\ndeb [arch=amd64 signed-by=/k.gpg] http://debian.example stable main\n";
  expect(withSources(list)).toBe(
    "# deb http://old.example/\ndeb [arch=amd64 signed-by=/k.gpg] http://debian.example stable main\n" +
      "deb-src [arch=amd64 signed-by=/k.gpg] http://debian.example stable main\n",
  );
});

test("a line for sources stays one, and is not there twice", () => {
  const both = "deb http://debian.example stable main\ndeb-src http://debian.example stable main\n";
  expect(withSources(both)).toBe(both);
  expect(withSources("deb-src http://debian.example stable main\n")).toBe(
    "deb-src http://debian.example stable main\n",
  );
});

test("a paragraph for packages, or for both, becomes one for both", () => {
  const paragraph = (types: string) => `Types: ${types}\nURIs: http://debian.example\nSuites: stable\n`;
  expect(withSources(paragraph("deb"))).toBe(paragraph("deb deb-src"));
  expect(withSources(paragraph("deb deb-src"))).toBe(paragraph("deb deb-src"));
});
