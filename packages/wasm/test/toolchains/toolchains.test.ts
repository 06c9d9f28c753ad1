import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import { Heap } from "morecore";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  C_PACKAGES,
  CXX_PACKAGES,
  compile,
  hasC,
  hasCommand,
  hasCxx,
  linked,
  needs,
  ROOT,
  runBeside,
} from "../../../../test/support/c-program.ts";
import { functionsOf } from "../../../../test/support/text-module.ts";
import { runWasi } from "../../../../test/support/wasi.ts";

const source = (name: string) => join(ROOT, "packages/wasm/test/toolchains", name);

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "morecore-toolchain-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The linked program's functions, and its heap. */
function instantiate(module: WebAssembly.Module) {
  const instance = new WebAssembly.Instance(module);
  const { memory, morecore_heap } = instance.exports as unknown as {
    memory: WebAssembly.Memory;
    morecore_heap: WebAssembly.Global;
  };
  return { functions: functionsOf(instance), heap: Heap.attach(memory, morecore_heap) };
}

describe.skipIf(!needs(hasCxx, CXX_PACKAGES))("C++, by clang with wasi-libc and libc++", () => {
  const said = [
    "live 10, value 3",
    "usable 1",
    "aligned 1",
    "nothrow 1",
    "words 51, live 0",
    "all freed 1",
    "",
  ].join("\n");
  const build = {
    sources: [source("program.cpp")],
    compiler: "clang++",
    flags: ["-std=c++17", "-faligned-allocation", "-fno-exceptions"],
  } as const;

  it("has morecore for new and delete, merged", async () => {
    const { stdout, stderr, exitCode } = runWasi(await linked(compile(build)));
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: said, stderr: "", exitCode: 0 });
  });

  it("has it as a second module", () => {
    const bytes = compile({ ...build, flags: [...build.flags, "-Wl,--import-memory"] });
    const { stdout, exitCode } = runBeside(new WebAssembly.Module(bytes));
    expect({ stdout, exitCode }).toEqual({ stdout: said, exitCode: 0 });
  });
});

describe.skipIf(!needs(hasC, C_PACKAGES))("C, by clang", () => {
  it("can define morecore_abort; the constructors before it are not run again", async () => {
    const build = { sources: [source("own-abort.c")], flags: ["-fno-builtin"] };
    const { stderr, exitCode } = runWasi(await linked(compile(build)));
    expect({ stderr, exitCode }).toEqual({ stderr: "mine: code 3, the block, constructed 1\n", exitCode: 7 });
  });

  it("can grow the memory itself: the heap goes on behind, and malloc_inspect_all leaves out what is not its", async () => {
    const { stdout } = runWasi(await linked(compile({ sources: [source("segments.c")] }), { optimize: 0 }));
    expect(stdout).toBe("beyond the foreign pages 1, used 3, free shown 1, overlaps 0\n");
  });

  it("exports malloc and free, too, where that is asked for", async () => {
    const flags = ["-mexec-model=reactor", "-Wl,--export=malloc,--export=free"];
    for (const optimize of [0, 3] as const) {
      const module = await linked(compile({ sources: [source("segments.c")], flags }), { optimize });
      const names = WebAssembly.Module.exports(module).map(({ name }) => name);
      expect(names.filter((name) => /malloc|free/.test(name)).sort()).toEqual(["free", "malloc"]);
      expect(names).not.toContain("morecore_no_memory");
    }
  });

  it("needs no C library", async () => {
    const output = join(folder, "library.wasm");
    const flags = ["--target=wasm32-unknown-unknown", "-O1", "-ffreestanding", "-fno-builtin", "-nostdlib"];
    const files = [source("no-libc.c"), join(ROOT, "packages/wasm/c/lib/morecore.c"), "-o", output];
    const links = ["-Wl,--no-entry", "-Wl,--export=__heap_base"];
    execFileSync("clang", [
      ...flags,
      "-DMORECORE_NO_LIBC",
      `-I${ROOT}packages/wasm/c/include`,
      ...links,
      ...files,
    ]);
    const module = await linked(readFileSync(output));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const { functions, heap } = instantiate(module);
    expect(functions["sum"]?.(1000)).toBe(500_500);
    heap.check();
    expect(() => functions["freeTwice"]?.()).toThrow(WebAssembly.RuntimeError);
  });
});

/** Debian's own rustc has the target; another may. */
const RUSTC = ["/usr/bin/rustc", "rustc"].find((rustc) => {
  if (!hasCommand(rustc)) return false;
  const target = ["--print", "target-libdir", "--target", "wasm32-unknown-unknown"];
  return existsSync(execFileSync(rustc, target, { encoding: "utf8" }).trim());
});

