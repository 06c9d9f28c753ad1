// posix_memalign answers with an error number: of WASI's and Emscripten's numbers, not of the kernel's.

import { expect, it } from "vitest";
import { functionsOf, textModule } from "../../../../test/support/text-module.ts";
import { readModule } from "../../src/swap/module.ts";
import { rewrite } from "../../src/swap/rewrite.ts";
import { roleNamed } from "../../src/swap/roles.ts";

const EINVAL = 28;
const ENOMEM = 48;

it("posix_memalign's errors are the module's C library's", async () => {
  const bytes = textModule(`(module (memory (export "memory") 1 20)
    (func (export "posix_memalign") (param i32 i32 i32) (result i32) (i32.const 77)))`);
  const role = roleNamed("posix_memalign");
  if (role === undefined) throw new Error("there is no such role");
  const plan = {
    block: { at: 1024, end: 2048, mallocs: [], frees: [] },
    replaced: new Map([[0, role]]),
    sbrk: undefined,
    room: undefined,
  };
  const { bytes: rewritten } = await rewrite(bytes, readModule(bytes), plan, { keepImports: false });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(rewritten)));
  const { posix_memalign: posixMemalign } = functionsOf(instance);
  const result = 64;
  const word = () => new Uint32Array((instance.exports["memory"] as WebAssembly.Memory).buffer)[result / 4];
  expect(posixMemalign?.(result, 3, 100)).toBe(EINVAL);
  expect(posixMemalign?.(result, 64, 50_000_000)).toBe(ENOMEM);
  expect(word()).toBe(0);
  expect(posixMemalign?.(result, 64, 100)).toBe(0);
  expect(word()).toBeGreaterThan(0);
  expect((word() ?? 1) % 64).toBe(0);
});
