// Patterns with threads: that each allocator is sound, that one which is not is found out, and that threads wait for each other.

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { hasC } from "../../../test/support/c-program.ts";
import { fetched } from "../../programs/fetch.ts";
import { linkThreads, THREAD_PAGES, type ThreadAllocator } from "../../programs/threads.ts";
import { passGate } from "../../suites/threads/gate.ts";
import { ThreadInstance } from "../../suites/threads/instance.ts";
import { wasmPart } from "../../suites/threads/part.ts";
import { functionOf, PATTERN_NAMES, type PatternName } from "../../suites/threads/protocol.ts";

/** Where nothing has been linked yet. */
const LINKING_MS = 120_000;
const STEPS = 4096;
/** Only what is on this machine: a test fetches nothing. */
const KINDS = (["dlmalloc", "mimalloc", "merged"] as const).filter(
  (kind) => kind === "merged" || fetched({ from: "debian", name: sourcesOf(kind) }) !== undefined,
);

function sourcesOf(kind: ThreadAllocator): string {
  return kind === "dlmalloc" ? "wasi-libc" : kind;
}

interface Started {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

function started(file: string, count: number): Started {
  const module = new WebAssembly.Module(readFileSync(file));
  const memory = new WebAssembly.Memory({ initial: 64, maximum: THREAD_PAGES, shared: true });
  const starter = new ThreadInstance(module, memory, 7);
  starter.call("__wasm_call_ctors");
  starter.call("prepare", count);
  return { module, memory };
}

/** Of threads that one thread plays, one after the other. */
function instances(file: string, count: number): ThreadInstance[] {
  const { module, memory } = started(file, count);
  return Array.from({ length: count }, (_, index) => new ThreadInstance(module, memory, index));
}

/** In xmalloc one thread waits for the other. */
function threadsFor(pattern: PatternName): number {
  return pattern.startsWith("xmalloc") ? 1 : 2;
}

describe.skipIf(!hasC)("within wasm", () => {
  const files = new Map<string, string>();
  beforeAll(async () => {
    for (const kind of ["nothing", ...KINDS] as const) files.set(kind, await linkThreads(kind));
  }, LINKING_MS);

  it.each(PATTERN_NAMES)("the blocks of %s have in them what was written, with each allocator", (pattern) => {
    for (const kind of KINDS) {
      const threads = instances(files.get(kind) ?? "", threadsFor(pattern));
      for (let turn = 0; turn < 6; turn++)
        for (const [index, thread] of threads.entries()) {
          const blocks = thread.function(`${functionOf(pattern)}_checked`)(index, turn, STEPS);
          expect(blocks, kind).toBeGreaterThan(STEPS / 2);
        }
      for (const [index, thread] of threads.entries()) thread.call("finish", index);
      for (const thread of threads) thread.leave();
    }
  });

  it.each(PATTERN_NAMES)("%s finds out an allocator that gives a block twice", (pattern) => {
    const [thread] = instances(files.get("nothing") ?? "", 1);
    expect(() => thread?.function(`${functionOf(pattern)}_checked`)(0, 0, STEPS)).toThrow(
      /written to|not zero/,
    );
  });

  it("threads of mstress end and come again, and what others have left is sound", () => {
    for (const kind of KINDS) {
      const { module, memory } = started(files.get(kind) ?? "", 2);
      const parts = [0, 1].map((index) =>
        wasmPart({ memory, index, pattern: "mstress", isChecked: true }, module),
      );
      for (let turn = 0; turn < 10; turn++)
        for (const part of parts) {
          part.begin();
          expect(part.play(turn, STEPS), kind).toBeGreaterThan(STEPS / 2);
        }
      for (const part of parts) part.finish();
    }
  });
});

it("a thread that is alone passes the gate at once, and the last of several lets all of them pass", () => {
  const gate = new Int32Array(2);
  passGate(gate, 1);
  expect([...gate]).toEqual([0, 1]);
  gate[0] = 3;
  passGate(gate, 4);
  expect([...gate]).toEqual([0, 2]);
});
