// The oracle and the suite run any allocator: here one that has nothing in common with the kernel. And of one that is broken in
// any of the ways that allocators are, they find it.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnyHeap } from "../support/any-heap.ts";
import { call, Program } from "../support/calls.ts";
import { allocating } from "../support/conformance.ts";
import { FirstFit } from "../support/first-fit.ts";
import { FIXED_BYTES } from "../support/memories.ts";
import { seedOf } from "../support/seed.ts";
import { Shadow } from "../support/shadow.ts";

const seed = seedOf("any-allocator");
const MOST = 64 * 1024 * 1024;
const NOTHING_CERTAIN = -1;

/** Plays random programs on allocators that a function makes. */
function play(make: () => AnyHeap, numRuns: number): void {
  const program = fc.array(call(MOST), { maxLength: 80, size: "max" });
  const property = fc.property(program, (calls) =>
    new Program(new Shadow(make()), NOTHING_CERTAIN).run(calls),
  );
  fc.assert(property, { seed, numRuns, interruptAfterTimeLimit: 30_000, includeErrorInReport: true });
}

describe("a first-fit allocator of the test's own", () => {
  allocating((settings) => new FirstFit(FIXED_BYTES, settings), false);

  test("passes any program of calls", () => {
    play(() => new FirstFit(FIXED_BYTES), 100);
  });
});

class Overlapping extends FirstFit {
  protected override take(ptr: number, bytes: number): number {
    return super.take(this.held.length === 3 ? (this.held[0]?.ptr ?? ptr) : ptr, bytes);
  }
}

class Misaligned extends FirstFit {
  override malloc(bytes: number): number {
    return bytes === 17 ? this.take(super.malloc(bytes + 8) + 8, 32) : super.malloc(bytes);
  }
}

class TooSmall extends FirstFit {
  override malloc(bytes: number): number {
    return super.malloc(bytes % 16 === 1 ? bytes - 1 : bytes);
  }
}

class Leaking extends FirstFit {
  override free(ptr: number): void {
    if (ptr % 64 !== 0) super.free(ptr);
  }
}

/** Each trim leaves a granule at the end that is in no piece. */
class Losing extends FirstFit {
  private lost = 0;

  override trim(pad?: number): boolean {
    this.lost += 16;
    return super.trim(pad);
  }

  override inspectAll(visit: Parameters<FirstFit["inspectAll"]>[0]): void {
    super.inspectAll((piece) =>
      visit(piece.state === "top" ? { ...piece, size: Math.max(16, piece.size - this.lost) } : piece),
    );
  }
}

class Forgetful extends FirstFit {
  override realloc(ptr: number, bytes: number): number {
    const moved = super.realloc(ptr, bytes);
    if (moved !== 0 && moved !== ptr) this.u8(moved, 1)[0] = 0;
    return moved;
  }
}

class Dirty extends FirstFit {
  override calloc(count: number, bytes = 1): number {
    const ptr = this.malloc(count * bytes);
    if (ptr !== 0 && count * bytes > 0) this.u8(ptr, count * bytes).fill(0, 1);
    return ptr;
  }
}

/** A refused realloc frees the block. */
class NotAtomic extends FirstFit {
  override realloc(ptr: number, bytes: number): number {
    const moved = super.realloc(ptr, bytes);
    if (moved === 0 && ptr !== 0 && bytes !== 0) this.free(ptr);
    return moved;
  }
}

/** What it writes lies in the caller's bytes. */
class Scribbling extends FirstFit {
  override free(ptr: number): void {
    super.free(ptr);
    const [first] = this.held;
    if (first !== undefined) this.u8(first.ptr, 1)[0] = 0;
  }
}

describe("the oracle finds an allocator", () => {
  test.each<[string, new (bytes: number) => FirstFit, RegExp]>([
    ["that gives bytes twice", Overlapping, /lies over/],
    ["that gives an address which is not aligned", Misaligned, /is a multiple of/],
    ["that gives too few bytes", TooSmall, /holds what was asked for/],
    ["that keeps what is freed", Leaking, /live pieces are the live blocks|all is free/],
    ["that loses bytes", Losing, /no byte is lost/],
    ["whose realloc loses what a block holds", Forgetful, /was overwritten/],
    ["whose calloc is not zero", Dirty, /not zero/],
    ["whose refused realloc changes something", NotAtomic, /no live block|was overwritten/],
    ["that writes into live blocks", Scribbling, /was overwritten/],
  ])("%s", (_, Broken, message) => {
    expect(() => play(() => new Broken(FIXED_BYTES), 200)).toThrow(message);
  });
});
