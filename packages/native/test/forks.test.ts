import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../../test/support/c-program.ts";
import {
  compileNative,
  nativeLibrary,
  needsNative,
  runWith,
  scratchFolder,
} from "../../../test/support/native.ts";

const scratch = scratchFolder();
const PROGRAM = join(scratch.path, "forks");
const LIBRARY = join(scratch.path, "libforks.so");
afterAll(scratch.remove);

describe.skipIf(!needsNative())("with libmorecore.so a child allocates, and so does its parent", () => {
  beforeAll(() => {
    nativeLibrary();
    compileNative(LIBRARY, [join(ROOT, "packages/native/test/forks-library.c")], ["-shared", "-fPIC"]);
    compileNative(
      PROGRAM,
      [join(ROOT, "packages/native/test/forks.c"), LIBRARY],
      [`-Wl,-rpath,${scratch.path}`],
    );
  }, 120_000);

  it.each([
    ["with_handlers", "handlers that a constructor registered before the first malloc allocate", "0\n"],
    ["with_a_mutex_held", "a handler waits for a thread that allocates", "0\n"],
    ["within_a_fork", "a handler makes a child of its own", "0 0\n"],
    ["forks", "other threads allocate meanwhile", "0\n"],
    ["raw_fork", "fork's handlers are passed over, by the system call, while other threads allocate", "0\n"],
    ["raw_clone", "fork's handlers are passed over, by clone, while other threads allocate", "0\n"],
  ])(
    "when %s: %s",
    (name, _, expected) => {
      for (const memory of ["sbrk", "mmap"]) {
        const env = { MORECORE_MEMORY: memory };
        const { stdout, stderr, end } = runWith(PROGRAM, [name], { preload: nativeLibrary(), env });
        expect({ stdout, stderr, end }).toEqual({ stdout: expected, stderr: "", end: 0 });
      }
    },
    130_000,
  );
});
