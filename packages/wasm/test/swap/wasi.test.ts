// Programs in C, compiled by clang for WASI: wasi-libc's dlmalloc, with names and without, at several levels of
// optimisation. These tests need clang, lld, wasi-libc and libclang-rt-dev-wasm32, and are skipped without.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratchFolder } from "../../../../test/support/scratch.ts";
import { findHeap, replacedIn } from "../../../../test/support/swap.ts";
import { decide } from "../../src/swap/decide.ts";
import { swapModule } from "../../src/swap/index.ts";
import { readModule } from "../../src/swap/module.ts";
import { findHeaderReaders, findLeftovers } from "../../src/swap/proof.ts";

const CLANG = ["clang", "clang-14"].find((name) => spawnSync(name, ["--version"]).status === 0);
const SOURCE = new URL("../../../../test/support/c/churn.c", import.meta.url).pathname;
const folder = scratchFolder("wasi");

/** Compiles, then links without -O: with it, clang may run a wasm-opt of the machine's. Undefined: no wasi-libc. */
function compile(options: string, ...linkOptions: string[]): Uint8Array | undefined {
  if (CLANG === undefined) return undefined;
  const object = join(folder, "churn.o");
  const program = join(folder, "churn.wasm");
  try {
    execFileSync(CLANG, ["--target=wasm32-wasi", ...options.split(" "), "-c", SOURCE, "-o", object], {
      stdio: "pipe",
    });
    execFileSync(CLANG, ["--target=wasm32-wasi", object, "-o", program, ...linkOptions], { stdio: "pipe" });
  } catch {
    return undefined;
  }
  return new Uint8Array(readFileSync(program));
}

interface Ended {
  readonly output: string;
  readonly memory: WebAssembly.Memory;
}

/** Runs a WASI command that only prints. `kernel` gives the imports of module "morecore", once the memory is there. */
async function run(
  bytes: Uint8Array,
  kernel?: (memory: WebAssembly.Memory) => WebAssembly.Exports,
  before: (memory: WebAssembly.Memory) => void = () => undefined,
): Promise<Ended> {
  let output = "";
  const ready: { memory?: WebAssembly.Memory; kernel?: WebAssembly.Exports } = {};
  const view = () => new DataView((ready.memory as WebAssembly.Memory).buffer);
  const wasi = {
    fd_write(_fd: number, vectors: number, count: number, written: number): number {
      let total = 0;
      for (let index = 0; index < count; index++) {
        const at = view().getUint32(vectors + 8 * index, true);
        const length = view().getUint32(vectors + 8 * index + 4, true);
        output += new TextDecoder().decode(new Uint8Array(view().buffer, at, length));
        total += length;
      }
      view().setUint32(written, total, true);
      return 0;
    },
    fd_fdstat_get(_fd: number, status: number): number {
      view().setUint8(status, 2);
      return 0;
    },
  };
  const module = new WebAssembly.Module(bytes as BufferSource);
  const imports: WebAssembly.Imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    const own: unknown = Reflect.get(wasi, name);
    imports[from][name] =
      from === "morecore"
        ? (...values: number[]) => call(ready.kernel ?? {}, name, values)
        : typeof own === "function"
          ? (own as () => number)
          : () => 0;
  }
  const { exports } = await WebAssembly.instantiate(module, imports);
  ready.memory = exports["memory"] as WebAssembly.Memory;
  if (kernel !== undefined) ready.kernel = kernel(ready.memory);
  before(ready.memory);
  (exports["_start"] as () => void)();
  return { output, memory: ready.memory };
}

function call(exports: WebAssembly.Exports, name: string, values: number[]): number {
  return (exports[name] as (...values: number[]) => number)(...values);
}

const probe = compile("-O2");
const needs = "clang, lld, wasi-libc and libclang-rt-dev-wasm32";

