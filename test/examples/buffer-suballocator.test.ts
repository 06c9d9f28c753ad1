import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/c-program.ts";

const FOLDER = join(ROOT, "examples/buffer-suballocator");

describe("examples/buffer-suballocator", () => {
  it("prints what its README says", () => {
    const readme = readFileSync(join(FOLDER, "README.md"), "utf8");
    const [, command = ""] = /^```sh\n(.*?)\n```/ms.exec(readme) ?? [];
    const [, printed] = /^prints\n\n```\n(.*?)```/ms.exec(readme) ?? [];
    const { stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: FOLDER, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout).toBe(printed);
  });
});
