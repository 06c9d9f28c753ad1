import { describe, expect, it } from "vitest";
import { builtKernels } from "../../../test/support/c-program.ts";
import {
  HEAP_BASE,
  HEAP_IMPORTS,
  heapProgram,
  plainProgram,
  wat,
} from "../../../test/support/wasm-program.ts";
import { replay } from "../../inspect/src/replay/replay.ts";
import { decodeTrace } from "../../inspect/src/trace/format.ts";
import { Heap } from "../../morecore/src/heap/either.ts";
import { linkProgram } from "../src/link/link.ts";
import { DIED, loadProgram, type RunOptions, type RunResult, runProgram, type Swap } from "../src/run/run.ts";

const PAGE = 65_536;

const run = async (bytes: Uint8Array, options?: RunOptions): Promise<RunResult> =>
  runProgram(await loadProgram(bytes), options);

const linked = (bytes: Uint8Array): Promise<Uint8Array> => linkProgram(bytes, builtKernels());

/** Ends with an i32 for its exit code. */
const exitWith = (value: string): string => `(call $exit ${value})`;

const MALLOC_10 = "(call $malloc (i32.const 10))";
/** A block with a header behind it; behind a small one lies another small one. */
const MALLOC_1000 = "(call $malloc (i32.const 1000))";

describe("a program that imports its malloc", () => {
  it("ends with its own exit code", async () => {
    expect(await run(heapProgram("(nop)"))).toMatchObject({ exitCode: 0, death: undefined });
    expect((await run(heapProgram(exitWith("(i32.const 42)")))).exitCode).toBe(42);
  });

  it("has its heap right behind its data and stack", async () => {
    // The exit code is where the block lies beyond __heap_base, in granules: more than a header, less than a page.
    const distance = `(i32.shr_u (i32.sub ${MALLOC_10} (i32.const ${HEAP_BASE})) (i32.const 4))`;
    const { exitCode } = await run(heapProgram(exitWith(distance)));
    expect(exitCode).toBeGreaterThan(0);
    expect(exitCode).toBeLessThan(PAGE / 16);
  });

  it("has its heap behind its memory when it does not tell where its data end", async () => {
    const program = wat(`(module ${HEAP_IMPORTS} (memory (export "memory") 2)
      (func (export "_start") ${exitWith(`(i32.shr_u ${MALLOC_10} (i32.const 16))`)}))`);
    expect((await run(program)).exitCode).toBe(2);
  });

  it("has its heap before its start function runs, and its data where they belong", async () => {
    const program = heapProgram(
      exitWith(
        `(i32.and (i32.eq (i32.load (i32.const 1000)) (i32.const 0x61746164)) (i32.ne (global.get $p) (i32.const 0)))`,
      ),
      `(func $early (global.set $p ${MALLOC_10})) (start $early)`,
    );
    expect((await run(program)).exitCode).toBe(1);
  });

  it("may import its memory", async () => {
    const program = wat(`(module ${HEAP_IMPORTS} (import "env" "memory" (memory 2))
      (func (export "_start") ${exitWith(`(i32.ne ${MALLOC_10} (i32.const 0))`)}))`);
    expect((await run(program)).exitCode).toBe(1);
  });

  it("may import malloc from env, with an underscore or without", async () => {
    const program = wat(`(module
      (import "env" "malloc" (func $malloc (param i32) (result i32)))
      (import "env" "_free" (func $free (param i32)))
      (memory (export "memory") 1)
      (func (export "_start") (call $free ${MALLOC_10})))`);
    const { heap } = await run(program, { stats: true });
    expect(heap?.calls?.counts).toMatchObject({ malloc: 1, free: 1 });
  });

  it("gets no more than its memory's maximum, and goes on", async () => {
    const program = wat(`(module ${HEAP_IMPORTS} (memory (export "memory") 2 3)
      (func (export "_start") ${exitWith("(i32.eqz (call $malloc (i32.const 200000)))")}))`);
    expect((await run(program)).exitCode).toBe(1);
  });

  it("gets what it asks of a memory that grows", async () => {
    const body = `
      (global.set $p (call $malloc (i32.const 10000000)))
      (i32.store (i32.add (global.get $p) (i32.const 9999996)) (i32.const 7))
      ${exitWith("(i32.load (i32.add (global.get $p) (i32.const 9999996)))")}`;
    const { exitCode, heap } = await run(heapProgram(body), { stats: true });
    expect(exitCode).toBe(7);
    expect(heap?.memoryPages).toBeGreaterThan(10_000_000 / PAGE);
  });

  it("is refused when its memory has no room for a heap", async () => {
    const program = wat(`(module ${HEAP_IMPORTS} (memory (export "memory") 1 1) (func (export "_start")))`);
    await expect(run(program)).rejects.toThrow(/^its memory has no room for a heap: /);
  });
});

