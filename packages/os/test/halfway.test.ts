// Halfway: opening a heap while one of the system's calls fails, each in turn. Whatever it is, the descriptor is closed and the
// lock let go, and the next one opens the heap.

import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { hasOs, sharedName } from "../../../test/support/os.ts";
import { scratchFolder } from "../../../test/support/scratch.ts";
import type { Foreign } from "../src/foreign.ts";
import { Heap, OsError } from "../src/index.ts";
import { libc } from "../src/libc.ts";

const MEBIBYTE = 1 << 20;
const EIO = 5;
/** Calls that let go of something: nobody can do more if they fail. The last two give no answer that is looked at. */
const LAST_CALLS: readonly string[] = ["close", "munmap", "unlock", "madvise", "getpagesize"];

/** Which call fails: so many pass before. With `all` those after it fail as well. */
const fault = vi.hoisted(() => ({ passing: Number.POSITIVE_INFINITY, all: false, met: "" }));

vi.mock(import("../src/way.ts"), async (original) => {
  const actual = await original();
  return { ...actual, foreign: () => faulty(actual.foreign()) };
});

function faulty(way: Foreign): Foreign {
  const isDue = (name: string, values: readonly unknown[]): boolean => {
    if (LAST_CALLS.includes(name === "flock" && values[1] === 8 ? "unlock" : name)) return false;
    fault.passing -= 1;
    if (fault.passing >= 0 || (fault.met !== "" && !fault.all)) return false;
    fault.met ||= name;
    return true;
  };
  return {
    ...way,
    number: (result, name, ...takes) => {
      const call = way.number(result, name, ...takes);
      // posix_fallocate answers with the error number itself.
      const failure = name === "posix_fallocate" ? EIO : -1;
      return (...values) => (isDue(name, values) ? failure : call(...values));
    },
    address: (name, ...takes) => {
      const call = way.address(name, ...takes);
      return (...values) => (isDue(name, values) ? 2n ** 64n - 1n : call(...values));
    },
    errno: () => (fault.met === "" ? way.errno() : EIO),
  };
}

/** Lets all calls pass again. */
function heal(): void {
  Object.assign(fault, { passing: Number.POSITIVE_INFINITY, all: false, met: "" });
}

beforeEach(heal);

const folder = scratchFolder("halfway");

/** A heap with a block, in a state to be opened in; by its file's bytes. */
function image(state: "new" | "sound" | "torn"): Buffer {
  if (state === "new") return Buffer.alloc(0);
  const path = join(folder, `${state}.image`);
  const heap = Heap.open(path, { size: MEBIBYTE });
  heap.root = heap.malloc(1000);
  heap.close();
  const bytes = readFileSync(path);
  // A bin that leads nowhere.
  if (state === "torn") bytes.writeUInt32LE(0x1234_567c, 4096 + 1180);
  return bytes;
}

/** How many descriptors of this process lead to a file. */
function descriptorsOf(path: string): number {
  return readdirSync("/proc/self/fd").filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === path;
    } catch {
      // The one that the folder was read by.
      return false;
    }
  }).length;
}

/** What an opening threw. It may have done without the call that failed: then nothing. */
function attempt(open: () => Heap): unknown {
  try {
    open().close();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Opens with each call failing in turn; `afterwards` looks at what is left. The names of the calls that failed. */
function failEach(all: boolean, open: () => Heap, afterwards: (refused: boolean) => void): Set<string> {
  const met = new Set<string>();
  for (let passing = 0; ; passing++) {
    Object.assign(fault, { passing, all, met: "" });
    const error = attempt(open);
    const { met: name } = fault;
    heal();
    if (name === "") return met;
    met.add(name);
    if (error !== undefined)
      expect(error, `when ${name}, the call ${passing}, fails`).toBeInstanceOf(OsError);
    afterwards(error !== undefined);
  }
}

describe.runIf(hasOs).each([false, true])("a call that fails, and all after it: %s", (all) => {
  it.each(["new", "sound", "torn"] as const)("lets go of a file with a %s heap", (state) => {
    const path = join(folder, `${state}-${all}.heap`);
    const before = image(state);
    writeFileSync(path, before);
    const met = failEach(
      all,
      () => Heap.open(path, { size: MEBIBYTE }),
      (refused) => {
        expect(descriptorsOf(path)).toBe(0);
        if (refused && state === "sound") expect(readFileSync(path).equals(before)).toBe(true);
        const heap = Heap.open(path);
        heap.check();
        if (state !== "new") expect(heap.usableSize(heap.root)).toBeGreaterThanOrEqual(1000);
        heap.close();
        writeFileSync(path, before);
      },
    );
    const wanted = ["open", "flock", "lseek", "mmap", "mprotect"];
    const more = state === "new" ? ["ftruncate", "pwrite", "posix_fallocate"] : ["pread"];
    expect([...met].sort()).toEqual([...wanted, ...more].sort());
  });

  it.each(["new", "sound", "torn"] as const)("lets go of shared memory with a %s heap", (state) => {
    const name = sharedName();
    const path = `/dev/shm${name}`;
    const before = image(state);
    const met = failEach(
      all,
      () => {
        if (state !== "new") writeFileSync(path, before);
        return Heap.shared(name, { size: MEBIBYTE });
      },
      () => {
        expect(descriptorsOf(path)).toBe(0);
        const system = libc();
        const descriptor = system.openShared(name, true) ?? system.openShared(name, false) ?? -1;
        expect(system.lock(descriptor, false), "nobody has the lock").toBe(true);
        system.close(descriptor);
        const heap = Heap.shared(name);
        heap.check();
        heap.close();
        Heap.unlink(name);
      },
    );
    Heap.unlink(name);
    expect(met).toContain("shm_open");
    expect(met).toContain("flock");
    expect(met).toContain("mmap");
  });
});

describe.runIf(hasOs)("a turn on shared memory", () => {
  it("that cannot be begun is given up, and so is one whose call throws", () => {
    const name = sharedName();
    const heap = Heap.shared(name, { size: MEBIBYTE });
    const other = Heap.shared(name);
    const isFree = (): boolean => {
      const descriptor = libc().openShared(name, false) ?? -1;
      try {
        return libc().lock(descriptor, false);
      } finally {
        libc().close(descriptor);
      }
    };
    // What another process has added cannot be mapped.
    other.malloc(MEBIBYTE / 2);
    Object.assign(fault, { passing: 1, all: true });
    expect(() => heap.malloc(10)).toThrow(OsError);
    heal();
    expect(isFree()).toBe(true);
    expect(() => heap.free(12_345)).toThrow();
    expect(isFree()).toBe(true);
    expect(heap.malloc(10)).not.toBe(0);
    heap.close();
    other.close();
    Heap.unlink(name);
  });

  it("in which the heap is closed lets go of no one else's lock", () => {
    const name = sharedName();
    const path = join(folder, "meanwhile.heap");
    const heap = Heap.shared(name, { size: MEBIBYTE });
    heap.malloc(10);
    let opened: Heap | undefined;
    const close = (): void => {
      heap.close();
      // It gets the number that the closed descriptor had.
      opened ??= Heap.open(path, { size: MEBIBYTE });
    };
    expect(() => heap.inspectAll(close), "there is nothing to see any more").toThrow();
    expect(() => Heap.open(path)).toThrow(expect.objectContaining({ code: "IN_USE" }));
    opened?.close();
    Heap.unlink(name);
  });
});
