// Damaged: a heap's file with one word that somebody has overwritten, or of another length. It opens with all that was in it,
// or it is refused with an OsError and left as it was, byte for byte. Never does it end the process, nor hang.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../../test/support/c-program.ts";
import { BUILT, hasOs } from "../../../test/support/os.ts";
import { scratchFolder } from "../../../test/support/scratch.ts";
import { seedOf } from "../../../test/support/seed.ts";

const OPENER = join(ROOT, "test/support/os-opener.mjs");
const PATIENCE = 300_000;

const folder = scratchFolder("damaged");

/** Opens the damaged files in a process of its own: how often each end came. */
function open(what: string): Record<string, number> {
  const args = ["--expose-gc", OPENER, BUILT, folder, what, String(seedOf(`damaged ${what}`))];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    timeout: PATIENCE,
  });
  const last = readFileSync(join(folder, "case"), "utf8");
  expect({ status, signal, stderr }, `the last case: ${last}`).toEqual({
    status: 0,
    signal: null,
    stderr: "",
  });
  console.log(`damaged ${what}: ${stdout}`);
  // It is what the opener prints.
  return JSON.parse(stdout) as Record<string, number>;
}

describe.runIf(hasOs)("a heap's file in which", () => {
  it(
    "any word of the label is any other, or whose length is, opens whole or is refused",
    () => {
      const ends = open("label");
      expect(ends["sound"]).toBeGreaterThan(20);
      expect(ends["NOT_A_HEAP"]).toBeGreaterThan(100);
      expect(
        Object.keys(ends).filter((end) => !["sound", "NOT_A_HEAP", "BEYOND_REPAIR"].includes(end)),
      ).toEqual([]);
    },
    PATIENCE,
  );

  it(
    "any word of the heap's header is any other is repaired without a loss, or refused",
    () => {
      const ends = open("header");
      expect(ends["repaired"]).toBeGreaterThan(300);
      expect(
        Object.keys(ends).filter((end) => !["sound", "repaired", "BEYOND_REPAIR"].includes(end)),
      ).toEqual([]);
      // Only what says that this is a heap, and of which version, no repair makes up.
      expect(ends["BEYOND_REPAIR"]).toBeLessThan(60);
    },
    PATIENCE,
  );

  it(
    "any chunk's header states another size is repaired, and no block loses what it holds",
    () => {
      const ends = open("chunks");
      expect(ends["repaired"]).toBeGreaterThan(200);
    },
    PATIENCE,
  );
});