const SOME_CALLS = `
  (local $i i32)
  (global.set $p (call $calloc (i32.const 5) (i32.const 20)))
  (loop $again
    (drop (call $malloc (i32.mul (local.get $i) (i32.const 10))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $i) (i32.const 100))))
  (global.set $p (call $realloc (global.get $p) (i32.const 5000)))
  (call $free (global.get $p))
  (call $free (i32.const 0))
  ${exitWith("(i32.const 3)")}`;

describe("what is told of a heap", () => {
  it("is its calls, its blocks, and its memory", async () => {
    const { exitCode, heap } = await run(heapProgram(SOME_CALLS), { stats: true });
    expect(exitCode).toBe(3);
    expect(heap).toMatchObject({
      calls: {
        total: 104,
        counts: { malloc: 100, calloc: 1, realloc: 1, aligned: 0, free: 2, other: 0 },
        liveBytes: 49_500,
        peakLiveBytes: 54_500,
      },
      live: { count: 100 },
      memoryPages: 2,
    });
    expect(heap?.maxFootprint).toBeGreaterThan(54_500);
    expect(heap?.live.bytes).toBeGreaterThan(49_500);
  });

  it("is the same watched by more eyes", async () => {
    const alone = await run(heapProgram(SOME_CALLS), { stats: true });
    const all = await run(heapProgram(SOME_CALLS), { stats: true, trace: true, checkEvery: 1 });
    expect(all.heap).toEqual(alone.heap);
  });

  it("is nothing when it was not asked for", async () => {
    expect(await run(heapProgram(SOME_CALLS))).toMatchObject({ heap: undefined, trace: undefined });
  });

  it("is nothing of a program that has a malloc of its own", async () => {
    const result = await run(plainProgram(exitWith("(i32.const 5)")), {
      stats: true,
      trace: true,
      checkEvery: 1,
    });
    expect(result).toMatchObject({ exitCode: 5, heap: undefined, trace: undefined, death: undefined });
  });
});

describe("a trace that was recorded", () => {
  it("has the program's calls, and replays with its peak", async () => {
    const { heap, trace } = await run(heapProgram(SOME_CALLS), { stats: true, trace: true });
    const decoded = decodeTrace(trace?.bytes() ?? new Uint8Array());
    // All calls but the free of NULL.
    expect(decoded).toMatchObject({ opCount: 103, threadCount: 1, slotCount: 101 });
    const result = replay(decoded, Heap.create());
    expect(result.errors).toEqual([]);
    expect(result.peakLiveBytes).toBe(heap?.calls?.peakLiveBytes);
  });

  it("is there of a program that died, up to there", async () => {
    const { exitCode, trace } = await run(heapProgram(`(drop ${MALLOC_10}) (unreachable)`), { trace: true });
    expect(exitCode).toBe(DIED);
    expect(decodeTrace(trace?.bytes() ?? new Uint8Array()).opCount).toBe(1);
  });
});

