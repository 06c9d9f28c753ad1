import { Heap } from "morecore";
import { describe, expect, it } from "vitest";
import { builtKernels } from "../../../test/support/c-program.ts";
import { functionsOf, textModule } from "../../../test/support/text-module.ts";
import { WasmFormatError } from "../src/format/binary.ts";
import { type LinkOptions, linkProgram } from "../src/link/link.ts";

const PAGE = 65_536;
const KERNELS = builtKernels();

/** What a test's program says besides its imports of malloc and free. */
const program = (rest: string, features?: readonly string[]) =>
  textModule(
    `(module
      (import "morecore" "mc_malloc" (func $malloc (param i32) (result i32)))
      (import "morecore" "mc_free" (func $free (param i32)))
      ${rest})`,
    features,
  );

const TAKE = `
  (func (export "take") (param i32) (result i32) (call $malloc (local.get 0)))
  (func (export "give") (param i32) (call $free (local.get 0)))`;

async function link(bytes: Uint8Array, options?: LinkOptions): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(await linkProgram(bytes, KERNELS, options));
}

interface Linked {
  readonly memory: WebAssembly.Memory;
  readonly morecore_heap: WebAssembly.Global;
}

/** Not optimised: most tests are about what is there, and it takes half the time. */
async function run(rest: string, imports: WebAssembly.Imports = {}, options: LinkOptions = { optimize: 0 }) {
  const instance = new WebAssembly.Instance(await link(program(rest), options), imports);
  // The programs here all export their memory.
  const exports = instance.exports as unknown as Linked;
  return {
    ...exports,
    functions: functionsOf(instance),
    heap: Heap.attach(exports.memory, exports.morecore_heap),
  };
}

describe("where the heap of a linked program begins", () => {
  it("is its __heap_base, rounded up to 16", async () => {
    const { heap, functions } = await run(
      `(memory (export "memory") 2) (global (export "__heap_base") i32 (i32.const 1045)) ${TAKE}`,
    );
    expect(heap.base).toBe(1056);
    const ptr = functions["take"]?.(100) ?? 0;
    expect(ptr).toBeGreaterThan(heap.base);
    expect(ptr).toBeLessThan(2 * PAGE);
    heap.check();
    heap.free(ptr);
  });

  it("is where its memory ends if it has no __heap_base", async () => {
    const { heap, functions } = await run(`(memory (export "memory") 3) ${TAKE}`);
    expect(heap.base).toBe(3 * PAGE);
    expect(functions["take"]?.(100)).toBeGreaterThan(3 * PAGE);
  });

  it("is 16 where there is no memory yet", async () => {
    const { heap, functions } = await run(`(memory (export "memory") 0) ${TAKE}`);
    expect(heap.base).toBe(16);
    expect(functions["take"]?.(PAGE)).not.toBe(0);
    heap.check();
  });

  it("is where the memory ends that the host gave it", async () => {
    const memory = new WebAssembly.Memory({ initial: 5 });
    const { heap } = await run(`(import "env" "memory" (memory 1)) (export "memory" (memory 0)) ${TAKE}`, {
      env: { memory },
    });
    expect(heap.base).toBe(5 * PAGE);
  });

  it("leaves the program's data alone", async () => {
    const { memory, functions, heap } = await run(
      `(memory (export "memory") 1) (data (i32.const 1024) "data") (global (export "__heap_base") i32 (i32.const 1028)) ${TAKE}`,
    );
    for (let block = 0; block < 100; block++) heap.u8(functions["take"]?.(5000) ?? 0, 5000).fill(0xff);
    expect(new TextDecoder().decode(memory.buffer.slice(1024, 1028))).toBe("data");
  });
});

describe("a program that exports morecore_grow", () => {
  const SBRK = `
    (memory (export "memory") 2) (global (export "__heap_base") i32 (i32.const 1024)) ${TAKE}
    (global $break (mut i32) (i32.const 2048))
    (func (export "morecore_grow") (param $bytes i32) (result i32)
      (if (i32.gt_u (local.get $bytes) (i32.const 0x10000)) (then (return (i32.const 0))))
      (global.set $break (i32.add (global.get $break) (local.get $bytes)))
      (i32.sub (global.get $break) (local.get $bytes)))
    (func (export "break") (result i32) (global.get $break))`;

  it("has its heap there, and grows by it alone", async () => {
    const { functions, heap, memory } = await run(SBRK);
    expect(heap.base).toBe(2048);
    expect(functions["break"]?.()).toBe(2048 + PAGE);
    expect(functions["take"]?.(10 * PAGE)).toBe(0);
    expect(memory.buffer.byteLength).toBe(2 * PAGE);
    heap.check();
  });

  it("no longer exports it", async () => {
    const exports = WebAssembly.Module.exports(await link(program(SBRK))).map(({ name }) => name);
    expect(exports).not.toContain("morecore_grow");
  });
});

