// Job workers: turns, and what is told of a worker that fails or dies.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import { type Failed, JobWorkers } from "../harness/job-workers.ts";

const folder = mkdtempSync(join(tmpdir(), "morecore-workers-"));
const script = join(folder, "worker.cjs");
writeFileSync(
  script,
  `const job = JSON.parse(process.argv[2]);
   process.on("message", ({ say }) => {
     if (say === job.kind + " dies") process.exit(3);
     process.send(say === job.kind + " fails" ? { kind: "failed", reason: "it would not" } : { kind: "said", say });
   });`,
);
afterAll(() => rmSync(folder, { recursive: true }));

type Name = "a" | "b" | "c";
type Answer = { readonly kind: "said"; readonly say: string } | Failed;
let workers: JobWorkers<Name, { readonly say: string }, Answer>;
const start = () => {
  workers = new JobWorkers(script, [{ kind: "a" }, { kind: "b" }, { kind: "c" }]);
};
afterEach(() => workers.stop());

it("each has its turn in each round, and another one is first in the next", async () => {
  start();
  const turns: string[] = [];
  const failure = await workers.inTurns(3, { say: "x" }, (kind, round) => turns.push(`${round}${kind}`));
  expect(failure).toBeUndefined();
  expect(turns.join(" ")).toBe("0a 0b 0c 1b 1c 1a 2c 2a 2b");
});

it("one that fails ends the rounds with its name and its reason", async () => {
  start();
  const turns: string[] = [];
  const failure = await workers.inTurns(3, { say: "b fails" }, (kind) => turns.push(kind));
  expect(failure).toBe("b: it would not");
  expect(turns).toEqual(["a"]);
});

it("one that dies is a failure, now and when it is asked again", async () => {
  start();
  expect(await workers.inTurns(1, { say: "a dies" }, () => undefined)).toBe("a: its process ended (3)");
  expect(await workers.ask("a", { say: "x" })).toEqual({ kind: "failed", reason: "its process has ended" });
});
