// What test/runtimes/os.test.ts runs in each engine: claims about heaps in the operating system's memory, each with true, or what
// was found instead. Prints them as JSON. Needs dist/, Linux, and a way to call C.
//
// With the words "child" and a name it is the other process of one claim. With "denied" it says what is told to a program that
// may not call C.

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Heap, mmapMemory, sbrkMemory } from "../../packages/os/dist/index.js";

const SELF = fileURLToPath(import.meta.url);
const MEBIBYTE = 1 << 20;
const ROOM = 2 ** 30;
const results = {};
let names = 0;

async function claim(title, check) {
  try {
    results[title] = (await check()) ?? true;
  } catch (error) {
    results[title] = `${error.name} ${error.code ?? ""}: ${error.message}`;
  }
}

/** The code of the error that a call throws. */
function codeOf(call) {
  try {
    call();
  } catch (error) {
    return error.code ?? error.name;
  }
  return "nothing thrown";
}

function freshName() {
  names += 1;
  return `/morecore-runtimes-${process.pid}-${names}`;
}

const folder = fs.mkdtempSync(join(tmpdir(), "morecore-runtimes-"));

function freshPath() {
  names += 1;
  return join(folder, `${names}.heap`);
}

/** Bytes of this process at an address, as the system sees them: not by any view. */
function bytesAt(address, count) {
  const bytes = new Uint8Array(count);
  const descriptor = fs.openSync("/proc/self/mem", "r");
  fs.readSync(descriptor, bytes, 0, count, Number(address));
  fs.closeSync(descriptor);
  return bytes;
}

function descriptors() {
  return fs.readdirSync("/proc/self/fd").length;
}

/** This script in a process of its own, with the same engine and its flags: what it prints. */
function runChild(...args) {
  const flags = "Deno" in globalThis ? ["run", "--allow-all"] : process.execArgv;
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, SELF, ...args], {
    encoding: "utf8",
    timeout: 30_000,
  });
  return stderr === "" ? stdout.trim() : stderr;
}

/** Kinds of memory: how a heap is made there, and let go. */
const KINDS = {
  sbrk: () => ({ heap: Heap.create({ memory: sbrkMemory() }) }),
  mmap: () => ({ heap: Heap.create({ memory: mmapMemory() }) }),
  "mmap, small": () => ({ heap: Heap.create({ memory: mmapMemory({ reserve: 64 * MEBIBYTE }) }) }),
  "mmap, a heap behind another's bytes": () => ({
    heap: Heap.create({ memory: mmapMemory({ reserve: 64 * MEBIBYTE }), base: 8192 }),
  }),
  file: () => {
    const heap = Heap.open(freshPath(), { size: 64 * MEBIBYTE });
    return { heap, end: () => heap.close() };
  },
  shared: () => {
    const name = freshName();
    const heap = Heap.shared(name, { size: 64 * MEBIBYTE });
    return {
      heap,
      end: () => {
        heap.close();
        Heap.unlink(name);
      },
    };
  },
};

/** Something to say of a heap in each kind of memory. */
async function claimOfEach(title, check) {
  for (const [kind, make] of Object.entries(KINDS))
    await claim(`${kind}: ${title}`, () => {
      const { heap, end } = make();
      try {
        return check(heap);
      } finally {
        end?.();
      }
    });
}

async function claimsOfEach() {
  await claimOfEach("what is written there is in the process's memory, where C finds it", (heap) => {
    const ptr = heap.malloc(100);
    heap.u8(ptr, 100).set([1, 2, 3, 250], 50);
    const there = bytesAt(heap.native(ptr + 50), 4).join() === "1,2,3,250";
    return there && heap.fromNative(heap.native(ptr)) === ptr;
  });
  await claimOfEach("it grows, its buffer stays, and views live on", (heap) => {
    const { buffer } = heap;
    const view = heap.u32(heap.malloc(4000), 1000).fill(7);
    const ptrs = Array.from({ length: 20 }, (_, index) => heap.malloc(MEBIBYTE + index));
    for (const ptr of ptrs) heap.u8(ptr, MEBIBYTE).fill(1);
    heap.check();
    return heap.buffer === buffer && view.every((word) => word === 7) && !ptrs.includes(0);
  });
  await claimOfEach("what is freed is given back by trim, is zero again, and serves on", (heap) => {
    const ptrs = Array.from({ length: 10 }, () => heap.malloc(MEBIBYTE));
    for (const ptr of ptrs) heap.u8(ptr, MEBIBYTE).fill(0xee);
    heap.bulkFree(ptrs);
    heap.trim();
    heap.check();
    return heap.u8(heap.calloc(10 * MEBIBYTE, 1)).every((byte) => byte === 0);
  });
}