describe("the start of a linked program", () => {
  it("begins the heap before the program's own start function", async () => {
    const { functions, heap } = await run(`
      (memory (export "memory") 1)
      (global $early (mut i32) (i32.const 0))
      (func $own (global.set $early (call $malloc (i32.const 100))))
      (func (export "early") (result i32) (global.get $early))
      ${TAKE}
      (start $own)`);
    const early = functions["early"]?.() ?? 0;
    expect(early).toBeGreaterThan(heap.base);
    functions["give"]?.(early);
    heap.check();
  });

  it("traps where there is no room for a heap at all", async () => {
    const module = await link(program(`(memory (export "memory") 1 1) ${TAKE}`));
    expect(() => new WebAssembly.Instance(module)).toThrow(WebAssembly.RuntimeError);
  });

  it("leaves room to be out of memory: a bounded memory", async () => {
    const { functions, heap } = await run(`(memory (export "memory") 1 4) ${TAKE}`);
    expect(functions["take"]?.(10 * PAGE)).toBe(0);
    expect(functions["take"]?.(PAGE)).not.toBe(0);
    heap.check();
  });
});

describe("what a linked program imports and exports", () => {
  const REST = `
    (import "env" "print" (func $print (param i32)))
    (import "env" "abort" (func $abort))
    (memory (export "memory") 1)
    (func (export "run") (call $print (call $malloc (i32.const 1))) (call $abort))
    (func (export "morecore_abort") (param i32 i32) (call $print (local.get 0)))`;

  it.each([0, 3])("is its own, and the global morecore_heap (-O%i)", async (optimize) => {
    const module = await link(program(REST), { optimize });
    const imports = WebAssembly.Module.imports(module).map(({ module, name }) => `${module}.${name}`);
    expect(imports.sort()).toEqual(["env.abort", "env.print"]);
    const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(exports.sort()).toEqual(["memory", "morecore_heap", "run"]);
  });

  it("need not have the memory: then nobody outside sees it", async () => {
    const module = await link(program(`(memory 1) ${TAKE}`));
    const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(exports.sort()).toEqual(["give", "morecore_heap", "take"]);
  });

  it("keeps its functions' names", async () => {
    const module = await link(
      program(`(memory (export "memory") 1)
        (func $a_name_to_be_seen (param i32) (local.set 0 (call $malloc (local.get 0))) (unreachable))
        (table 1 funcref) (elem (i32.const 0) $a_name_to_be_seen)
        (func (export "run") (call_indirect (param i32) (i32.const 1) (i32.const 0)))`),
    );
    let stack = "";
    try {
      functionsOf(new WebAssembly.Instance(module))["run"]?.();
    } catch (error) {
      stack = String((error as Error).stack);
    }
    expect(stack).toContain("at a_name_to_be_seen ");
  });
});

describe("misuse in a linked program", () => {
  it("calls its morecore_abort with the code and the address, and traps when that comes back", async () => {
    const told: number[][] = [];
    const { functions } = await run(
      `(import "env" "tell" (func $tell (param i32 i32)))
       (memory (export "memory") 1) ${TAKE}
       (func (export "morecore_abort") (param i32 i32) (call $tell (local.get 0) (local.get 1)))`,
      { env: { tell: (...words: number[]) => told.push(words) } },
    );
    const ptr = functions["take"]?.(10) ?? 0;
    functions["give"]?.(ptr);
    expect(() => functions["give"]?.(ptr)).toThrow(WebAssembly.RuntimeError);
    const DOUBLE_FREE = 3;
    expect(told).toEqual([[DOUBLE_FREE, ptr]]);
  });

  it("traps if it has none", async () => {
    const { functions, heap } = await run(`(memory (export "memory") 1) ${TAKE}`);
    const ptr = functions["take"]?.(10) ?? 0;
    functions["give"]?.(ptr);
    expect(() => functions["give"]?.(ptr)).toThrow(WebAssembly.RuntimeError);
    heap.check();
  });

  it("is no matter of what else its exports do: calls through a table, copies of memory", async () => {
    const { functions } = await run(`
      (memory (export "memory") 1) ${TAKE} (table 1 funcref) (elem (i32.const 0) $nothing) (func $nothing)
      (func $constructors)
      (func (export "morecore_abort") (param i32 i32) (call $constructors) (unreachable))
      (func (export "steps") (call $constructors) (call_indirect (i32.const 0))
        (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (call $constructors))`);
    functions["steps"]?.();
    expect(functions["take"]?.(100)).not.toBe(0);
  });

  it("does not run the constructors again, which wasm-ld has every export do", async () => {
    const { functions, heap } = await run(`
      (memory (export "memory") 1) ${TAKE}
      (global $runs (mut i32) (i32.const 0))
      (global $code (mut i32) (i32.const 0))
      (func $constructors (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
      (func $destructors (global.set $runs (i32.add (global.get $runs) (i32.const 100))))
      (func $abort (param i32 i32) (global.set $code (local.get 0)) (unreachable))
      (func (export "morecore_abort") (param i32 i32)
        (call $constructors) (call $abort (local.get 0) (local.get 1)) (call $destructors))
      (func (export "_start") (call $constructors) (call $destructors))
      (func (export "runs") (result i32) (global.get $runs))
      (func (export "code") (result i32) (global.get $code))`);
    functions["_start"]?.();
    expect(() => functions["give"]?.(heap.base)).toThrow(WebAssembly.RuntimeError);
    expect([functions["runs"]?.(), functions["code"]?.()]).toEqual([101, 2]);
  });
});

