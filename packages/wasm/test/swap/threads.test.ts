// Modules whose threads share a memory: wasi-libc's dlmalloc, compiled with a lock. The sources are Debian's, fetched by `npm run
// programs`; without them, or without clang, these tests are skipped.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Heap } from "morecore";
import { describe, expect, it } from "vitest";
import { fetchedDlmalloc } from "../../../../bench/programs/threads.ts";
import { builtKernels, C_PACKAGES, hasC, needs, ROOT } from "../../../../test/support/c-program.ts";
import { scratchFolder } from "../../../../test/support/scratch.ts";
import { refusal, replacedIn } from "../../../../test/support/swap.ts";
import { functionsOf } from "../../../../test/support/text-module.ts";
import { linkProgram } from "../../src/link/link.ts";
import { decide } from "../../src/swap/decide.ts";
import { inspectModule, swapModule } from "../../src/swap/index.ts";
import { readModule } from "../../src/swap/module.ts";
import { findLeftovers } from "../../src/swap/proof.ts";

const SEED = Number(process.env["MORECORE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const PAGE = 65_536;
const MOST_PAGES = 2048;
const THREADS = 4;
const CALLS = 8000;
const SLOTS = 64;
const SOURCES = fetchedDlmalloc();
const folder = scratchFolder("swap-threads");
const FUNCTIONS = ["malloc", "free", "calloc", "realloc", "posix_memalign", "aligned_alloc"];
const EXPORTS = [...FUNCTIONS, "malloc_usable_size", "stack_of", "greets", "__stack_pointer"];

interface Build {
  readonly flags: readonly string[];
  readonly exports?: readonly string[];
  readonly link?: readonly string[];
}

/** The program of threads.c. */
function program({ flags, exports = [], link = ["-Wl,--import-memory"] }: Build): Uint8Array {
  const [object, output] = [join(folder, "threads.o"), join(folder, "threads.wasm")];
  const includes = [`-I${SOURCES}`, `-I${join(ROOT, "bench", "programs", "c", "threads")}`];
  const target = ["--target=wasm32-wasi", "-w", "-matomics", "-mbulk-memory", "-mmutable-globals"];
  const source = fileURLToPath(new URL("threads.c", import.meta.url));
  execFileSync("clang", [...target, ...includes, ...flags, "-c", source, "-o", object], { stdio: "pipe" });
  const linking = [
    "-nostdlib",
    "-Wl,--no-entry",
    "-Wl,--shared-memory",
    `-Wl,--max-memory=${MOST_PAGES * PAGE}`,
  ];
  const exported = [...EXPORTS, ...exports].map((name) => `-Wl,--export=${name}`);
  execFileSync("clang", ["--target=wasm32-wasi", object, "-o", output, ...linking, ...exported, ...link], {
    stdio: "pipe",
  });
  return new Uint8Array(readFileSync(output));
}

function sharedMemory(bytes: Uint8Array): WebAssembly.Memory {
  const initial = readModule(bytes).memories[0]?.initialPages ?? 0;
  return new WebAssembly.Memory({ initial, maximum: MOST_PAGES, shared: true });
}

/** Lets Workers loose on a module, each with an instance of its own; the blocks that are left. */
async function stress(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<Int32Array> {
  const slots = new Int32Array(new SharedArrayBuffer(4 * SLOTS));
  const workers = Array.from(
    { length: THREADS },
    (_, index) =>
      new Worker(new URL("threads.worker.mjs", import.meta.url), {
        workerData: { module, memory, index, seed: (SEED + index * 7919) | 1, calls: CALLS, slots },
      }),
  );
  const ended = workers.map(
    (worker) => new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject)),
  );
  try {
    await Promise.all(ended);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return slots;
}

function instanceOf(module: WebAssembly.Module, memory: WebAssembly.Memory) {
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return {
    functions: functionsOf(instance),
    heap: (instance.exports["morecore_heap"] as WebAssembly.Global).value,
  };
}

const canCompile = needs(hasC, C_PACKAGES) && SOURCES !== undefined;
if (hasC && SOURCES === undefined) console.warn("skipped: npm run programs fetches wasi-libc's sources");

describe.skipIf(!canCompile)(`swapped modules with threads (seed ${SEED}: MORECORE_SEED)`, () => {
  const STRIPPED = ["-Wl,--import-memory", "-Wl,--strip-all"];
  const variants: readonly (readonly [string, Build])[] = [
    ["a lock that is a word", { flags: ["-O2"] }],
    ["a mutex, without names", { flags: ["-Os", "-DMUTEX"], link: STRIPPED }],
    ["a mutex, and an sbrk that keeps a break", { flags: ["-O2", "-DMUTEX", "-DBREAK"] }],
    ["sbrk called by others", { flags: ["-O2", "-DTAKE"], exports: ["take"] }],
  ];

  it.each(variants)(
    "have a sound heap after Workers have freed each other's blocks: %s",
    async (_, build) => {
      const original = program(build);
      const { bytes, report } = await swapModule(original);
      expect(Object.keys(replacedIn(report)).sort()).toEqual([
        "calloc",
        "free",
        "malloc",
        "malloc_usable_size",
        "memalign",
        "realloc",
      ]);
      const module = new WebAssembly.Module(bytes as BufferSource);
      const memory = sharedMemory(original);
      const before = memory.buffer.byteLength;
      const slots = await stress(module, memory);
      expect(memory.buffer.byteLength).toBeGreaterThan(before);
      const { functions, heap: base } = instanceOf(module, memory);
      expect(base).toBe(report.room);
      const heap = Heap.attach(memory, base);
      heap.check();
      expect(slots.some((ptr) => ptr !== 0)).toBe(true);
      for (const ptr of slots) functions["free"]?.(ptr);
      heap.check();
      heap.inspectAll(({ state }) => expect(state).not.toBe("live"));
    },
  );

  it("have no instruction of the old lock in them, and one export for the host", async () => {
    const original = program({ flags: ["-Os", "-DMUTEX", "-DBREAK"] });
    const { bytes, report } = await swapModule(original);
    const names = readModule(bytes).functions.map(({ name }) => name);
    for (const gone of ["dispose_chunk", "init_mparams", "mutex_lock", "mutex_unlock", "sbrk"]) {
      expect(readModule(original).functions.map(({ name }) => name)).toContain(gone);
      expect(names).not.toContain(gone);
    }
    const exportsOf = (all: Uint8Array) =>
      WebAssembly.Module.exports(new WebAssembly.Module(all as BufferSource)).map(({ name }) => name);
    const added = exportsOf(bytes).filter((name) => !exportsOf(original).includes(name));
    expect(added.sort()).toEqual(["morecore_heap", "morecore_leave"]);
    expect(report.functions.find(({ role }) => role === "sbrk")?.action).toBe("dropped");
    expect(report.notes).toContain(
      "each instance is a thread with a heap of its own: morecore_leave() gives it up",
    );
  });

  it("give a thread's place to the next when it leaves", async () => {
    const original = program({ flags: ["-O2"] });
    const module = new WebAssembly.Module((await swapModule(original)).bytes as BufferSource);
    const memory = sharedMemory(original);
    const [first, second] = [instanceOf(module, memory), instanceOf(module, memory)];
    const ptr = second.functions["malloc"]?.(5000) ?? 0;
    expect(Math.abs(ptr - (first.functions["malloc"]?.(5000) ?? 0))).toBeGreaterThan(5000);
    second.functions["morecore_leave"]?.();
    const third = instanceOf(module, memory).functions["malloc"]?.(5000) ?? 0;
    expect(Math.abs(third - ptr)).toBeLessThan(PAGE);
    first.functions["free"]?.(ptr);
    Heap.attach(memory, first.heap).check();
  });

  it("are not taken for swapped while the old allocator, its lock and its break are in them", () => {
    const bytes = program({ flags: ["-Os", "-DMUTEX", "-DBREAK"] });
    const facts = readModule(bytes);
    const { plan } = decide(bytes, facts);
    const leftovers = plan === undefined ? [] : findLeftovers(bytes, facts, plan.block, () => false);
    expect(leftovers.join("\n")).toMatch(/\(dlmalloc\) still uses \d+ words of the old state/);
    expect(leftovers.join("\n")).toMatch(/\(init_mparams\) still uses \d+ words/);
    expect(leftovers.join("\n")).toMatch(/\(sbrk\) still uses 1 words/);
    expect(leftovers.join("\n")).not.toMatch(/__wasm_init_memory|stack_of|greets/);
  });

  it("that call morecore's malloc besides get one heap of all by morecore link", async () => {
    const original = program({ flags: ["-O2", "-DBESIDE", "-DBREAK"], exports: ["of_morecore"] });
    const module = new WebAssembly.Module(await linkProgram(original, builtKernels()));
    const memory = sharedMemory(original);
    const [first, second] = [instanceOf(module, memory), instanceOf(module, memory)];
    const blocks = [first, second].flatMap(({ functions: { malloc, of_morecore: ofMorecore } }) => [
      malloc?.(100) ?? 0,
      ofMorecore?.(100) ?? 0,
    ]);
    const heap = Heap.attach(memory, first.heap);
    for (const ptr of blocks) expect(heap.usableSize(ptr)).toBe(112);
    for (const ptr of blocks) second.functions["free"]?.(ptr);
    heap.check();
    heap.inspectAll(({ state }) => expect(state).not.toBe("live"));
  });

  it("may have their memory themselves, and export it", async () => {
    const original = program({ flags: ["-O2"], link: ["-Wl,--strip-all"] });
    const { bytes } = await swapModule(original);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
    const { malloc, free } = functionsOf(instance);
    const memory = instance.exports["memory"] as WebAssembly.Memory;
    const heap = Heap.attach(memory, (instance.exports["morecore_heap"] as WebAssembly.Global).value);
    const ptr = malloc?.(1000) ?? 0;
    expect(heap.usableSize(ptr)).toBeGreaterThanOrEqual(1000);
    free?.(ptr);
    heap.check();
  });
});

describe.skipIf(!canCompile)("swap refuses, of modules with threads,", () => {
  /** The reasons; the bytes are what they were. */
  async function reasons(build: Build): Promise<readonly string[]> {
    const bytes = program(build);
    const before = bytes.slice();
    const { refusals, functions } = await refusal(bytes);
    expect(bytes).toEqual(before);
    expect(functions.every(({ action }) => action === "left")).toBe(true);
    return refusals;
  }

  it("one whose fork handlers take malloc's lock", async () => {
    const found = await reasons({ flags: ["-O2", "-DFORK"], exports: ["run_handlers"] });
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(
      /^function \d+ \(->; in a table\) is none of the family's that can be replaced, but uses 1 words of the state block, its lock among them$/,
    );
    const mutex = await reasons({ flags: ["-O2", "-DFORK", "-DMUTEX"], exports: ["run_handlers"] });
    expect(mutex[0]).toMatch(/uses 1 words of the state block, its lock among them$/);
  });

  it("one that looks at what lies in malloc's state behind the lock", async () => {
    const found = await reasons({ flags: ["-O2", "-DLOOK"], exports: ["flags_of_first_segment"] });
    expect(found).toEqual([
      expect.stringMatching(/exported as flags_of_first_segment\).*uses 1 words of the state block$/),
    ]);
  });

  it("one whose sbrk keeps a break, and serves others than malloc", async () => {
    const found = await reasons({ flags: ["-O2", "-DTAKE", "-DBREAK"], exports: ["take"] });
    expect(found).toEqual([
      expect.stringMatching(
        /its sbrk \(function \d+\) keeps a break of its own for others than malloc \(called by function \d+\)$/,
      ),
    ]);
  });

  it("one whose break others look at", async () => {
    const found = await reasons({ flags: ["-O2", "-DBREAK", "-DBREAK_SHOWN"], exports: ["break_now"] });
    expect(found).toEqual([
      expect.stringMatching(
        /and function \d+ \(exported as break_now\) uses the break, from which on memory is malloc's$/,
      ),
    ]);
  });

  it("one whose sbrk, with its break, became a part of malloc and of others", async () => {
    const flags = ["-O2", "-DTAKE", "-DBREAK", "-DINLINE"];
    const uses = expect.stringMatching(/function \d+ \(exported as take\) uses the break/);
    expect(await reasons({ flags, exports: ["take"] })).toEqual([uses]);
    const found = await reasons({ flags: [...flags, "-DNO_ROOM"], exports: ["take"], link: [] });
    expect(found).toEqual([expect.stringMatching(/it is not known where its malloc's part of it begins$/)]);
  });

  it("one whose malloc takes no lock", async () => {
    expect(await reasons({ flags: ["-O2", "-DNO_LOCK"] })).toEqual([
      "its memory is shared between threads, and no lock that its malloc and free take was found in dlmalloc's state",
    ]);
  });

  it("one whose memory is the host's, where it is not known what part of it is malloc's", async () => {
    expect(await reasons({ flags: ["-O2", "-DNO_ROOM"] })).toEqual([
      "its memory is shared between threads, and it is not known where its malloc's part of it begins",
    ]);
  });

  it("one that the host is to bring a kernel for", async () => {
    const bytes = program({ flags: ["-O2"] });
    await expect(swapModule(bytes, { keepImports: true })).rejects.toThrow(
      "its memory is shared between threads, whose heaps no host can begin: leave out keepImports",
    );
  });

  it("one that was swapped already", async () => {
    const { bytes } = await swapModule(program({ flags: ["-O2"] }));
    expect(inspectModule(bytes).refusals).toEqual([expect.stringMatching(/is not dlmalloc/)]);
  });
});
