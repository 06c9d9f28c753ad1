// Heaps in the operating system's memory, in each engine that is there (`npm run engines`): each kind of memory, in each way to
// call C that the engine has. packages/os/test holds the same in this Node, and much more.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ENGINES, engineCommand } from "../../bench/programs/engines.ts";
import { hasOs } from "../support/os.ts";

const SCRIPT = fileURLToPath(new URL("./os.mjs", import.meta.url));
const CLAIMS = 28;
const PATIENCE = 120_000;
/** Where there is a node:ffi, Node says on stderr that it is experimental. */
const QUIET = "--disable-warning=ExperimentalWarning";
const WITHOUT_FFI = "--no-experimental-ffi";

/** A worker of workerd has no system to ask. */
const OTHERS = ENGINES.filter((name) => name !== "workerd");
/** Deno calls C only for who may. */
const ALLOWED = "--allow-all";

/** The words that start an engine, this Node among them. */
function commandOf(name: string): readonly string[] | undefined {
  return name === "this Node" ? [process.execPath] : engineCommand(name);
}

/** Runs the script with an engine and more flags: what it prints. */
function run(command: readonly string[], flags: readonly string[], word = "all"): string {
  const [file = "", ...args] = command;
  const { status, stdout, stderr } = spawnSync(file, [...args, ...flags, SCRIPT, word], {
    encoding: "utf8",
    timeout: PATIENCE,
    env: { ...process.env, NO_COLOR: "1" },
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout.trim();
}

/** The claims that do not hold, and what was found instead. */
function failedClaims(command: readonly string[], flags: readonly string[]): [string, unknown][] {
  let said = "blocked";
  for (let tries = 0; said === "blocked" && tries < 5; tries++) said = run(command, flags);
  const found: Record<string, unknown> = JSON.parse(said);
  expect(Object.keys(found).length).toBe(CLAIMS);
  return Object.entries(found).filter(([, result]) => result !== true);
}

/** Whether a Node knows a flag. */
function knows(command: readonly string[], flag: string): boolean {
  const [file = "", ...args] = command;
  return spawnSync(file, [...args, flag, "--version"], { timeout: PATIENCE }).status === 0;
}

describe.runIf(hasOs).each(["this Node", ...OTHERS])("%s", (name) => {
  const command = commandOf(name) ?? [];
  const isThere = command.length > 0;
  const isNode = /node/i.test(name);
  const flags = isNode ? [QUIET] : name === "deno" ? [ALLOWED] : [];
  const hasFfi = isThere && isNode && knows(command, WITHOUT_FFI);

  it.skipIf(!isThere)(
    isThere ? "has every kind of the system's memory" : "has not been fetched: `npm run engines`",
    { timeout: PATIENCE },
    () => expect(failedClaims(command, flags)).toEqual([]),
  );

  it.runIf(hasFfi)("has it by koffi, too, without node:ffi", { timeout: PATIENCE }, () => {
    expect(failedClaims(command, [...flags, WITHOUT_FFI])).toEqual([]);
  });

  it.runIf(hasFfi)("says which permission Node wants", { timeout: PATIENCE }, () => {
    const permissions = ["--permission", "--allow-fs-read=*", "--allow-fs-write=*"];
    expect(run(command, [...flags, ...permissions], "denied")).toBe(
      "OsError NOT_ALLOWED: @morecore/os may not call C: Access to this API has been restricted." +
        " Use --allow-ffi to manage permissions.",
    );
  });

  it.runIf(isThere && name === "deno")("says which permission Deno wants", { timeout: PATIENCE }, () => {
    expect(run(command, [...flags, "--deny-ffi"], "denied")).toMatch(
      /^OsError NOT_ALLOWED: @morecore\/os may not call C: Requires ffi access to ".*koffi.*\.node",.*--allow-ffi.*$/,
    );
  });
});
