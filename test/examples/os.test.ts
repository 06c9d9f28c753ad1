import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/c-program.ts";
import { hasOs } from "../support/os.ts";

const FOLDER = join(ROOT, "examples/os");

describe.runIf(hasOs)("examples/os", () => {
  it("prints what its README says", () => {
    const readme = readFileSync(join(FOLDER, "README.md"), "utf8");
    const [, command = ""] = /^```sh\n(.*?)\n```/ms.exec(readme) ?? [];
    const [, printed] = /^prints\n\n```\n(.*?)```/ms.exec(readme) ?? [];
    const env = { ...process.env, LC_ALL: "C" };
    const { stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: FOLDER, encoding: "utf8", env });
    expect(stderr).toBe("");
    expect(stdout).toBe(printed);
  });
});