describe.skipIf(!needs(RUSTC !== undefined, "rustc libstd-rust-dev-wasm32 lld"))("Rust", () => {
  it("has morecore for its global allocator", async () => {
    const output = join(folder, "program.wasm");
    const flags = ["--edition", "2021", "--target", "wasm32-unknown-unknown", "--crate-type", "cdylib", "-O"];
    execFileSync(RUSTC ?? "", [...flags, source("program.rs"), "-o", output], { cwd: folder });
    const { functions, heap } = instantiate(await linked(readFileSync(output)));
    expect(functions["run"]?.(1000)).toBe(1100);
    heap.check();
    const footprint = heap.footprint;
    for (let round = 0; round < 10; round++) functions["run"]?.(1000);
    expect(heap.footprint).toBe(footprint);
    heap.check();
  });
});

/** A Zig whose std.mem.Allocator is as in program.zig: it changed in 0.14. */
const ZIG = [process.env["ZIG"] ?? "zig"].find((zig) => {
  const { stdout } = spawnSync(zig, ["version"], { encoding: "utf8" });
  return /^0\.1[123]\./.test(stdout ?? "");
});

if (ZIG === undefined) console.warn("skipped: needs a Zig 0.11 to 0.13, as `zig` or where $ZIG says");

describe.skipIf(ZIG === undefined)("Zig", () => {
  /** Compiled as a library with its functions exported. */
  const build = (...flags: string[]): Uint8Array => {
    const caches = ["--cache-dir", folder, "--global-cache-dir", folder];
    const target = ["-target", "wasm32-freestanding", "-dynamic", "-rdynamic", "-O", "ReleaseSmall"];
    const output = join(folder, "zig.wasm");
    execFileSync(
      ZIG ?? "",
      ["build-lib", source("program.zig"), ...target, ...caches, ...flags, `-femit-bin=${output}`],
      { cwd: folder, stdio: "pipe" },
    );
    return readFileSync(output);
  };

  it("has morecore for a std.mem.Allocator, merged", async () => {
    const module = await linked(build("--export=__heap_base"));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const { functions, heap } = instantiate(module);
    expect(functions["run"]?.(1000)).toBe(500_500);
    expect(functions["isRefused"]?.()).toBe(1);
    heap.check();
    const footprint = heap.footprint;
    for (let round = 0; round < 10; round++) functions["run"]?.(1000);
    expect(heap.footprint).toBe(footprint);
    heap.check();
    expect(() => functions["freeTwice"]?.()).toThrow(WebAssembly.RuntimeError);
  });

  it("has it as a second module, with the heap's errors", () => {
    const memory = new WebAssembly.Memory({ initial: 32 });
    const heap = Heap.create({ memory });
    const bytes = build("--import-memory");
    const module = new WebAssembly.Module(bytes as BufferSource);
    const functions = functionsOf(new WebAssembly.Instance(module, { ...heap.imports, env: { memory } }));
    expect(functions["run"]?.(1000)).toBe(500_500);
    heap.check();
    expect(() => functions["freeTwice"]?.()).toThrow(/double-free/);
  });
});

