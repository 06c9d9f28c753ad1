import { Heap } from "morecore";
import { describe, expect, it } from "vitest";
import { builtKernels } from "../../../test/support/c-program.ts";
import { functionsOf, textModule } from "../../../test/support/text-module.ts";
import { linkProgram } from "../src/link/link.ts";

const PAGE = 65_536;
const KERNELS = builtKernels();
const MOST_PAGES = 1024;

/** A program with threads: its memory is imported and shared. */
const program = (rest: string) =>
  textModule(`(module
    (import "env" "memory" (memory 2 ${MOST_PAGES} shared))
    (import "morecore" "mc_malloc" (func $malloc (param i32) (result i32)))
    (import "morecore" "mc_free" (func $free (param i32)))
    (func (export "take") (param i32) (result i32) (call $malloc (local.get 0)))
    (func (export "give") (param i32) (call $free (local.get 0)))
    ${rest})`);

const HEAP_BASE = '(global (export "__heap_base") i32 (i32.const 70000))';

/** Threads, as instances of one linked module over one memory. */
async function threads(count: number, rest = HEAP_BASE) {
  const module = new WebAssembly.Module(await linkProgram(program(rest), KERNELS));
  const memory = new WebAssembly.Memory({ initial: 2, maximum: MOST_PAGES, shared: true });
  const instances = Array.from({ length: count }, () => {
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    return {
      functions: functionsOf(instance),
      heap: instance.exports["morecore_heap"] as WebAssembly.Global,
    };
  });
  return { module, memory, instances };
}

describe("a program with threads, linked", () => {
  it("has one heap, and in it one of its own for each instance", async () => {
    const { memory, instances } = await threads(3);
    expect(instances.map(({ heap }) => heap.value)).toEqual([70_000, 70_000, 70_000]);
    const blocks = instances.map(({ functions }) => functions["take"]?.(100) ?? 0);
    expect(new Set(blocks.map((ptr) => Math.floor(ptr / PAGE))).size).toBe(3);
    const heap = Heap.attach(memory, 70_000);
    expect(heap.thread).toBe(4);
    heap.check();
    // Each frees what another has.
    for (const [index, ptr] of blocks.entries()) instances[(index + 1) % 3]?.functions["give"]?.(ptr);
    heap.check();
    heap.inspectAll(({ state }) => expect(state).not.toBe("live"));
  });

  it("serves requests of small blocks from slabs, in each instance", async () => {
    const { memory, instances } = await threads(2);
    const heap = Heap.attach(memory, 70_000);
    for (const { functions } of instances) {
      const ptr = functions["take"]?.(100) ?? 0;
      // A chunk of this request would hold 108 bytes.
      expect(heap.usableSize(ptr)).toBe(112);
    }
  });

  it("begins its heap where its memory ends at first, if it has no __heap_base", async () => {
    const { memory, instances } = await threads(2, "");
    expect(instances.map(({ heap }) => heap.value)).toEqual([2 * PAGE, 2 * PAGE]);
    Heap.attach(memory, 2 * PAGE).check();
  });

  it("lets a thread leave its place to the next one", async () => {
    const { module, memory, instances } = await threads(2);
    const kept = instances[1]?.functions["take"]?.(5000) ?? 0;
    instances[1]?.functions["morecore_leave"]?.();
    const next = functionsOf(new WebAssembly.Instance(module, { env: { memory } }));
    const ptr = next["take"]?.(100) ?? 0;
    expect(Math.abs(ptr - kept)).toBeLessThan(PAGE);
    next["give"]?.(kept);
    Heap.attach(memory, 70_000).check();
  });

  it("says that there is no memory by 0, as far as the memory's maximum lets it grow", async () => {
    const { memory, instances } = await threads(2);
    expect(instances[0]?.functions["take"]?.(MOST_PAGES * PAGE)).toBe(0);
    expect(instances[0]?.functions["take"]?.((MOST_PAGES / 2) * PAGE)).not.toBe(0);
    expect(instances[1]?.functions["take"]?.((MOST_PAGES / 2) * PAGE)).toBe(0);
    expect(instances[1]?.functions["take"]?.(100)).not.toBe(0);
    Heap.attach(memory, 70_000).check();
  });

  it("is refused without the kernel for threads, and with a morecore_grow", async () => {
    const { growing, asking } = KERNELS;
    await expect(linkProgram(program(""), { growing, asking })).rejects.toThrow(
      "its memory is shared between threads; expected the kernel for threads, too",
    );
    const grow = '(func (export "morecore_grow") (param i32) (result i32) (i32.const 0))';
    await expect(linkProgram(program(grow), KERNELS)).rejects.toThrow(
      "its memory is shared between threads, and it exports morecore_grow",
    );
  });
});
