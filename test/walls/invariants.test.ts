import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The ids that a file's head gives invariants. "R1 of ref.ts" gives none: it refers to one. */
function invariantsOf(text: string): string[] {
  const head = /^(?:(?:\/\/|#).*\n)+/.exec(text)?.[0] ?? "";
  const [, said = ""] = /^\/\/ Invariants:(.*(?:\n\/\/ .*)*)/m.exec(head) ?? [];
  return Array.from(said.matchAll(/(?:^|\n\/\/)\s+([A-Z]{1,2}\d+)\s+(?!of )/g), ([, id = ""]) => id);
}

/** What a reader takes for one thing: a folder of a package's sources, or all of them where they have none. */
function groupOf(file: string): string {
  return /^(?:packages\/[^/]+\/src|bench(?:\/suites)?)(?:\/[^/]+(?=\/))?/.exec(file)?.[0] ?? "";
}

function sources(): string[] {
  const packages = readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}/src`);
  return [...packages, "bench"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .map((file) => `${folder}/${file}`)
      .filter((file) => /\.(?:ts|c|h)$/.test(file) && !/^bench\/(?:dist|test)\//.test(file)),
  );
}

describe("an invariant's id", () => {
  it("stands for one invariant in its folder", () => {
    const known = new Map<string, string>();
    const twice: string[] = [];
    for (const file of sources()) {
      for (const id of invariantsOf(readFileSync(join(ROOT, file), "utf8"))) {
        const name = `${groupOf(file)}: ${id}`;
        const other = known.get(name);
        if (other !== undefined) twice.push(`${name} in ${other} and ${file}`);
        known.set(name, file);
      }
    }
    expect(known.size).toBeGreaterThan(80);
    expect(twice).toEqual([]);
  });

  it("is read from a head, behind the word and at the beginning of a line", () => {
    const head = [
      "// Pairs: two of a kind.",
      "//",
      "// Invariants: P1  one is there   O(1)",
      "//             P2  the other is, as P3 says; and where a line goes on",
      "//                 it has no id",
      "//             MV1 both are",
      "//             R1 of ref.ts",
      "//",
      "//             N1  not one of them",
      "",
      "// Invariants: Z1  no head",
    ];
    expect(invariantsOf(head.join("\n"))).toEqual(["P1", "P2", "MV1"]);
  });

  it("belongs to a folder of a package, or to a package without folders", () => {
    expect(groupOf("packages/morecore/src/kernel/top.ts")).toBe("packages/morecore/src/kernel");
    expect(groupOf("packages/os/src/file.ts")).toBe("packages/os/src");
    expect(groupOf("bench/suites/native/measure.ts")).toBe("bench/suites/native");
    expect(groupOf("bench/peers/wasm.ts")).toBe("bench/peers");
  });
});