describe("the death of a program", () => {
  const DOUBLE_FREE = `(global.set $p ${MALLOC_10}) (call $release) (call $release)`;
  const RELEASE = "(func $release (call $free (global.get $p)))";
  const OVERRUN = `(global.set $p ${MALLOC_1000}) (memory.fill (global.get $p) (i32.const 0xee) (i32.const 1100))`;

  it.each([
    ["unreachable", "(unreachable)", "unreachable"],
    ["a load out of bounds", "(drop (i32.load (i32.const -8)))", "memory access out of bounds"],
    ["a division by zero", "(drop (i32.div_u (i32.const 1) (global.get $p)))", "divide by zero"],
    ["a recursion without end", "(call $start)", "Maximum call stack size exceeded"],
  ])("by %s is a trap with the program's stack", async (_, body, message) => {
    const { exitCode, death } = await run(heapProgram(body));
    expect(exitCode).toBe(DIED);
    expect(death).toMatchObject({ kind: "trap", error: { message }, call: undefined });
    expect(death?.frames[0]).toMatchObject({ name: "start" });
  });

  it("by misuse is the heap's error, and its stack has neither the kernel nor us", async () => {
    const { exitCode, death } = await run(heapProgram(DOUBLE_FREE, RELEASE));
    expect(exitCode).toBe(DIED);
    expect(death).toMatchObject({ kind: "misuse", error: { name: "HeapMisuseError", code: "double-free" } });
    expect(death?.frames.map(({ name }) => name)).toEqual(["release", "start"]);
  });

  it("has the same stack, and the call's number, when the calls are watched", async () => {
    const direct = await run(heapProgram(DOUBLE_FREE, RELEASE));
    const { death } = await run(heapProgram(DOUBLE_FREE, RELEASE), { checkEvery: 1 });
    expect(death).toMatchObject({ kind: "misuse", call: 3, frames: direct.death?.frames });
  });

  it("says where the calls are in the file that was given", async () => {
    const bytes = heapProgram(DOUBLE_FREE, RELEASE);
    const { death } = await run(bytes);
    const CALL = 0x10;
    for (const { offset } of death?.frames ?? []) expect(bytes[offset ?? 0]).toBe(CALL);
    expect(death?.frames).toHaveLength(2);
  });

  it("comes with a check that finds the heap corrupt, at its call", async () => {
    // Over the block behind: what lies before that, the allocator does not come by again.
    const body = `(global.set $p ${MALLOC_1000}) (drop ${MALLOC_1000})
      (memory.fill (global.get $p) (i32.const 0xee) (i32.const 1040)) (drop ${MALLOC_1000})`;
    const { exitCode, death } = await run(heapProgram(body), { checkEvery: 3 });
    expect(exitCode).toBe(DIED);
    expect(death).toMatchObject({ kind: "corrupt", call: 3 });
    expect(death?.frames.map(({ name }) => name)).toEqual(["start"]);
  });

  it("comes at the end if only the last check finds it", async () => {
    const { exitCode, death } = await run(heapProgram(OVERRUN), { checkEvery: 1000 });
    expect(exitCode).toBe(DIED);
    expect(death).toMatchObject({ kind: "corrupt", call: 1, frames: [] });
  });

  it("is none if the heap was not to be checked, but the figures' absence has its reason", async () => {
    const result = await run(heapProgram(`${OVERRUN} ${exitWith("(i32.const 4)")}`), { stats: true });
    expect(result).toMatchObject({ exitCode: 4, death: undefined, heap: undefined });
    expect(result.heapFault?.message).toMatch(/^heap corrupted at 0x/);
  });

  it("leaves the depth of stacks as it was", async () => {
    const before = Error.stackTraceLimit;
    await run(heapProgram("(unreachable)"));
    expect(Error.stackTraceLimit).toBe(before);
  });
});

