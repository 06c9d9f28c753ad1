// Commands: engines that run a script and print: Node, Deno, Bun, workerd.
//
// Owns:  how each is started.
// Needs: what `npm run engines` has fetched; the bundle.

import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { engineCommand } from "../../../bench/programs/engines.ts";
import type { Answer } from "../inside/answer.ts";

/**
 * What the tests' own libraries read to know whether they may print colours, and the script that the tests' Workers start with. All
 * else Deno forbids: morecore asks for nothing.
 */
const DENO_ALLOWED = ["--allow-env=FORCE_TTY,NO_COLOR,FORCE_COLOR,TERM,CI", "--allow-read=stress.worker.mjs"];

/** A worker is configured by a file. This one may do nothing but be tested. */
const WORKERD_CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "suite", worker = (
  compatibilityDate = "2026-11-01",
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "built.js", esModule = embed "built.js"),
    (name = "sources.js", esModule = embed "sources.js"),
  ],
))]);
`;

/** The words that start the suite in an engine, in the bundle's folder; undefined: it is not there. */
function commandOf(name: string, only: string): readonly string[] | undefined {
  const found = engineCommand(name);
  if (found === undefined) return undefined;
  if (name === "workerd") return [...found, "test", "workerd.capnp"];
  return [...found, ...(name === "deno" ? DENO_ALLOWED : []), "command.js", only];
}

/** "20.20.2", of what it says of itself; undefined: it is not there. */
export function commandVersion(name: string): string | undefined {
  const [file] = engineCommand(name) ?? [];
  if (file === undefined) return undefined;
  const { stdout } = spawnSync(file, ["--version"], { encoding: "utf8" });
  return /\d+([.-]\d+)+/.exec(stdout ?? "")?.[0];
}

/** What the suite has: run by nobody, counted by the Node that this runs in. */
export function countSuite(folder: string): Promise<Answer> {
  return answerOf([process.execPath, "command.js", "", "count"], folder, COUNTING_PATIENCE);
}

/** Runs the suite in an engine. Throws with what it printed if it does not end with an answer. */
export async function runInCommand(
  name: string,
  folder: string,
  milliseconds: number,
  only = "",
): Promise<Answer> {
  if (name === "workerd") writeFileSync(path.join(folder, "workerd.capnp"), WORKERD_CONFIG);
  return answerOf(commandOf(name, only) ?? [], folder, milliseconds);
}
const MOST_SAID = 4000;
const COUNTING_PATIENCE = 60_000;

async function answerOf(command: readonly string[], folder: string, milliseconds: number): Promise<Answer> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], timeout: milliseconds });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const last = stdout.trim().split("\n").at(-1) ?? "";
  if (last.startsWith("{")) return JSON.parse(last);
  const why = child.signalCode === null ? "no answer" : `no answer in ${milliseconds / 1000} s`;
  throw new Error(`${file}: ${why}\n${stdout.slice(-MOST_SAID)}\n${stderr.slice(-MOST_SAID)}`);
}
