// Memories that grow in place, in the engines that have them: Node 26, Deno and Bun (`npm run engines`). The same ways of the
// library are tried in test/regress/growth-in-place.test.ts with memories that Node 20 has.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ENGINES, engineCommand } from "../../bench/programs/engines.ts";

const SCRIPT = fileURLToPath(new URL("./growth.mjs", import.meta.url));

// Those of them that have such memories; Node 20 to 24 and workerd have not.
const GROWING = ENGINES.filter((name) => ["node26", "deno", "bun"].includes(name));

describe.each(GROWING)("%s", (name) => {
  const command = engineCommand(name);

  it.skipIf(command === undefined)(
    command === undefined
      ? "has not been fetched: `npm run engines`"
      : "keeps heaps whole in memory that grows in place",
    () => {
      const [file = "", ...args] = command ?? [];
      const { stdout, stderr } = spawnSync(file, [...args, SCRIPT], { encoding: "utf8" });
      expect(stderr).toBe("");
      const found: Record<string, unknown> = JSON.parse(stdout);
      expect(Object.keys(found).length).toBe(17);
      expect(Object.entries(found).filter(([, result]) => result !== true)).toEqual([]);
    },
  );
});