describe("a program that was linked with the kernel", () => {
  it("runs, and its heap can be told of, but not its calls", async () => {
    const { exitCode, heap } = await run(await linked(heapProgram(SOME_CALLS)), { stats: true, trace: true });
    expect(exitCode).toBe(3);
    expect(heap).toMatchObject({ calls: undefined, live: { count: 100 } });
  });

  it("dies of a heap that is corrupt at its end, if that was to be checked", async () => {
    const body = `(global.set $p ${MALLOC_1000}) (memory.fill (global.get $p) (i32.const 0xee) (i32.const 1100))`;
    const { exitCode, death } = await run(await linked(heapProgram(body)), { checkEvery: 1 });
    expect(exitCode).toBe(DIED);
    expect(death).toMatchObject({ kind: "corrupt", error: { name: "HeapCorruptError" } });
  });

  it("has no heap to tell of if its start function trapped before that began", async () => {
    const program = wat(`(module (memory (export "memory") 1)
      (global (export "morecore_heap") (mut i32) (i32.const 0))
      (func $early (unreachable)) (start $early) (func (export "_start")))`);
    expect(await run(program, { stats: true })).toMatchObject({ exitCode: DIED, heap: undefined });
  });
});

describe("a program that is swapped first", () => {
  const never = (): never => {
    throw new Error("asked");
  };
  const swapped = (body: string, from?: number): Swap => ({
    only: async () => ({ bytes: heapProgram(body), origins: [], heap: { from } }),
    second: never,
  });

  it("is what comes back", async () => {
    const program = await loadProgram(plainProgram("(nop)"), swapped(SOME_CALLS));
    expect(program.mode).toBe("swapped");
    expect((await runProgram(program, { stats: true })).heap?.live.count).toBe(100);
  });

  it("has its heap where the swap says, or behind its memory, but not at a __heap_base", async () => {
    const page = exitWith(`(i32.shr_u ${MALLOC_10} (i32.const 14))`);
    const from = async (at?: number) =>
      (await runProgram(await loadProgram(plainProgram("(nop)"), swapped(page, at)))).exitCode;
    expect(HEAP_BASE).toBeLessThan(PAGE / 4);
    expect(await from(PAGE / 4)).toBe(1);
    expect(await from(undefined)).toBe(8);
  });

  it("is the program as it is, and why is known, if nothing comes back", async () => {
    const program = await loadProgram(plainProgram("(nop)"), {
      only: async () => "it is not a Tuesday",
      second: never,
    });
    expect(program).toMatchObject({ mode: "plain", whyPlain: "it is not a Tuesday" });
  });

  it("that has its malloc from morecore is asked for a second one only, with its __heap_base", async () => {
    const asked: (number | undefined)[] = [];
    const second: Swap["second"] = async (_, heapBase) => {
      asked.push(heapBase);
      return undefined;
    };
    expect((await loadProgram(heapProgram("(nop)"), { only: never, second })).mode).toBe("two-modules");
    expect(asked).toEqual([HEAP_BASE]);
  });
});

describe("a program that cannot be run", () => {
  it.each([
    [
      "imports that nobody has",
      wat(`(module (import "env" "emscripten_date_now" (func)) (import "morecore" "mc_fork" (func))
        (import "wasi_snapshot_preview1" "fd_levitate" (func)) (import "env" "table" (table 1 funcref))
        (memory (export "memory") 1) (func (export "_start")))`),
      "it imports what neither WASI preview 1 nor morecore provides: env.emscripten_date_now, morecore.mc_fork, " +
        "wasi_snapshot_preview1.fd_levitate, env.table",
    ],
    [
      "an import of another type",
      wat(`(module (import "morecore" "mc_malloc" (func (param i64) (result i64)))
        (memory (export "memory") 1) (func (export "_start")))`),
      /^it cannot be instantiated: .*mc_malloc/,
    ],
    [
      "a memory that WASI cannot reach",
      wat(`(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
        (memory 1) (func (export "_start")))`),
      "it does not export its memory, which WASI needs",
    ],
    [
      "code that is not valid",
      wat(`(module (func (export "_start")))`).map((byte) => (byte === 0x0b ? 0x6a : byte)),
      /^it is no valid WebAssembly module: /,
    ],
  ])("for %s is refused with the reason", async (_, bytes, reason) => {
    await expect(run(bytes)).rejects.toThrow(reason);
  });

  it("runs without a memory if it needs none", async () => {
    expect((await run(wat(`(module (func (export "_start")))`))).exitCode).toBe(0);
  });
});
