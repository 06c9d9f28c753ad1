// What flow.ts sees of the addresses that functions use and of the headers that they read.

import binaryen from "binaryen";
import { describe, expect, it } from "vitest";
import { followAll, headerPeeks } from "../../src/swap/dlmalloc.ts";
import type { Flow } from "../../src/swap/flow.ts";
import { readModule } from "../../src/swap/module.ts";
import { RELATIVE } from "../../src/swap/origin.ts";

/** Follows the function "f" of a module with these parts. */
function follow(parts: string): Flow {
  const module = binaryen.parseText(`(module ${parts})`);
  module.setFeatures(
    binaryen.Features.Atomics | binaryen.Features.BulkMemory | binaryen.Features.MutableGlobals,
  );
  const bytes = module.emitBinary();
  module.dispose();
  const facts = readModule(bytes);
  const index = facts.functions.findIndex(({ exportedAs }) => exportedAs.includes("f"));
  const flow = followAll(bytes, facts).get(index);
  if (flow === undefined) throw new Error("there is no function f");
  return flow;
}

const MEMORY = "(memory 1)";
const SHARED = "(memory 1 2 shared)";

describe("flow", () => {
  it("adds an access's offset to a constant address", () => {
    const { accessed } = follow(`${MEMORY} (func (export "f")
      (i32.store offset=5000 (i32.const 0) (i32.load (i32.const 6000))) (drop (i32.load8_u offset=4 (i32.const 7000))))`);
    expect([...accessed].sort()).toEqual([5000, 6000, 7004]);
  });

  it("takes of an atomic instruction its first operand for the address, and no other", () => {
    const { accessed } = follow(`${SHARED} (func (export "f")
      (drop (i32.atomic.rmw.cmpxchg offset=5000 (i32.const 0) (i32.const 8) (i32.const 16)))
      (drop (i32.atomic.rmw.xchg (i32.const 6000) (i32.const 2000)))
      (drop (memory.atomic.wait32 offset=4 (i32.const 7000) (i32.const 3000) (i64.const -1)))
      (drop (memory.atomic.notify (i32.const 8000) (i32.const 4000))))`);
    expect([...accessed].sort()).toEqual([5000, 6000, 7004, 8000]);
  });

  it("takes what a module begins with for no use of it", () => {
    const { accessed } = follow(`${SHARED} (data $d "abcd") (func (export "f") (param $n i32)
      (memory.init $d (i32.const 5000) (i32.const 0) (i32.const 4))
      (memory.fill (i32.const 6000) (i32.const 0) (i32.const 100))
      (memory.fill (i32.const 7000) (i32.const 0) (local.get $n)))`);
    expect(accessed.has(5000) || accessed.has(6000)).toBe(false);
    expect(accessed.has(7000)).toBe(true);
  });

  it("follows an address through locals, and through ways that meet", () => {
    const { accessed, indexed } = follow(`${MEMORY} (func (export "f") (param $x i32) (local $p i32)
      (local.set $p (i32.const 5000))
      (drop (i32.load offset=4 (local.get $p)))
      (if (local.get $x) (then (local.set $p (i32.const 6000))))
      (drop (i32.load offset=8 (local.get $p))))`);
    expect([...accessed]).toEqual([5004]);
    expect([...indexed]).toEqual(expect.arrayContaining([5008, 6008]));
  });

  it("knows an address that a loop brings back to its beginning", () => {
    const { indexed } = follow(`${MEMORY} (func (export "f") (param $x i32) (local $p i32)
      (loop $again
        (drop (i32.load (local.get $p)))
        (local.set $p (i32.const 5000))
        (br_if $again (local.get $x))))`);
    expect(indexed.has(5000)).toBe(true);
  });

  it("takes a constant plus something unknown for an element of an array", () => {
    const { accessed, indexed } = follow(`${MEMORY} (func (export "f") (param $i i32)
      (drop (i32.load (i32.add (i32.const 5000) (i32.shl (local.get $i) (i32.const 3))))))`);
    expect([...indexed]).toEqual([5000]);
    expect([...accessed]).toEqual([]);
  });

  it("counts from __memory_base in a position-independent module", () => {
    const { accessed } =
      follow(`(import "env" "__memory_base" (global $base i32)) ${MEMORY} (func (export "f")
      (drop (i32.load offset=4 (i32.add (global.get $base) (i32.const 5000)))))`);
    expect([...accessed]).toEqual([RELATIVE + 5004]);
  });

  it("sees a read of the word before an argument, masked as a header", () => {
    const flow = follow(`${MEMORY} (func (export "f") (param $p i32) (result i32) (local $head i32)
      (local.set $head (i32.load offset=4 (i32.sub (local.get $p) (i32.const 8))))
      (i32.add (i32.and (local.get $head) (i32.const -8)) (i32.and (local.get $head) (i32.const 3))))`);
    expect(headerPeeks(flow, new Set())).toMatchObject([{ of: { kind: "param", id: 0 } }]);
  });

  it("takes no read of an array's element for one of a header", () => {
    const flow = follow(`${MEMORY} (func (export "f") (param $p i32) (result i32)
      (i32.and (i32.load (i32.sub (local.get $p) (i32.const 4))) (i32.const 1)))`);
    expect(headerPeeks(flow, new Set())).toEqual([]);
  });

  it("sees any look at the flags of what malloc gave: calloc's, inlined", () => {
    const flow = follow(`${MEMORY} (func $malloc (param i32) (result i32) (local.get 0))
      (func (export "f") (param $n i32) (result i32) (local $p i32)
        (local.set $p (call $malloc (local.get $n)))
        (if (i32.and (i32.load8_u (i32.sub (local.get $p) (i32.const 4))) (i32.const 3))
          (then (i32.store (local.get $p) (i32.const 0))))
        (local.get $p))`);
    expect(headerPeeks(flow, new Set([0]))).toHaveLength(1);
    expect(headerPeeks(flow, new Set())).toEqual([]);
  });
});
