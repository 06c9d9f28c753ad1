// The examples of the typed layer and its arenas. Each checks itself as well: what it prints is printed only if all is equal.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/c-program.ts";

describe.each(["particles", "type-graph", "json-arena", "linked-list"])("examples/%s", (name) => {
  it("prints what its README says", () => {
    const folder = join(ROOT, "examples", name);
    const readme = readFileSync(join(folder, "README.md"), "utf8");
    const [, command = ""] = /^```sh\n(.*?)\n```/ms.exec(readme) ?? [];
    const [, printed] = /^prints\n\n```\n(.*?)```/ms.exec(readme) ?? [];
    const { stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: folder, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout).toBe(printed);
  });
});
