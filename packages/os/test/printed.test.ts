// Printed: what console.log shows of heaps in the system's memory, and of the memories.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { hasBreak, hasOs } from "../../../test/support/os.ts";
import { Heap, mmapMemory, sbrkMemory } from "../src/index.ts";

const MEBIBYTE = 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), "morecore-printed-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.runIf(hasOs)("what console.log shows", () => {
  it("of a heap from mmap, and of its memory, is a line", () => {
    const memory = mmapMemory({ reserve: MEBIBYTE });
    expect(inspect(memory)).toBe("MmapMemory { size: 64 KiB of 1 MiB }");
    expect(inspect(Heap.create({ memory }))).toBe(
      "Heap { base: 16, footprint: 4 KiB, memory: ArrayBuffer of 64 KiB }",
    );
  });

  it("of a heap in a file is a line, also when it has been closed", () => {
    const path = join(folder, "a.heap");
    const heap = Heap.open(path, { size: MEBIBYTE });
    expect(inspect(heap.memory)).toBe(`FileMemory ${JSON.stringify(path)} { size: 64 KiB of 1 MiB }`);
    expect(inspect(heap)).toBe("Heap { base: 4096, footprint: 4 KiB, memory: ArrayBuffer of 64 KiB }");
    heap.close();
    expect(inspect(heap)).toBe("Heap (closed)");
  });

  it.runIf(hasBreak)("of memory from sbrk is a line", () => {
    expect(inspect(sbrkMemory({ reach: MEBIBYTE }))).toBe("SbrkMemory { size: 64 KiB of 1 MiB }");
  });
});