async function claimsOfFiles() {
  await claim("file: it is there again, and its pointers hold", () => {
    const path = freshPath();
    const first = Heap.open(path, { size: MEBIBYTE });
    first.root = first.malloc(100);
    first.u8(first.root, 100).fill(9);
    first.sync();
    first.close();
    const again = Heap.open(path);
    const same = again.u8(again.root, 100).every((byte) => byte === 9);
    again.check();
    again.close();
    return same && again.repaired === undefined;
  });
  await claim("file: one at a time has it, and the next when it is closed", () => {
    const path = freshPath();
    const heap = Heap.open(path);
    const codes = [codeOf(() => Heap.open(path)), codeOf(() => Heap.open(path))].join();
    heap.close();
    Heap.open(path).close();
    return codes === "IN_USE,IN_USE" || codes;
  });
  await claim("file: what is refused is as it was, and nothing of it stays open", () => {
    const path = freshPath();
    fs.writeFileSync(path, "no heap at all");
    const before = descriptors();
    const codes = Array.from({ length: 5 }, () => codeOf(() => Heap.open(path))).join();
    const codeOfNone = codeOf(() => Heap.open(join(folder, "none/none.heap")));
    const after = descriptors();
    const said = [codes, codeOfNone, after - before, fs.readFileSync(path, "utf8")].join(" ");
    return said === `${Array(5).fill("NOT_A_HEAP")} ENOENT 0 no heap at all` || said;
  });
  await claim(
    "file: one that was torn is repaired, one that may not be is refused, and can be opened",
    () => {
      const path = freshPath();
      Heap.open(path, { size: MEBIBYTE }).close();
      const bytes = fs.readFileSync(path);
      // A bin that leads nowhere.
      bytes.writeUInt32LE(0x1234_567c, 4096 + 1180);
      fs.writeFileSync(path, bytes);
      const name = codeOf(() => Heap.open(path, { repair: false }));
      const heap = Heap.open(path);
      const reason = heap.repaired?.reason ?? "";
      heap.check();
      heap.close();
      return (name === "HeapCorruptError" && reason.includes("heap corrupted")) || `${name} ${reason}`;
    },
  );
  await claim("file: it says that it was made shorter, and can be closed", () => {
    const path = freshPath();
    const heap = Heap.open(path);
    heap.malloc(MEBIBYTE);
    fs.truncateSync(path, MEBIBYTE / 2);
    const codes = [codeOf(() => heap.malloc(16 * MEBIBYTE)), codeOf(() => heap.sync())].join();
    heap.close();
    return codes === "TRUNCATED,TRUNCATED" || codes;
  });
}

