import { describe, expect, it } from "vitest";
import { type Chunk, ptrOf } from "../../src/kernel/address.ts";
import { CORRUPTED } from "../../src/kernel/codes.ts";
import { NEXT, PREVIOUS } from "../../src/kernel/layout.ts";
import { release } from "../../src/kernel/release.ts";
import { Bench, Refused } from "./broken.ts";

describe("a release between two free chunks", () => {
  /** Links of the chunk behind that cannot be, and what has overwritten them. */
  const OVERWRITTEN: readonly [string, (b: Bench, after: Chunk, other: Chunk) => void][] = [
    ["its successor lies beyond the heap", (b, after) => b.poke(after + NEXT, 0xffff_fff0)],
    ["its predecessor lies beyond the heap", (b, after) => b.poke(after + PREVIOUS, 0x4141_4140)],
    ["its predecessor leads elsewhere", (b, after, other) => b.poke(after + PREVIOUS, other)],
    ["its successor leads elsewhere", (b, after, other) => b.poke(after + NEXT, other)],
  ];

  it.each(OVERWRITTEN)(
    "is refused before anything is written when of the chunk behind it %s",
    (_how, write) => {
      const b = new Bench({ smallLimit: 0 });
      const [before, chunk, after, other] = b.four(300);
      b.blocks(1, 300);
      b.heap.free(ptrOf(before));
      b.heap.free(ptrOf(after));
      write(b, after, other);
      const bytes = Buffer.from(new Uint8Array(b.heap.buffer)).toString("hex");
      expect(() => release(b.machine, b.base, chunk)).toThrow(new Refused(CORRUPTED, after));
      expect(Buffer.from(new Uint8Array(b.heap.buffer)).toString("hex")).toBe(bytes);
    },
  );
});
