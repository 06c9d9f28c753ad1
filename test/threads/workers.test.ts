import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { Heap } from "../../packages/morecore/src/index.ts";

const SEED = Number(process.env["MORECORE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const library = (entry: string) => new URL(`../../packages/morecore/dist/${entry}.js`, import.meta.url).href;

interface Stress {
  readonly threads: number;
  readonly rounds: number;
  readonly calls: number;
  readonly entry: string;
  readonly largest: number;
}

/** Lets Workers loose on a heap; calls back whenever all of them stand still. */
async function stress(heap: Heap, { threads, rounds, calls, entry, largest }: Stress, quiet: () => void) {
  const control = new Int32Array(new SharedArrayBuffer(4));
  const slots = new Int32Array(new SharedArrayBuffer(4 * 64));
  const workers = Array.from(
    { length: threads },
    (_, index) =>
      new Worker(new URL("stress.worker.mjs", import.meta.url), {
        workerData: {
          ...{ library: library(entry), handle: heap.handle, control, slots },
          ...{ seed: (SEED + index * 7919) | 1, rounds, calls, largest },
        },
      }),
  );
  const failures = workers.map((worker) => new Promise<never>((_, reject) => worker.once("error", reject)));
  const said = (worker: Worker) => new Promise((resolve) => worker.once("message", resolve));
  const ends = workers.map((worker) => new Promise((resolve) => worker.once("exit", resolve)));
  try {
    for (let round = 0; round < rounds; round++) {
      await Promise.race([Promise.all(workers.map(said)), ...failures]);
      quiet();
      Atomics.store(control, 0, round + 1);
      Atomics.notify(control, 0);
    }
    await Promise.race([Promise.all(ends), ...failures]);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  for (const ptr of slots) heap.free(ptr);
}

describe(`several Workers on one heap (seed ${SEED}: MORECORE_SEED)`, () => {
  const cases: readonly (readonly [what: string, make: () => Heap, stress: Stress])[] = [
    [
      "two, in a memory that grows",
      () => Heap.create({ shared: true, maximum: 2 ** 28 }),
      { threads: 2, rounds: 6, calls: 20_000, entry: "index", largest: 300_000 },
    ],
    [
      "eight, in a memory that grows",
      () => Heap.create({ shared: true, maximum: 2 ** 28 }),
      { threads: 8, rounds: 4, calls: 6000, entry: "index", largest: 300_000 },
    ],
    [
      "four by the kernel in JavaScript, in a SharedArrayBuffer that is often full",
      () => Heap.create({ memory: new SharedArrayBuffer(2 ** 20) }),
      { threads: 4, rounds: 4, calls: 5000, entry: "js", largest: 30_000 },
    ],
    [
      "three by the kernel in JavaScript, in a memory that grows",
      () => Heap.create({ shared: true, maximum: 2 ** 28 }),
      { threads: 3, rounds: 4, calls: 5000, entry: "js", largest: 300_000 },
    ],
  ];

  it.each(cases)("%s lose no block and give none twice", { timeout: 120_000 }, async (_what, make, how) => {
    const heap = make();
    await stress(heap, how, () => heap.check());
    heap.trim();
    heap.check();
    const live: number[] = [];
    heap.inspectAll(({ state, ptr }) => {
      if (state === "live") live.push(ptr);
    });
    expect(live).toEqual([]);
  });
});