describe.skipIf(probe === undefined)(`WASI programs (need ${needs})`, () => {
  const variants = [
    ["-O2 with names", ["-O2"]],
    ["-O2 without names", ["-O2", "-Wl,--strip-all"]],
    ["-O0 without names", ["-O0", "-Wl,--strip-all"]],
    ["with an sbrk whose break is odd", ["-O2 -DODD_SBRK", "-Wl,--strip-all"]],
    ["-Os, with the stack first", ["-Os", "-Wl,--stack-first"]],
  ] as const;

  it.each(variants)("%s print the same on morecore's heap", async (_, [level, ...options]) => {
    const bytes = compile(level, ...options) as Uint8Array;
    const { bytes: swapped, report } = await swapModule(bytes);
    const roles = ["calloc", "free", "malloc", "malloc_usable_size", "memalign", "realloc"];
    expect(Object.keys(replacedIn(report)).sort()).toEqual(roles);
    const before = await run(bytes);
    const after = await run(swapped);
    expect(before.output).toContain("sum: ");
    expect(after.output).toBe(before.output);
    expect(findHeap(before.memory)).toBeUndefined();
    const heap = findHeap(after.memory);
    expect(() => heap?.check()).not.toThrow();
    // Every second slot is not freed.
    expect(heap?.mallinfo().uordblks).toBeGreaterThan(0);
  });

  it("keep their names, and get no feature that they did not have but the kernel's", async () => {
    const bytes = probe as Uint8Array;
    const { bytes: swapped } = await swapModule(bytes);
    const after = readModule(swapped);
    const names = after.functions.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["__original_main", "printf", "sbrk", "morecore.begin"]));
    expect(names).not.toContain("dispose_chunk");
    expect([...after.features].every((feature) => ["bulk-memory", "sign-ext"].includes(feature))).toBe(true);
    expect(readModule(probe as Uint8Array).customSections).toContain(".debug_info");
    expect(after.customSections.filter((name) => name.startsWith(".debug"))).toEqual([]);
    const stripped = await swapModule(compile("-O2", "-Wl,--strip-all") as Uint8Array);
    expect(readModule(stripped.bytes).hasNames).toBe(false);
  });

  it("are not taken for swapped while the old allocator is in them", () => {
    const bytes = probe as Uint8Array;
    const facts = readModule(bytes);
    const { plan } = decide(bytes, facts);
    const leftovers = plan === undefined ? [] : findLeftovers(bytes, facts, plan.block, () => false);
    expect(leftovers.join("\n")).toMatch(/\(dlmalloc\) still uses \d+ words of the old state/);
    expect(leftovers.join("\n")).toMatch(/\(dispose_chunk\) still uses/);
    expect(findHeaderReaders(bytes).join("\n")).toMatch(
      /\(malloc_usable_size\) still reads a block's header/,
    );
    expect(leftovers.join("\n")).not.toMatch(/\(printf\)/);
  });

  it("that cannot grow their memory have the part of it that their own malloc would have taken", async () => {
    const fixed = "-Wl,--initial-memory=16777216,--max-memory=16777216";
    const bytes = compile("-O2", fixed) as Uint8Array;
    const { bytes: swapped, report } = await swapModule(bytes);
    const before = await run(bytes);
    const after = await run(swapped);
    expect(after.output).toBe(before.output);
    const heap = findHeap(after.memory);
    expect(heap?.base).toBe(report.room);
    expect(() => heap?.check()).not.toThrow();
  });

  it("have a heap behind what somebody has grown before their first call", async () => {
    const { bytes: swapped } = await swapModule(probe as Uint8Array);
    const grown: { at?: number } = {};
    const { memory } = await run(swapped, undefined, (memory) => {
      grown.at = memory.grow(1) * 65_536;
      new Uint8Array(memory.buffer, grown.at).fill(1);
    });
    expect(findHeap(memory)?.base).toBeGreaterThanOrEqual((grown.at ?? 0) + 65_536);
    expect(() => findHeap(memory)?.check()).not.toThrow();
    expect(new Uint8Array(memory.buffer, grown.at, 65_536).every((byte) => byte === 1)).toBe(true);
  });

  it("with keepImports, call a kernel that the host brings", async () => {
    const { bytes: swapped } = await swapModule(probe as Uint8Array, { keepImports: true });
    const imported = WebAssembly.Module.imports(new WebAssembly.Module(swapped as BufferSource));
    const names = imported.filter(({ module }) => module === "morecore").map(({ name }) => name);
    expect(names).toContain("mc_malloc");
    expect(names).not.toContain("mc_begin");
    const kernelBytes = readFileSync(new URL("../../../morecore/dist/kernel.wasm", import.meta.url));
    const after = await run(swapped, (memory) => {
      const abort = () => undefined;
      const kernel = new WebAssembly.Instance(new WebAssembly.Module(kernelBytes), {
        env: { memory },
        morecore: { abort },
      });
      expect((kernel.exports["mc_begin"] as (from: number) => number)(0)).not.toBe(0);
      return kernel.exports;
    });
    expect(after.output).toBe((await run(probe as Uint8Array)).output);
    expect(() => findHeap(after.memory)?.check()).not.toThrow();
  });
});
