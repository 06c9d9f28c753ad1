// C's functions that answer where the kernel's say nothing: swapped, they answer still.

import { expect, it } from "vitest";
import { functionsOf, textModule } from "../../../../test/support/text-module.ts";
import { readModule } from "../../src/swap/module.ts";
import { rewrite } from "../../src/swap/rewrite.ts";
import { roleNamed } from "../../src/swap/roles.ts";

const bytes = textModule(`(module (memory (export "memory") 1 20)
  (func (export "malloc") (param i32) (result i32) (i32.const 77))
  (func (export "bulk_free") (param i32 i32) (result i32) (i32.const 77))
  (func (export "malloc_set_footprint_limit") (param i32) (result i32) (i32.const 77)))`);

it("bulk_free answers that all were freed, malloc_set_footprint_limit what the limit is", async () => {
  const names = ["malloc", "bulk_free", "malloc_set_footprint_limit"];
  const roles = names.map((name, index) => {
    const role = roleNamed(name);
    if (role === undefined) throw new Error(`there is no role ${name}`);
    return [index, role] as const;
  });
  const plan = {
    block: { at: 1024, end: 2048, mallocs: [], frees: [] },
    replaced: new Map(roles),
    sbrk: undefined,
    room: undefined,
  };
  const { bytes: rewritten } = await rewrite(bytes, readModule(bytes), plan, { keepImports: false });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(rewritten)));
  const { malloc, bulk_free: bulkFree, malloc_set_footprint_limit: setLimit } = functionsOf(instance);
  const words = () => new Uint32Array((instance.exports["memory"] as WebAssembly.Memory).buffer);
  // The first call makes the memory grow: its words are looked at anew.
  const blocks = [malloc?.(100) ?? 0, malloc?.(2000) ?? 0];
  expect(Math.min(...blocks)).toBeGreaterThan(0);
  words().set(blocks, 16);
  expect(bulkFree?.(64, 2)).toBe(0);
  expect([words()[16], words()[17]]).toEqual([0, 0]);
  expect(setLimit?.(1_000_000)).toBe(1_000_000);
  expect(malloc?.(1_000_001)).toBe(0);
});