async function claimsOfSharing() {
  await claim("shared: two in one process work on one heap, in turns", () => {
    const name = freshName();
    const [one, other] = [Heap.shared(name, { size: 64 * MEBIBYTE }), Heap.shared(name)];
    const ptrs = Array.from({ length: 200 }, (_, index) => (index % 2 ? one : other).malloc(20_000));
    one.check();
    other.bulkFree(ptrs);
    other.check();
    one.close();
    other.close();
    return new Set(ptrs).size === 200 && Heap.unlink(name) && !Heap.unlink(name);
  });
  await claim("shared: an opening that is refused lets go of its turn", () => {
    const name = freshName();
    const heap = Heap.shared(name, { size: MEBIBYTE });
    const before = descriptors();
    const codes = [1, 2, 3].map((times) => codeOf(() => Heap.shared(name, { size: (1 + times) * MEBIBYTE })));
    const after = descriptors();
    const ptr = heap.malloc(10);
    Heap.shared(name).close();
    heap.close();
    Heap.unlink(name);
    return (codes.join() === "OTHER_SIZE,OTHER_SIZE,OTHER_SIZE" && ptr !== 0 && after === before) || codes;
  });
  await claim("shared: another process finds the heap, and is found", () => {
    const name = freshName();
    const heap = Heap.shared(name, { size: MEBIBYTE });
    heap.root = heap.malloc(8);
    heap.u32(heap.root, 2).set([20, 0]);
    const said = runChild("child", name);
    heap.check();
    const answer = heap.u32(heap.root, 2)[1];
    heap.close();
    Heap.unlink(name);
    return (said === "done" && answer === 22) || `${said} ${answer}`;
  });
  await claim("threads have heaps of their own, share one, and each is told its own errors", async () => {
    const [name, path] = [freshName(), freshPath()];
    const shared = Heap.shared(name, { size: MEBIBYTE });
    const file = Heap.open(path);
    shared.root = shared.malloc(8);
    const worker = new Worker(new URL(import.meta.url), { workerData: { name, path } });
    const said = await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    const [written] = shared.u32(shared.root, 2);
    shared.check();
    await worker.terminate();
    file.close();
    Heap.open(path).close();
    shared.close();
    Heap.unlink(name);
    return (said === "IN_USE false" && written === 4711) || `${said} ${written}`;
  });
}

/** The other process: answers in the heap. */
function child(name) {
  const heap = Heap.shared(name);
  const [asked] = heap.u32(heap.root, 2);
  for (let times = 0; times < 100; times++) heap.free(heap.malloc(times * 10));
  heap.u32(heap.root, 2)[1] = asked + 2;
  heap.check();
  heap.close();
  console.log("done");
}

/** The other thread: says what it was told. */
function thread({ name, path }) {
  const codes = [codeOf(() => Heap.open(path)), Heap.unlink(`${name}-none`)];
  const heap = Heap.shared(name);
  heap.u32(heap.root, 2)[0] = 4711;
  const own = Heap.create({ memory: mmapMemory() });
  own.free(own.malloc(MEBIBYTE));
  own.check();
  heap.close();
  parentPort.postMessage(codes.join(" "));
}

/** Without a way to call C nothing is had, and nothing is made. */
function denied() {
  const path = freshPath();
  const said = new Set();
  for (const call of [mmapMemory, sbrkMemory, () => Heap.open(path), () => Heap.shared(freshName())])
    try {
      call();
      said.add("nothing thrown");
    } catch ({ name, code, message }) {
      said.add(`${name} ${code}: ${message}`);
    }
  if (fs.existsSync(path)) said.add("a file was made");
  fs.rmSync(folder, { recursive: true });
  console.log([...said].join("\n"));
}

/** Bytes between the break and what is mapped above it: in about one start in a hundred there is no room. */
function roomAboveBreak() {
  const maps = fs.readFileSync("/proc/self/maps", "latin1");
  const [, end, next] = /-([0-9a-f]+) .*\[heap\]\n([0-9a-f]+)-/.exec(maps) ?? [];
  return end === undefined ? ROOM : Number.parseInt(next, 16) - Number.parseInt(end, 16);
}

/** Whether this engine has node:ffi. */
function hasNodeFfi() {
  try {
    return createRequire(import.meta.url)("node:ffi") !== undefined;
  } catch {
    return false;
  }
}

async function main() {
  try {
    await claimsOfEach();
    await claimsOfFiles();
    await claimsOfSharing();
    await claim("C is called by node:ffi where there is one, else by koffi", () => {
      const isKoffi = fs.readFileSync("/proc/self/maps", "latin1").includes("koffi");
      return isKoffi !== hasNodeFfi();
    });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
  console.log(JSON.stringify(results));
}

const [, , word, name] = process.argv;
if (!isMainThread) thread(workerData);
else if (word === "child") child(name);
else if (word === "denied") denied();
else if (roomAboveBreak() < ROOM) console.log("blocked");
else await main();
