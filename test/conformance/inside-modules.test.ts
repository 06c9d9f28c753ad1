// Heaps inside real modules, each with an allocator of its own that goes on: both stay whole while both allocate a lot. And what
// a heap that grew beside these allocators would lose is refused.

import asc from "assemblyscript/asc";
import { Heap, type ModuleParts } from "morecore";
import { describe, expect, it } from "vitest";
import { load, packageFile } from "../support/swap.ts";

const OURS = 20_000;
const THEIRS = 50_000;

/** A module's memory and two functions of it, as it is used: what grows does so by the module's own means. */
interface Used {
  readonly memory: WebAssembly.Memory;
  readonly parts: WebAssembly.Exports | ModuleParts;
  malloc(bytes: number): number;
  free(ptr: number): void;
}

/** Fills blocks in turn, and looks that nobody's bytes were changed by the other. */
function expectBothSound({ memory, parts, malloc, free }: Used): Heap {
  const bytes = () => new Uint8Array(memory.buffer);
  const heap = Heap.inside(parts);
  const before = memory.buffer.byteLength;
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < 400; round++) {
    if (round % 3 !== 2) {
      const ptr = heap.malloc(OURS);
      expect(ptr % 16).toBe(0);
      heap.u8(ptr, OURS).fill(0xa5);
      ours.push(ptr);
    } else heap.free(ours.splice((round * 7) % ours.length, 1)[0] ?? 0);
    const ptr = malloc(THEIRS) >>> 0;
    expect(ptr).not.toBe(0);
    bytes().fill(0x11, ptr, ptr + THEIRS);
    theirs.push(ptr);
    if (round % 4 === 3) free(theirs.splice((round * 5) % theirs.length, 1)[0] ?? 0);
  }
  expect(memory.buffer.byteLength).toBeGreaterThan(before);
  heap.check();
  for (const ptr of ours) expect(heap.u8(ptr, OURS).every((byte) => byte === 0xa5)).toBe(true);
  const isTheirs = (ptr: number) =>
    bytes()
      .subarray(ptr, ptr + THEIRS)
      .every((byte) => byte === 0x11);
  expect(theirs.every(isTheirs)).toBe(true);
  for (const ptr of ours) heap.free(ptr);
  heap.check();
  heap.dispose();
  expect(theirs.every(isTheirs)).toBe(true);
  for (const ptr of theirs) free(ptr);
  return heap;
}

/** An instance of an Emscripten module without its JavaScript; its memory grows as that would make it grow. */
function bare(path: string): Used {
  const module = new WebAssembly.Module(packageFile(path) as BufferSource);
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  let memory: WebAssembly.Memory | undefined;
  const resize = (bytes: number): number => {
    const missing = (bytes >>> 0) - (memory?.buffer.byteLength ?? 0);
    memory?.grow(Math.ceil(missing / 65_536));
    return 1;
  };
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const group = imports[from] ?? {};
    imports[from] = group;
    if (kind === "memory") {
      memory = new WebAssembly.Memory({ initial: 256, maximum: 32_768 });
      group[name] = memory;
    } else group[name] = name.endsWith("emscripten_resize_heap") ? resize : () => 0;
  }
  const { exports } = new WebAssembly.Instance(module, imports);
  memory ??= exports["memory"] as WebAssembly.Memory;
  (exports["__wasm_call_ctors"] as (() => void) | undefined)?.();
  return {
    memory,
    parts: { ...exports, memory },
    malloc: exports["malloc"] as Used["malloc"],
    free: exports["free"] as Used["free"],
  };
}

