// Os: heaps in the operating system's memory, for tests; what is resident; and whether any of it can be had here.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Heap, mmapMemory, type OsMemory, sbrkMemory } from "@morecore/os";
import type { HeapSettings } from "morecore";
import { foreign } from "../../packages/os/src/way.ts";
import { ROOT } from "./c-program.ts";
import type { HeapMaker } from "./memories.ts";

/** The built package: Node runs it in processes of their own. */
export const BUILT = join(ROOT, "packages/os/dist/index.js");

/** What a module of such a process begins with. */
export const IMPORT = `import { Heap, mmapMemory, OsError, sbrkMemory } from ${JSON.stringify(BUILT)};`;

/** Where there is a node:ffi, Node says on stderr that it is experimental; such a process is to say nothing that it was not asked. */
const { NODE_OPTIONS = "" } = process.env;
process.env["NODE_OPTIONS"] = `${NODE_OPTIONS} --disable-warning=ExperimentalWarning`;

const PATIENCE = 60_000;

/**
 * Runs a module in a process of its own, perhaps under a limit of address space: what it prints. Throws if it does not end
 * well: by a signal, or not at all.
 */
export function runModule(source: string, args: readonly string[] = [], limitKib?: number): string {
  const limit = limitKib === undefined ? "" : `ulimit -v ${limitKib} && `;
  const command = `${limit}exec "$0" --input-type=module -e "$@"`;
  const { status, signal, stdout, stderr } = spawnSync(
    "sh",
    ["-c", command, process.execPath, source, ...args],
    {
      encoding: "utf8",
      timeout: PATIENCE,
    },
  );
  if (status !== 0 || stderr !== "") throw new Error(`it ended with ${signal ?? status}: ${stderr}`);
  return stdout.trim();
}

/** Whether these tests can run; says once what they need if not. */
export const hasOs: boolean = process.platform === "linux" && canCallC();
if (!hasOs)
  console.warn(
    "skipped: heaps in the system's memory are tested on Linux, with npm install koffi or in Node 26.12",
  );

function canCallC(): boolean {
  try {
    return foreign() !== undefined;
  } catch {
    return false;
  }
}

/** Bytes between the break and what is mapped above it. */
export function roomAboveBreak(): number {
  const lines = readFileSync("/proc/self/maps", "latin1").split("\n");
  const at = lines.findIndex((line) => line.endsWith("[heap]"));
  const [, end] = /-([0-9a-f]+) /.exec(lines[at] ?? "") ?? [];
  const [, next] = /^([0-9a-f]+)-/.exec(lines[at + 1] ?? "") ?? [];
  return end === undefined || next === undefined ? 0 : Number(BigInt(`0x${next}`) - BigInt(`0x${end}`));
}

const ROOM = 1024 * 1024 * 1024;
/** Whether the break can move. In about one start of Node in a hundred a thread's stack lies right above it. */
export const hasBreak: boolean = hasOs && roomAboveBreak() > ROOM;
if (hasOs && !hasBreak)
  console.warn("skipped: memory from sbrk; in this process something is mapped close above the break");

/** What each may reserve: many are made in one process. */
const RESERVE = 128 * 1024 * 1024;
const MOST = { footprintLimit: 64 * 1024 * 1024 };
let names = 0;

/** A heap in a file that nobody else can open again. */
function inFile(settings?: Partial<HeapSettings>): Heap {
  const folder = mkdtempSync(join(tmpdir(), "morecore-os-"));
  try {
    return Heap.open(join(folder, "a.heap"), { size: RESERVE, ...MOST, ...settings });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A name for shared memory that no other test has. */
export function sharedName(): string {
  names += 1;
  return `/morecore-test-${process.pid}-${names}`;
}

function inShared(settings?: Partial<HeapSettings>): Heap {
  const name = sharedName();
  try {
    return Heap.shared(name, { size: RESERVE, ...MOST, ...settings });
  } finally {
    Heap.unlink(name);
  }
}

/** All of these grow in a reservation: their buffer stays. */
const MAKERS: readonly (HeapMaker & { sbrk?: true })[] = [
  {
    name: "memory from sbrk",
    sbrk: true,
    grows: true,
    make: (settings) => Heap.create({ memory: sbrkMemory({ mmapThreshold: 4096 }), ...MOST, ...settings }),
  },
  {
    name: "memory from mmap",
    grows: true,
    make: (settings) =>
      Heap.create({ memory: mmapMemory({ reserve: RESERVE, mmapThreshold: 4096 }), ...MOST, ...settings }),
  },
  {
    name: "memory from mmap, its threshold dynamic",
    grows: true,
    make: (settings) => Heap.create({ memory: mmapMemory({ reserve: RESERVE }), ...MOST, ...settings }),
  },
  { name: "a file", grows: true, make: inFile },
  { name: "shared memory", grows: true, make: inShared },
];
export const OS_MAKERS: readonly HeapMaker[] = MAKERS.filter(({ sbrk }) => sbrk === undefined || hasBreak);

/** Bytes of a memory that are resident, by /proc/self/smaps. */
export function residentBytes(memory: OsMemory): number {
  const from = memory.address;
  const to = from + BigInt(memory.buffer.byteLength);
  let inside = false;
  let kilobytes = 0;
  for (const line of readFileSync("/proc/self/smaps", "latin1").split("\n")) {
    const mapping = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line);
    if (mapping !== null) inside = BigInt(`0x${mapping[1]}`) < to && BigInt(`0x${mapping[2]}`) > from;
    else if (inside && line.startsWith("Rss:")) kilobytes += Number(/\d+/.exec(line)?.[0]);
  }
  return kilobytes * 1024;
}

/** The OsMemory behind a heap. */
export function osMemoryOf(heap: Heap): OsMemory {
  // Each heap of these tests is made in one.
  return heap.memory as OsMemory;
}

export { randomFrom } from "./random.ts";
