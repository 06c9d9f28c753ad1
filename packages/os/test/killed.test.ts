// Killed: a process that works on a heap in a file is killed at random moments. What it leaves is opened, and
// everything that its table names must be there.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../../test/support/c-program.ts";
import { BUILT, hasOs, randomFrom, sharedName } from "../../../test/support/os.ts";
import { scratchFolder } from "../../../test/support/scratch.ts";
import { seedOf } from "../../../test/support/seed.ts";
import { Heap } from "../src/index.ts";

const WRITER = join(ROOT, "test/support/os-writer.mjs");
const KILLS = 100;
const SHARED_KILLS = 8;
/** One in so many is killed at any moment of its life, so also while it starts and opens the heap. */
const EARLY = 10;

const folder = scratchFolder("killed");

/** Starts the writer and kills it: so many milliseconds after its start (`early`), or after its first call. */
function runAndKill(
  kind: string,
  name: string,
  seed: number,
  delay: number,
  early: boolean,
): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [WRITER, BUILT, kind, name, String(seed)]);
    let said = "";
    const kill = (): void => {
      setTimeout(() => child.kill("SIGKILL"), delay);
    };
    child.stderr.on("data", (data) => {
      said += String(data);
    });
    if (early) kill();
    else child.stdout.once("data", kill);
    child.once("close", (_, signal) => resolve(signal === "SIGKILL" ? said : `ended by itself: ${said}`));
  });
}

/** What the writer's table says is there. */
function expectTable(heap: Heap): Set<number> {
  const known = new Set<number>();
  if (heap.root === 0) return known;
  known.add(heap.root);
  const table = heap.u32(heap.root);
  for (let at = 0; at + 2 < table.length; at += 3) {
    const [ptr = 0, words = 0, stamp = 0] = table.subarray(at, at + 3);
    if (ptr === 0) continue;
    known.add(ptr);
    expect(heap.usableSize(ptr)).toBeGreaterThanOrEqual(words * 4);
    expect(heap.u32(ptr, words).every((word) => word === stamp)).toBe(true);
  }
  return known;
}

/** Blocks that are live and that nobody has: of the call that was cut short. */
function orphans(heap: Heap, known: ReadonlySet<number>): number[] {
  const found: number[] = [];
  heap.inspectAll(({ ptr, state }) => {
    if (state === "live" && !known.has(ptr)) found.push(ptr);
  });
  return found;
}

describe.runIf(hasOs)("a process is killed at a random moment", () => {
  it(`${KILLS} times: its file opens, sound or repaired, with all that was finished`, async () => {
    const random = randomFrom(seedOf("killed"));
    const path = join(folder, "state.heap");
    let repaired = 0;
    let lost = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const early = kill % EARLY === 0;
      expect(await runAndKill("file", path, random(2 ** 31), random(early ? 250 : 25), early)).toBe("");
      const heap = Heap.open(path);
      heap.check();
      repaired += heap.repaired === undefined ? 0 : 1;
      lost += heap.repaired?.lost.length ?? 0;
      expect(heap.repaired?.lostSlabs ?? []).toEqual([]);
      const left = orphans(heap, expectTable(heap));
      expect(
        left.length,
        "blocks of the call that was cut short, and what could not be saved",
      ).toBeLessThanOrEqual(3);
      for (const ptr of left) heap.free(ptr);
      heap.check();
      heap.close();
    }
    console.log(`killed: ${KILLS} times, ${repaired} heaps repaired, ${lost} stretches lost`);
  });

  it("inside a call on a shared heap: the next who has its turn repairs it", async () => {
    const random = randomFrom(seedOf("killed, shared"));
    const name = sharedName();
    const heap = Heap.shared(name, { size: 1 << 28 });
    try {
      for (let kill = 0; kill < SHARED_KILLS; kill++) {
        expect(await runAndKill("shared", name, random(2 ** 31), 5 + random(25), false)).toBe("");
        heap.check();
        const left = orphans(heap, expectTable(heap));
        expect(left.length).toBeLessThanOrEqual(3);
        for (const ptr of left) heap.free(ptr);
      }
    } finally {
      heap.close();
      Heap.unlink(name);
    }
  });
});