describe("the features of a linked program", () => {
  const SIMD = `(memory (export "memory") 1) ${TAKE}
    (func (export "run") (result i32)
      (i32x4.extract_lane 2 (i32x4.add (i32x4.splat (i32.const 40)) (v128.const i32x4 0 1 2 3))))`;

  it.each([
    ["it says that it has SIMD", ["simd128"]],
    ["it says nothing", undefined],
  ] as const)("are those that it has: %s", async (_, features) => {
    const module = await link(program(SIMD, features));
    expect(functionsOf(new WebAssembly.Instance(module))["run"]?.()).toBe(42);
  });

  it("are those that it has: exceptions", async () => {
    const module = await link(
      program(
        `(memory (export "memory") 1) (tag $t (param i32)) ${TAKE}
         (func $thrower (param i32) (throw $t (local.get 0)))
         (func (export "run") (param i32) (result i32)
           (try (result i32) (do (call $thrower (local.get 0)) (i32.const 1)) (catch $t)))`,
        ["exception-handling", "mutable-globals"],
      ),
    );
    expect(functionsOf(new WebAssembly.Instance(module))["run"]?.(7)).toBe(7);
  });

  it("are refused where nobody knows them", async () => {
    await expect(linkProgram(program(SIMD, ["simd128", "telepathy"]), KERNELS)).rejects.toThrow(
      new WasmFormatError("its section target_features names telepathy, which is not supported"),
    );
  });
});

describe("a program is refused", () => {
  const MEMORY = '(memory (export "memory") 1)';
  const BUILT = '(import "morecore" "mc_malloc" (func $malloc (param i32) (result i32)))';
  it.each([
    ["that imports nothing from morecore", `(module ${MEMORY})`, "it imports nothing from morecore"],
    [
      "that imports what the kernel does not have",
      `(module (import "morecore" "mc_mmap" (func)) ${MEMORY})`,
      "it imports what the kernel does not have: morecore.mc_mmap",
    ],
    ["without a memory", `(module ${BUILT})`, "it has no memory"],
    ["with two memories", `(module ${BUILT} (memory 1) (memory 1))`, "it has several memories"],
    ["with a 64-bit memory", `(module ${BUILT} (memory i64 1))`, "64-bit addresses"],
    [
      "that exports names of the kernel's",
      `(module ${BUILT} ${MEMORY} (func (export "mc_free") (param i32)))`,
      "it exports mc_free: names that the kernel needs",
    ],
  ])("%s", async (_, text, message) => {
    const linking = linkProgram(textModule(text), KERNELS);
    await expect(linking).rejects.toThrow(WasmFormatError);
    await expect(linking).rejects.toThrow(message);
  });

  it("whose import has another type than the kernel's function", async () => {
    const bytes = textModule(
      `(module (import "morecore" "mc_malloc" (func (param i64) (result i64))) ${MEMORY})`,
    );
    await expect(linkProgram(bytes, KERNELS)).rejects.toThrow(/^wasm-merge: /);
  });

  it("that is linked already", async () => {
    const once = await linkProgram(program(`${MEMORY} ${TAKE}`), KERNELS);
    await expect(linkProgram(once, KERNELS)).rejects.toThrow("it imports nothing from morecore");
  });
});
