// Playing within wasm: that every allocator is given the same calls, and that one which is unsound is found out.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTraceFile, type Trace } from "@morecore/inspect";
import { beforeAll, describe, expect, it } from "vitest";
import { hasC } from "../../../test/support/c-program.ts";
import { ROOT } from "../../harness/paths.ts";
import { readMade } from "../../programs/cache.ts";
import { Instance } from "../../suites/within/instance.ts";
import { patternJobs, replayJobs } from "../../suites/within/jobs.ts";
import { playPattern } from "../../suites/within/loop.ts";
import { Player, packed } from "../../suites/within/player.ts";
import { type Job, type Kind, PATTERN_NAMES } from "../../suites/within/protocol.ts";

const made = readMade();
const mimalloc = typeof made === "string" ? undefined : made.mimalloc?.object;
const ROOM = 64 << 20;
/** Where nothing has been linked yet. */
const LINKING_MS = 120_000;

/** malloc, calloc, aligned; all are given longer blocks, and one is freed. */
const TRACE: Trace = {
  opCount: 7,
  slotCount: 3,
  threadCount: 1,
  peakLiveBytes: 0,
  totalAllocatedBytes: 0,
  kinds: Uint8Array.of(0, 1, 4, 2, 2, 2, 3),
  threads: new Uint8Array(7),
  slots: Uint32Array.of(0, 1, 2, 0, 1, 2, 1),
  sizes: Uint32Array.of(10, 5000, 100, 300, 9000, 90, 0),
  alignments: Uint32Array.of(0, 0, 64, 0, 0, 0, 0),
};

it("a record has its call, the exponent of its alignment, its slot and its size", () => {
  const { records } = packed(TRACE);
  expect([...records.subarray(0, 6)]).toEqual([0, 10, 1 | (1 << 8), 5000, 4 | (6 << 3) | (2 << 8), 100]);
  expect(records.length).toBe(14);
});

describe.skipIf(!hasC)("with each allocator in the module", () => {
  const jobs = new Map<Kind, Job>();
  const patterns = new Map<Kind, Job>();
  const instanceOf = (job: Job | undefined): Instance => {
    const instance = new Instance({ module: new WebAssembly.Module(readFileSync(job?.file ?? "")) });
    instance.call("reserve", ROOM);
    return instance;
  };
  const checksum = (kind: Kind, trace: Trace): number => {
    const player = new Player(instanceOf(jobs.get(kind)));
    player.play(packed(trace), "checked");
    return player.checksum();
  };

  beforeAll(async () => {
    for (const job of await replayJobs({ mimalloc, before: undefined })) jobs.set(job.kind, job);
    for (const job of await patternJobs({ mimalloc, before: undefined })) patterns.set(job.kind, job);
  }, LINKING_MS);

  it.each(["graphviz-dot-20k", "sqlite-20k"])("the blocks of %s have in them what was written", (name) => {
    const trace = readTraceFile(join(ROOT, "traces", `${name}.mct.gz`));
    const expected = checksum("dlmalloc", trace);
    for (const kind of jobs.keys())
      if (kind !== "loop" && kind !== "nothing") expect(checksum(kind, trace), kind).toBe(expected);
    // All of its blocks are one.
    expect(checksum("nothing", trace)).not.toBe(expected);
  });

  it("a heap is empty after a play, and is played on again", () => {
    const player = new Player(instanceOf(jobs.get("merged")));
    const sums = [0, 1, 2].map(() => {
      player.play(packed(TRACE), "checked");
      return player.checksum();
    });
    expect(new Set(sums).size).toBe(1);
    expect(player.play(packed(TRACE), "touched").length).toBe(1);
  });

  it.each(["dlmalloc", "merged"] as const)("a call that %s refuses ends the play, and is named", (kind) => {
    const sizes = TRACE.sizes.with(4, 0xffff_ff00);
    const player = new Player(instanceOf(jobs.get(kind)));
    for (const how of ["untouched", "touched", "checked"] as const)
      expect(() => player.play(packed({ ...TRACE, sizes }), how)).toThrow("returned 0 at record 4");
  });

  it("a trace with more live blocks than the player has room for is refused", () => {
    const player = new Player(instanceOf(jobs.get("nothing")));
    const trace = packed({ ...TRACE, slotCount: (1 << 20) + 1 });
    expect(() => player.play(trace, "untouched")).toThrow("more than 1048576 blocks");
  });

  it("long traces are timed in slices of 16384 calls", () => {
    const trace = readTraceFile(join(ROOT, "traces", "sqlite-20k.mct.gz"));
    const times = new Player(instanceOf(jobs.get("merged"))).play(packed(trace), "untouched");
    expect(times.length).toBe(Math.ceil(trace.opCount / 16384));
  });

  it.each(PATTERN_NAMES)("%s runs with each allocator", (name) => {
    for (const [kind, job] of patterns) {
      if (kind === "beside") continue;
      expect(playPattern(instanceOf(job), name).length, kind).toBe(16);
    }
  });
});

it("a folder without an earlier build is refused by its name", async () => {
  const before = join(ROOT, "docs");
  await expect(replayJobs({ mimalloc: undefined, before })).rejects.toThrow(
    hasC ? `${before}: expected replay-*.wasm` : "clang",
  );
});
