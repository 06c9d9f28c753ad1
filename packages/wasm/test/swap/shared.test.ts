// Modules in shared memory that need no compiler: what is read of them, and what a swap makes of the start.

import { Heap } from "morecore";
import { describe, expect, it } from "vitest";
import { builtKernels } from "../../../../test/support/c-program.ts";
import { packageFile } from "../../../../test/support/swap.ts";
import { functionsOf, textModule } from "../../../../test/support/text-module.ts";
import { linkProgram } from "../../src/link/link.ts";
import { decide } from "../../src/swap/decide.ts";
import { readModule } from "../../src/swap/module.ts";
import { rewrite } from "../../src/swap/rewrite.ts";
import { roleNamed } from "../../src/swap/roles.ts";

const PAGE = 65_536;
const MOST_PAGES = 256;
const START = 70_016;

/** As wasm-ld makes them: the first instance copies the data. */
const MODULE = `(module
  (import "env" "memory" (memory 2 ${MOST_PAGES} shared))
  (data $text "begun")
  (data $local "mine")
  (func $malloc (export "malloc") (param i32) (result i32) (i32.const 77))
  (func (export "free") (param i32) (unreachable))
  (func (export "malloc_usable_size") (param i32) (result i32) (i32.const 77))
  (func $own_start
    (if (i32.eqz (i32.atomic.rmw.cmpxchg (i32.const 1024) (i32.const 0) (i32.const 1)))
      (then
        (memory.fill (i32.const 1028) (i32.const 0) (i32.const 100))
        (memory.init $text (i32.const 2048) (i32.const 0) (i32.const 5))
        (memory.init $local (i32.const 3000) (i32.const 0) (i32.const 4)))))
  (func (export "for_thread") (param i32)
    (memory.init $local (local.get 0) (i32.const 0) (i32.const 4)))
  (start $own_start))`;

describe("a module in shared memory", () => {
  it("has its data where its start copies it", () => {
    const { data } = readModule(textModule(MODULE));
    expect(data.map(({ address }) => address)).toEqual([2048, 3000]);
    const twice = MODULE.replace("(i32.const 3000)", "(i32.const 2000)").replace(
      "(memory.fill",
      "(memory.init $local (i32.const 3000) (i32.const 0) (i32.const 4)) (memory.fill",
    );
    expect(readModule(textModule(twice)).data.map(({ address }) => address)).toEqual([2048, undefined]);
  });

  it("begins the heap before its own start, and each instance has one of its own in that", async () => {
    const bytes = textModule(MODULE);
    const roles = ["malloc", "free", "malloc_usable_size"].map((name, index) => {
      const role = roleNamed(name);
      if (role === undefined) throw new Error(`there is no role ${name}`);
      return [index, role] as const;
    });
    const plan = {
      block: { at: 1100, end: 1600, mallocs: [], frees: [] },
      replaced: new Map(roles),
      sbrk: undefined,
      room: undefined,
      share: { start: START, most: MOST_PAGES * PAGE },
    };
    const { bytes: rewritten } = await rewrite(bytes, readModule(bytes), plan, { keepImports: false });
    const module = new WebAssembly.Module(Uint8Array.from(rewritten));
    const memory = new WebAssembly.Memory({ initial: 2, maximum: MOST_PAGES, shared: true });
    const instances = Array.from({ length: 3 }, () => new WebAssembly.Instance(module, { env: { memory } }));
    expect(Buffer.from(memory.buffer, 2048, 5).toString()).toBe("begun");
    for (const { exports } of instances)
      expect((exports["morecore_heap"] as WebAssembly.Global).value).toBe(START);
    const threads = instances.map(functionsOf);
    const blocks = threads.map(({ malloc }) => malloc?.(100) ?? 0);
    expect(new Set(blocks.map((ptr) => Math.floor(ptr / PAGE))).size).toBe(3);
    const heap = Heap.attach(memory, START);
    heap.check();
    for (const [index, ptr] of blocks.entries()) {
      expect(threads[(index + 1) % 3]?.["malloc_usable_size"]?.(ptr)).toBe(112);
      threads[(index + 1) % 3]?.["free"]?.(ptr);
    }
    // An instance that never had a block frees nothing, too.
    functionsOf(new WebAssembly.Instance(module, { env: { memory } }))["free"]?.(0);
    heap.check();
    heap.inspectAll(({ state }) => expect(state).not.toBe("live"));
    threads[2]?.["morecore_leave"]?.();
    expect(
      functionsOf(new WebAssembly.Instance(module, { env: { memory } }))["malloc"]?.(100),
    ).toBeGreaterThan(START);
    heap.check();
  });

  it("is refused if malloc and free of its dlmalloc take no lock", () => {
    const bytes = packageFile("@jitl/quickjs-wasmfile-release-sync/dist/emscripten-module.wasm");
    const facts = readModule(bytes);
    expect(decide(bytes, facts).report.refusals).toEqual([]);
    const memories = facts.memories.map((memory) => ({ ...memory, shared: true }));
    const { report, plan } = decide(bytes, { ...facts, memories });
    expect(plan).toBeUndefined();
    expect(report.refusals).toEqual([
      "its memory is shared between threads, and no lock that its malloc and free take was found in dlmalloc's state",
    ]);
  });

  it("is not swapped after morecore link: it has no malloc but morecore's", async () => {
    const text = `(module (import "env" "memory" (memory 2 ${MOST_PAGES} shared))
      (import "morecore" "mc_malloc" (func $malloc (param i32) (result i32)))
      (func (export "take") (param i32) (result i32) (call $malloc (local.get 0))))`;
    const linked = await linkProgram(textModule(text), builtKernels());
    expect(decide(linked, readModule(linked)).report.refusals).toEqual([
      expect.stringMatching(/^no malloc was found/),
    ]);
  });
});