describe("AssemblyScript", () => {
  const PROGRAM = `
    @external("morecore", "mc_malloc") declare function malloc(bytes: usize): usize;
    @external("morecore", "mc_realloc") declare function realloc(ptr: usize, bytes: usize): usize;
    @external("morecore", "mc_free") declare function free(ptr: usize): void;

    export function primes(below: i32): i32 {
      let list: usize = malloc(16);
      let count = 0, room = 4;
      for (let n = 2; n < below; n++) {
        let isPrime = true;
        for (let i = 0; i < count && isPrime; i++) isPrime = n % load<i32>(list + (i << 2)) != 0;
        if (!isPrime) continue;
        if (count == room) list = realloc(list, (room *= 2) << 2);
        store<i32>(list + (count++ << 2), n);
      }
      free(list);
      return count;
    }`;
  /** With objects of AssemblyScript's, too, whose runtime takes all memory for its own. */
  const MANAGED = `${PROGRAM}
    const kept: string[] = [];
    export function names(below: i32): i32 {
      for (let n = 0; n < below; n++) kept.push("a name " + n.toString() + primes(20).toString());
      let sum = 0;
      for (let n = 0; n < below; n++) sum += kept[n].length;
      return sum;
    }`;

  /** What asc makes of a program. */
  async function compiled(text: string, ...flags: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
    let bytes: Uint8Array | null = null;
    const args = ["program.ts", "-O", "--use", "abort=", "--outFile", "program.wasm", ...flags];
    const { error, stderr } = await asc.main(args, {
      readFile: (name) => (name === "program.ts" ? text : null),
      writeFile: (name, contents) => {
        if (name === "program.wasm" && typeof contents !== "string") bytes = contents;
      },
      listFiles: () => [],
    });
    if (error !== null || bytes === null) throw new Error(`${error?.message}\n${stderr}`);
    return Uint8Array.from(bytes);
  }

  it("calls morecore, merged", async () => {
    const { functions, heap } = instantiate(await linked(await compiled(PROGRAM, "--runtime", "stub")));
    expect(functions["primes"]?.(10_000)).toBe(1229);
    heap.check();
  });

  it("calls it as a second module", async () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = Heap.create({ memory });
    const module = new WebAssembly.Module(await compiled(PROGRAM, "--runtime", "stub", "--importMemory"));
    const functions = functionsOf(new WebAssembly.Instance(module, { ...heap.imports, env: { memory } }));
    expect(functions["primes"]?.(10_000)).toBe(1229);
    heap.check();
  });

  it("with objects of its own, too, if the heap has a region before them", async () => {
    const MEBIBYTE = 1 << 20;
    const memory = new WebAssembly.Memory({ initial: 32 });
    const heap = Heap.create({ memory, base: 1024, size: MEBIBYTE - 1024 });
    const bytes = await compiled(MANAGED, "--importMemory", "--memoryBase", String(MEBIBYTE));
    const imports = { ...heap.imports, env: { memory } };
    const functions = functionsOf(new WebAssembly.Instance(new WebAssembly.Module(bytes), imports));
    expect(functions["primes"]?.(10_000)).toBe(1229);
    // "a name ", 1 to 5 digits, and "8", the number of primes below 20.
    expect(functions["names"]?.(20_000)).toBe(20_000 * 8 + 10 + 90 * 2 + 900 * 3 + 9000 * 4 + 10_000 * 5);
    expect(functions["primes"]?.(10_000)).toBe(1229);
    heap.check();
  });
});

const EMCC = hasCommand("emcc");

describe.skipIf(!needs(EMCC, "emscripten"))("Emscripten, with -sMALLOC=none", () => {
  const PROGRAM = `
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    int main(void) {
      for (int round = 0; round < 3; round++) {
        char *big = malloc(30 << 20);
        memset(big, round, 30 << 20);
        char *text = strdup("printed after growth");
        printf("%s %d\\n", text, round);
        free(text);
      }
      return 0;
    }`;

  /** What a program prints that was linked. */
  const printedBy = (main: string, flags: readonly string[]): string => {
    const [script, wasm] = ["program.js", "program.wasm"].map((name) => join(folder, name));
    const settings = ["-sMALLOC=none", "-sERROR_ON_UNDEFINED_SYMBOLS=0", ...flags, "-o", script ?? ""];
    // It warns of the allocator's functions, which are not there yet.
    execFileSync("emcc", [main, join(ROOT, "packages/wasm/c/lib/morecore.c"), ...settings], {
      stdio: "pipe",
    });
    const command = join(ROOT, "packages/cli/dist/main.js");
    execFileSync(process.execPath, [command, "link", wasm ?? "", "-o", wasm ?? ""]);
    // Old ones take Node 18's fetch for a browser's.
    return execFileSync(process.execPath, ["--no-experimental-fetch", script ?? ""], { encoding: "utf8" });
  };

  it.each(["-O1", "-O2"])("has morecore, and its JavaScript sees memory that has grown (%s)", (level) => {
    const main = join(folder, "main.c");
    writeFileSync(main, PROGRAM);
    const printed = printedBy(main, [level, "-sALLOW_MEMORY_GROWTH"]);
    expect(printed).toBe([0, 1, 2].map((round) => `printed after growth ${round}\n`).join(""));
  });

  it.each([
    ["a memory that grows", ["-sALLOW_MEMORY_GROWTH", "-sPROXY_TO_PTHREAD"]],
    [
      "one that does not",
      ["-sINITIAL_MEMORY=134217728", "-Wl,--export=__heap_base", "-sPTHREAD_POOL_SIZE=4"],
    ],
  ])("has one heap for all threads, with -pthread and %s", (_, flags) => {
    const printed = printedBy(source("pthreads.c"), ["-O2", "-pthread", "-sEXIT_RUNTIME", ...flags]);
    const said = (turn: number) => `turn ${turn}: 4 threads were told of no memory; errno here 0\n`;
    expect(printed).toBe([0, 1, 2].map(said).join(""));
  });
});