describe.each([
  ["@hyzyla/pdfium 2.1.13 (Emscripten, C++)", "@hyzyla/pdfium/dist/pdfium.wasm"],
  [
    "@sqlite.org/sqlite-wasm 3.41.2 (Emscripten, memory imported)",
    "@sqlite.org/sqlite-wasm/sqlite-wasm/jswasm/sqlite3.wasm",
  ],
  ["sql.js 1.16.0, debug build (Emscripten)", "sql.js/dist/sql-wasm-debug.wasm"],
])("in %s", (_, path) => {
  it("a heap inside it and the module's malloc share the memory", () => {
    expectBothSound(bare(path));
  });

  it("a heap that would grow of its own accord is refused, with or without a base", () => {
    const { memory } = bare(path);
    const message = /^memory: others may take memory here \(it holds bytes .*Heap\.inside\(exports\)/;
    expect(() => Heap.create({ memory })).toThrow(message);
    expect(() => Heap.create({ memory, base: memory.buffer.byteLength - 65_536 })).toThrow(message);
  });

  it("a region that the module's malloc gave is taken", () => {
    const { memory, malloc } = bare(path);
    const size = 1 << 20;
    const base = Math.ceil((malloc(size + 16) >>> 0) / 16) * 16;
    const heap = Heap.create({ memory, base, size });
    for (let ptr = heap.malloc(1000); ptr !== 0; ptr = heap.malloc(1000)) heap.u8(ptr).fill(0xa5);
    malloc(THEIRS);
    heap.check();
  });
});

interface SqlJs {
  readonly Database: new () => {
    run(sql: string, values?: unknown[]): void;
    exec(sql: string): { values: unknown[][] }[];
  };
  _malloc(bytes: number): number;
  _free(ptr: number): void;
}
type InitSqlJs = (config: object) => Promise<SqlJs>;

describe("sql.js 1.16.0 with its JavaScript", () => {
  it("goes on with its database while a heap inside it grows: its views follow", async () => {
    const init = load("sql.js/dist/sql-wasm.js") as InitSqlJs;
    let memory: WebAssembly.Memory | undefined;
    const sql = await init({
      instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) {
        const module = new WebAssembly.Module(packageFile("sql.js/dist/sql-wasm.wasm") as BufferSource);
        const instance = new WebAssembly.Instance(module, imports);
        // The names of its exports are one letter long.
        memory = Object.values(instance.exports).find((each) => each instanceof WebAssembly.Memory);
        done(instance);
        return instance.exports;
      },
    });
    if (memory === undefined) throw new Error("no memory was seen");
    const parts = { memory, malloc: sql._malloc, free: sql._free };
    const database = new sql.Database();
    database.run("create table t (id integer primary key, name text)");
    const heap = Heap.inside(parts);
    const ours: number[] = [];
    for (let row = 0; row < 4000; row++) {
      database.run("insert into t (name) values (?)", ["x".repeat(2000)]);
      if (row % 20 !== 0) continue;
      const ptr = heap.malloc(OURS);
      heap.u8(ptr, OURS).fill(0xa5);
      ours.push(ptr);
    }
    expect(database.exec("select count(*), sum(length(name)) from t")[0]?.values).toEqual([
      [4000, 8_000_000],
    ]);
    expect(database.exec("pragma integrity_check")[0]?.values).toEqual([["ok"]]);
    expect(ours.every((ptr) => heap.u8(ptr, OURS).every((byte) => byte === 0xa5))).toBe(true);
    heap.check();
    heap.dispose();
    expect(database.exec("pragma integrity_check")[0]?.values).toEqual([["ok"]]);
  });
});

describe("AssemblyScript 0.28's runtime", () => {
  const PROGRAM = `
    let kept: string[] = [];
    export function work(rounds: i32): i32 {
      for (let i = 0; i < rounds; i++) kept.push("text " + i.toString());
      let sum = 0;
      for (let i = 0; i < kept.length; i++) sum += kept[i].length;
      return sum;
    }
    export function reset(): void { kept = []; }`;

  async function made(runtime: string): Promise<WebAssembly.Exports> {
    let bytes: Uint8Array | null = null;
    const { error, stderr } = await asc.main(
      ["app.ts", "--exportRuntime", "--runtime", runtime, "-o", "app.wasm"],
      {
        readFile: (name) => (name === "app.ts" ? PROGRAM : null),
        writeFile(name, contents) {
          if (name === "app.wasm" && typeof contents !== "string") bytes = contents;
        },
        listFiles: () => [],
      },
    );
    if (error !== null || bytes === null) throw new Error(`${error?.message}\n${stderr}`);
    const abort = (): never => {
      throw new Error("the program has ended itself");
    };
    return new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), { env: { abort } })
      .exports;
  }

  it.each(["incremental", "minimal", "stub"])(
    "(%s) collects its own objects, and leaves the heap",
    async (runtime) => {
      const exports = await made(runtime);
      const { work, reset } = exports as Record<string, (rounds: number) => number>;
      const sizeOf = (count: number) =>
        Array.from({ length: count }, (_, index) => `text ${index}`).join("").length;
      const heap = Heap.inside(exports);
      const ours: number[] = [];
      for (let round = 0; round < 30; round++) {
        const ptr = heap.malloc(OURS);
        heap.u8(ptr, OURS).fill(0xa5);
        ours.push(ptr);
        expect(work?.(3000)).toBe(sizeOf(3000));
        reset?.(0);
        (exports["__collect"] as () => void)();
      }
      heap.check();
      expect(ours.every((ptr) => heap.u8(ptr, OURS).every((byte) => byte === 0xa5))).toBe(true);
      heap.dispose();
      expect(work?.(3000)).toBe(sizeOf(3000));
    },
  );
});
