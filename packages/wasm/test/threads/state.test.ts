import { Heap } from "morecore";
import { describe, expect, it } from "vitest";
import { builtKernels, needs } from "../../../../test/support/c-program.ts";
import { functionsOf } from "../../../../test/support/text-module.ts";
import {
  compilerOn,
  hasThreads,
  THREADS_PACKAGES,
  THREADS_PAGES,
  threadsProgram,
} from "../../../../test/support/threads-program.ts";
import { linkProgram } from "../../src/link/link.ts";

const ENOMEM = 48;
const STACK_BYTES = 16_384;
const BUILD = {
  sources: ["state.c"],
  linkFlags: [
    ...["__stack_pointer", "__wasm_init_tls", "__tls_size", "__tls_align"],
    ...["memalign", "realloc", "free", "malloc_usable_size"],
  ].map((name) => `--export=${name}`),
};

/** Two threads of one program; `print` gets what they print. */
async function twoThreads(print: (text: string) => void, optimize = 1) {
  const module = new WebAssembly.Module(
    await linkProgram(threadsProgram(BUILD), builtKernels(), { optimize }),
  );
  const memory = new WebAssembly.Memory({ ...THREADS_PAGES, shared: true });
  const env = {
    memory,
    // A copy, since a decoder takes no memory that is shared.
    print: (at: number, count: number) =>
      print(new TextDecoder().decode(new Uint8Array(memory.buffer).slice(at, at + count))),
  };
  const begin = () => new WebAssembly.Instance(module, { env });
  const [first, second] = [begin(), begin()];
  const global = (name: string) => second.exports[name] as WebAssembly.Global;
  const { memalign, __wasm_init_tls: initTls } = functionsOf(second);
  // What the first has came with the module; another gets it of whoever starts it.
  global("__stack_pointer").value = (memalign?.(16, STACK_BYTES) ?? 0) + STACK_BYTES;
  initTls?.(memalign?.(global("__tls_align").value, global("__tls_size").value) ?? 0);
  const heap = Heap.attach(memory, first.exports["morecore_heap"] as WebAssembly.Global);
  return { first: functionsOf(first), second: functionsOf(second), heap };
}

describe.skipIf(!needs(hasThreads, THREADS_PACKAGES))("morecore.c, compiled for threads", () => {
  it("names the call of the thread that misuses the heap, though another is inside of one", async () => {
    const said: string[] = [];
    const { first, second } = await twoThreads((text) => {
      said.push(text);
      // The first is inside realloc, and prints.
      if (said.length === 1) expect(() => second["free"]?.(8)).toThrow(WebAssembly.RuntimeError);
    });
    expect(() => first["realloc"]?.(24, 10)).toThrow(WebAssembly.RuntimeError);
    expect(said).toEqual([
      expect.stringMatching(/^morecore: realloc\(0x00000018\): /),
      expect.stringMatching(/^morecore: free\(0x00000008\): /),
    ]);
  });

  it.each([0, 3])("sets errno of the thread that gets no memory, linked with -O%i", async (optimize) => {
    const { first, second, heap } = await twoThreads(() => undefined, optimize);
    expect(second["take"]?.(0xffff_0000)).toBe(0);
    expect(second["errnoNow"]?.()).toBe(ENOMEM);
    expect(first["errnoNow"]?.()).toBe(0);
    const ptr = first["take"]?.(100) ?? 0;
    expect(second["malloc_usable_size"]?.(ptr)).toBe(112);
    second["free"]?.(ptr);
    heap.check();
  });

  it("does not compile with one half of what threads need, or with none if they are asked for", () => {
    const said = "a heap that threads share needs both -matomics and -mbulk-memory";
    for (const flags of [["-matomics"], ["-DMORECORE_THREADS"], ["-DMORECORE_THREADS", "-mbulk-memory"]])
      expect(compilerOn(flags)).toEqual({ status: 1, said: expect.stringContaining(said) });
    for (const flags of [
      [],
      ["-mbulk-memory"],
      ["-DMORECORE_THREADS", "-pthread"],
      ["-matomics", "-mbulk-memory"],
    ])
      expect(compilerOn(flags)).toEqual({ status: 0, said: "" });
  });

  it("is not linked for a shared memory if it was compiled without atomics", () => {
    expect(() => threadsProgram({ ...BUILD, morecore: [] })).toThrow(
      /--shared-memory is disallowed by \S*morecore\.c\.o/,
    );
  });
});
