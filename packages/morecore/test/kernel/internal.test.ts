import { describe, expect, it } from "vitest";
import { ptrOf } from "../../src/kernel/address.ts";
import { CORRUPTED } from "../../src/kernel/codes.ts";
import { freeInternal, markInternal, takeInternal } from "../../src/kernel/internal.ts";
import { Bench, Refused } from "./broken.ts";

describe("a chunk of the heap's own", () => {
  it("is no caller's to free, and is free when the heap lets go of it", () => {
    const b = new Bench({ smallLimit: 0 });
    const chunk = takeInternal(b.machine, b.base, 320);
    expect(() => b.heap.free(ptrOf(chunk))).toThrow(/\(not-a-block\)$/);
    freeInternal(b.machine, b.base, ptrOf(chunk));
    expect(() => b.heap.free(ptrOf(chunk))).toThrow(/\(double-free\)$/);
    b.heap.check();
  });

  it("is not merged with what a free chunk before it has become by an overflow; nothing is changed", () => {
    const b = new Bench({ smallLimit: 0 });
    const [before, chunk] = b.four(300);
    markInternal(b.machine, chunk);
    b.heap.free(ptrOf(before));
    b.poke(chunk - 4, 0x4141_4140);
    const bytes = Buffer.from(new Uint8Array(b.heap.buffer)).toString("hex");
    expect(() => freeInternal(b.machine, b.base, ptrOf(chunk))).toThrow(new Refused(CORRUPTED, chunk));
    expect(Buffer.from(new Uint8Array(b.heap.buffer)).toString("hex")).toBe(bytes);
  });
});
