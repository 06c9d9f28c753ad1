import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { builtKernels, needs, ROOT } from "../../../test/support/c-program.ts";
import { textModule } from "../../../test/support/text-module.ts";
import {
  hasThreads,
  THREADS_PACKAGES,
  THREADS_PAGES,
  threadsProgram,
} from "../../../test/support/threads-program.ts";
import { linkProgram } from "../../wasm/src/link/link.ts";

const MAIN = join(ROOT, "packages/cli/dist/main.js");

/** The most milliseconds that linking may take, where much else runs. */
const LINKING = 120_000;

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "morecore-run-threads-"));
  mkdirSync(join(folder, "data"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function run(...args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "run", ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

/** What --json says, last. */
function reported({ err }: Ended): Record<string, unknown> {
  return JSON.parse(err.trimEnd().split("\n").at(-1) ?? "");
}

describe.skipIf(!needs(hasThreads, THREADS_PACKAGES))("a program with threads, in C, linked", () => {
  beforeAll(async () => {
    const program = threadsProgram({ sources: ["start.s", "wasi.c", "program.c"] });
    const linked = await linkProgram(program, builtKernels(), { optimize: 1 });
    writeFileSync(join(folder, "threads.wasm"), linked);
  }, LINKING);
  const threads = (what: string, ...options: readonly string[]) => run(...options, "threads.wasm", what);

  it("has one heap for all, in which each frees what others have allocated", () => {
    const ended = threads("work", "--json", "--check", "1");
    expect(ended).toMatchObject({ status: 0, out: "done\n" });
    expect(reported(ended)).toMatchObject({
      mode: "merged",
      death: null,
      heapFault: null,
      heap: { calls: null, liveBlocks: 0 },
    });
  });

  it("has the place of a thread that has ended for the next one", () => {
    const ended = threads("turns", "--json");
    expect(ended.status).toBe(0);
    // 24 threads one after the other; the place of each takes a wasm page.
    const { heap } = reported(ended) as { heap: { memoryPages: number } };
    expect(heap.memoryPages).toBeLessThan(THREADS_PAGES.initial + 12);
  });

  it("dies when one of them does, and which one and where is said", () => {
    const { status, err } = threads("die");
    expect(status).toBe(134);
    expect(err).toMatch(
      /^morecore: threads\.wasm: thread 1: trap: unreachable\n {4}at die \(threads\.wasm:0x/,
    );
    expect(reported(threads("die", "--json"))).toMatchObject({
      exitCode: 134,
      death: { kind: "trap", thread: 1, message: "unreachable" },
    });
  });

  it("dies of misuse in one of them, in morecore.c's words", () => {
    const { status, err } = threads("misuse");
    expect(status).toBe(134);
    expect(err).toMatch(
      /^morecore: free\(0x[0-9a-f]{8}\): the block was freed before.*\nmorecore: .*thread 1: trap: /,
    );
  });

  it("ends when one of them exits, with its code; threads start threads", () => {
    expect(threads("leave")).toEqual({ status: 7, out: "", err: "" });
    expect(threads("again")).toEqual({ status: 4, out: "", err: "" });
  });

  it("ends when its first thread does, though another waits for ever, and shows its heap", () => {
    const ended = threads("still", "--json", "--check", "1");
    expect(ended.status).toBe(0);
    expect(reported(ended)).toMatchObject({ heapFault: null, heap: { liveBlocks: 0 } });
  });

  it("dies of a heap that is found broken at its end, unless that can be of a thread that was stopped", () => {
    const found = "heap corrupted at ";
    expect(threads("break", "--check", "1")).toMatchObject({
      status: 134,
      err: expect.stringContaining(found),
    });
    const { status, err } = threads("Break", "--check", "1");
    expect(status).toBe(0);
    expect(err).toMatch(
      /: at its end: heap corrupted at .*; a thread was stopped when the program ended, perhaps inside a call\n$/,
    );
  });

  it("is told by a negative number that there is no memory for another thread, and goes on", () => {
    expect(threads("no memory", "--check", "1")).toMatchObject({
      status: 0,
      out: "no thread\n",
      err: expect.stringContaining(
        "at its end: its memory is full, and has no room for looking at its heap\n",
      ),
    });
  });

  it("has one table of open files", () => {
    expect(threads("file", "--dir", "data")).toEqual({ status: 0, out: "by a thread\n", err: "" });
  });

  it("has one standard output, also when that has become a file", () => {
    expect(threads("output", "--dir", "data")).toEqual({ status: 0, out: "to the stream\n", err: "" });
    expect(readFileSync(join(folder, "data/moved.txt"), "utf8")).toBe("to the file\n");
  });

  it("is not held up when one of them waits for input", async () => {
    const given = [MAIN, "run", "--dir", "data", "threads.wasm", "input"];
    const child = spawn(process.execPath, given, { cwd: folder });
    onTestFinished(() => void child.kill());
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    // Its standard input stays open, and empty.
    const [status] = await once(child, "close");
    expect({ status, out }).toEqual({ status: 0, out: "not held up\n" });
  });

  it("has no trace, and is checked at its end only, which is said", () => {
    expect(threads("leave", "--trace", "no.mct.gz").err).toBe(
      "morecore: threads.wasm: no trace: it has threads, and is linked with its allocator: its calls cannot be seen\n",
    );
    expect(threads("leave", "--check", "1").err).toBe(
      "morecore: threads.wasm: is linked with its allocator: its heap is checked at the end only\n",
    );
  });
});

/** Starts a thread that sets a word, waits for that, and exits with it. */
const WITHOUT_A_HEAP = `
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (memory (export "memory") 1 2 shared)
  (func (export "_start")
    (drop (call $spawn (i32.const 42)))
    (drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1)))
    (call $exit (i32.atomic.load (i32.const 8))))`;
const THREAD = `
  (func (export "wasi_thread_start") (param $id i32) (param $argument i32)
    (i32.atomic.store (i32.const 8) (i32.add (local.get $id) (local.get $argument)))
    (drop (memory.atomic.notify (i32.const 8) (i32.const 1))))`;

describe("a program with threads", () => {
  const place = (name: string, text: string) =>
    writeFileSync(join(folder, name), textModule(`(module ${text})`));

  it("may have no heap of ours, and a memory that it does not import", () => {
    place("own.wasm", WITHOUT_A_HEAP + THREAD);
    expect(run("--no-swap", "own.wasm")).toEqual({ status: 43, out: "", err: "" });
    expect(run("own.wasm")).toMatchObject({
      status: 43,
      err: expect.stringMatching(/^morecore: own\.wasm: runs as it is, its malloc is not swapped: /),
    });
  });

  it("dies of a trap of its first thread, before it runs and when it does", () => {
    place("trap.wasm", `(memory (export "memory") 1 2 shared) (func $trap (export "_start") (unreachable))`);
    const died = /^morecore: trap\.wasm: trap: unreachable\n {4}at trap/;
    expect(run("--no-swap", "trap.wasm")).toMatchObject({ status: 134, err: expect.stringMatching(died) });
    place(
      "trap.wasm",
      `(memory (export "memory") 1 2 shared) (func $trap (unreachable)) (start $trap) (func (export "_start"))`,
    );
    expect(run("--no-swap", "trap.wasm")).toMatchObject({ status: 134, err: expect.stringMatching(died) });
  });

  it.each([
    ["without what its threads run", WITHOUT_A_HEAP, "it starts threads, and exports no wasi_thread_start, "],
    [
      "with a heap that is not inside",
      `(import "morecore" "mc_malloc" (func (param i32) (result i32)))
       (memory (export "memory") 1 2 shared) (func (export "_start"))`,
      "its memory is shared between threads, and it imports its malloc; expected one that `morecore link` has put ",
    ],
    [
      "that imports what nobody has",
      `(import "wasi" "thread-join" (func)) (memory (export "memory") 1 2 shared) (func (export "_start"))`,
      "it imports what neither WASI preview 1 nor morecore provides: wasi.thread-join",
    ],
  ])("%s is refused with the reason", (_, text, reason) => {
    place("refused.wasm", text);
    const { status, out, err } = run("--no-swap", "refused.wasm");
    expect({ status, out }).toEqual({ status: 2, out: "" });
    expect(err).toContain(`morecore: refused.wasm: ${reason}`);
  });
});
