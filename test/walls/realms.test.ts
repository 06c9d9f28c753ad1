// A wall: what is the platform's is told by its slots (memory/slots.ts), since another realm has classes of its own.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/c-program.ts";

/** Packages that run where their users' code does, in a page or in Jest. */
const PACKAGES = ["morecore", "os", "inspect", "native"];

/** The classes of the platform that some source asks for with instanceof. One of our own is what the sources declare. */
function platformClasses(text: string): string[] {
  const code = text.replace(/\/\*.*?\*\//gs, "").replace(/\/\/.*/g, "");
  const asked = Array.from(code.matchAll(/\binstanceof\s+([\w.]+)/g), ([, name = ""]) => name);
  return asked.filter((name) => name.startsWith("WebAssembly.") || name in globalThis);
}

function sources(): string[] {
  return PACKAGES.flatMap((name) =>
    readdirSync(join(ROOT, "packages", name, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => `packages/${name}/src/${file}`),
  );
}

describe("instanceof", () => {
  it("asks for no class of the platform, in any source that may meet another realm", () => {
    const found = sources().flatMap((file) =>
      platformClasses(readFileSync(join(ROOT, file), "utf8")).map((name) => `${name} in ${file}`),
    );
    expect(sources().length).toBeGreaterThan(150);
    expect(found).toEqual([]);
  });

  it("of the platform is found by this test, and one in a comment is none", () => {
    const text =
      "// x instanceof Map\nx instanceof Heap || x instanceof\n  WebAssembly.Memory || x instanceof Error";
    expect(platformClasses(text)).toEqual(["WebAssembly.Memory", "Error"]);
  });
});
