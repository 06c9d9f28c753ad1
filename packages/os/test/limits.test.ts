// Limits: what a process under RLIMIT_AS, or on a full device, is told; out of memory is an answer, and the heap goes on.

import { describe, expect, it } from "vitest";
import { hasOs, IMPORT, runModule } from "../../../test/support/os.ts";

/** Node itself needs about 1 GiB of address space; this leaves some for heaps, but not 4 GiB. */
const LIMIT_KIB = 3 * 1024 * 1024;

/** Runs a module under `ulimit -v`; what it prints. */
function limited(source: string): string {
  return runModule(source, [], LIMIT_KIB);
}

/** Runs a module that needs the break, again where the system has mapped something close above it: once in a hundred starts. */
function withBreak(source: string): string {
  const whole = `${IMPORT}
    import { readFileSync } from "node:fs";
    const maps = readFileSync("/proc/self/maps", "latin1");
    const [, end, next] = /-([0-9a-f]+) .*\\[heap\\]\\n([0-9a-f]+)-/.exec(maps);
    if (parseInt(next, 16) - parseInt(end, 16) < 2 ** 32) { console.log("blocked"); process.exit(); }
    ${source}`;
  for (let tries = 0; tries < 5; tries++) {
    const said = limited(whole);
    if (said !== "blocked") return said;
  }
  throw new Error("in five processes something is mapped close above the break");
}

describe.runIf(hasOs)("under RLIMIT_AS", () => {
  it("a reservation beyond the limit is refused with ENOMEM, named", () => {
    const said = limited(`${IMPORT}
      try { mmapMemory({ reserve: 4 * 2 ** 30 }); } catch (error) { console.log(error.name, error.code, error.message); }`);
    expect(said).toMatch(
      /^OsError ENOMEM mmap of \d+ bytes: the system has no more memory, or a limit \(RLIMIT_AS/,
    );
  });

  it("without a size, as much is reserved as a half, a quarter … of the most, and the heap ends there", () => {
    const said = limited(`${IMPORT}
      const memory = mmapMemory();
      const heap = Heap.create({ memory });
      let got = 0;
      while (heap.malloc(16 << 20) !== 0) got++;
      heap.check();
      const last = heap.malloc(1000);
      heap.free(last);
      console.log(memory.buffer.byteLength, got, last !== 0);`);
    const [bytes = 0, got = 0] = said.split(" ").map(Number);
    expect([2 ** 31, 2 ** 30, 2 ** 29]).toContain(bytes);
    expect(got).toBeGreaterThan((bytes / 2 ** 24) * 0.9);
    expect(said).toMatch(/true$/);
  });

  it("sbrk says no, the heap stays sound, and serves again when something is freed", () => {
    const said = withBreak(`
      // What is freed stays the heap's: given back, Node's own threads might take it under the limit.
      const heap = Heap.create({ memory: sbrkMemory(), advance: 0, trimThreshold: Infinity });
      const ptrs = [];
      for (let ptr = heap.malloc(64 << 20); ptr !== 0; ptr = heap.malloc(64 << 20)) ptrs.push(ptr);
      heap.check();
      heap.free(ptrs.pop());
      heap.check();
      console.log(ptrs.length > 2 && ptrs.length < 48, heap.malloc(60 << 20) !== 0);`);
    expect(said).toBe("true true");
  });
});
