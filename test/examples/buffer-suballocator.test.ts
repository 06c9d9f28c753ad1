import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = join(ROOT, "examples/buffer-suballocator");

/** What a program of the folder prints, with the allocator as the sources have it, built or not. */
async function run(program: string): Promise<{ stdout: string; stderr: string }> {
  const dir = mkdtempSync(join(tmpdir(), "morecore-example-"));
  try {
    const bundle = await rolldown({
      input: join(FOLDER, program),
      platform: "node",
      resolve: { alias: { "morecore/arena": join(ROOT, "src/arena/offset-allocator.ts") } },
    });
    await bundle.write({ dir, format: "esm", entryFileNames: "main.mjs" });
    await bundle.close();
    return spawnSync(process.execPath, [join(dir, "main.mjs")], { encoding: "utf8" });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe("examples/buffer-suballocator", () => {
  it("prints what its README says", async () => {
    const readme = readFileSync(join(FOLDER, "README.md"), "utf8");
    const [, program = ""] = /^```sh\nnode (.*?)\n```/ms.exec(readme) ?? [];
    const [, printed] = /^prints\n\n```\n(.*?)```/ms.exec(readme) ?? [];
    const { stdout, stderr } = await run(program);
    expect(stderr).toBe("");
    expect(stdout).toBe(printed);
  });
});
