// Sharing: processes that work on one heap at once.

import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { BUILT, hasOs, sharedName } from "../../../test/support/os.ts";
import { Heap } from "../src/index.ts";

/** Allocates, fills, verifies and frees, and leaves ten blocks. */
const WORKER = `
  const { Heap } = await import(process.argv[1]);
  const heap = Heap.shared(process.argv[2]);
  const mine = new Map();
  for (let turn = 0; turn < 3000; turn++) {
    const words = 1 + Math.floor(Math.random() ** 4 * 5000);
    const ptr = heap.malloc(words * 4);
    if (ptr === 0) throw new Error("no memory");
    heap.u32(ptr, words).fill(process.pid);
    mine.set(ptr, words);
    if (mine.size < 40) continue;
    const [first, count] = mine.entries().next().value;
    if (!heap.u32(first, count).every((word) => word === process.pid)) throw new Error("overwritten");
    heap.free(first);
    mine.delete(first);
  }
  for (const ptr of [...mine.keys()].slice(10)) heap.free(ptr);
  heap.close();
`;

function work(name: string): Promise<string> {
  return new Promise((resolve) => {
    const args = ["--input-type=module", "-e", WORKER, BUILT, name];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (data) => {
      said += String(data);
    });
    child.once("close", (status) => resolve(status === 0 ? said : `status ${status}: ${said}`));
  });
}

describe.runIf(hasOs)("processes share a heap", () => {
  it("and work on it at once: no block is given to two, and it is sound afterwards", async () => {
    const name = sharedName();
    const heap = Heap.shared(name);
    try {
      expect(await Promise.all([work(name), work(name), work(name)])).toEqual(["", "", ""]);
      heap.check();
      let live = 0;
      heap.inspectAll(({ state }) => {
        if (state === "live") live += 1;
      });
      expect(live).toBe(30);
      expect(heap.repaired).toBeUndefined();
    } finally {
      heap.close();
      Heap.unlink(name);
    }
  });
});
