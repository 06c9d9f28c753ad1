// Views: the command `npm run bench:views`: what access to memory costs when views last, beside views until growth.
//
// Owns:  the loops, the table.
// Needs: dist/ as it is; an engine that can: this one, or the Node that `npm run engines` fetches.
//
// Each kind of memory has a process of its own, since V8 compiles loops for the kinds of arrays that it has seen. Processes
// take turns, and the least of all rounds counts.

import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { f64, Heap, i32, struct, Vec } from "morecore";
import { toTerminal } from "../../harness/tables.ts";
import { ROOT } from "../../paths.ts";

const KINDS = ["until-growth", "lasting", "shared", "growable", "following", "shared following"] as const;
type Kind = (typeof KINDS)[number];

const SELF = fileURLToPath(import.meta.url);
const ROUNDS = 5;
const REPEATS = 60;
const COUNT = 20_000;

type Loop = () => number;

function heapOf(kind: Kind): Heap {
  const shared = kind.startsWith("shared") || kind === "growable";
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 1024, shared });
  if (kind === "growable" || kind === "shared following")
    (memory as unknown as { toResizableBuffer(): unknown }).toResizableBuffer();
  const views = kind === "lasting" || kind === "following" ? "lasting" : "until-growth";
  // From the beginning on, so that there is no growth.
  return Heap.create({ memory, base: 16, views });
}

/** Each does something COUNT times. */
function loopsOf(kind: Kind): Readonly<Record<string, Loop>> {
  const heap = heapOf(kind);
  const ptr = heap.malloc(8 * COUNT);
  const follows = kind.endsWith("following");
  const view = follows ? new Float64Array(heap.buffer, ptr) : heap.f64(ptr, COUNT);
  const Point = struct({ x: f64, n: i32 });
  const points = Array.from({ length: 1000 }, () => heap.new(Point, { x: 1, n: 1 }));
  const vec = new Vec(heap, f64, COUNT);
  for (let index = 0; index < COUNT; index++) vec.push(index);
  return {
    "read an element of a view": () => {
      let sum = 0;
      for (let index = 0; index < COUNT; index++) sum += view[index] as number;
      return sum;
    },
    "write one": () => {
      for (let index = 0; index < COUNT; index++) view[index] = index;
      return 0;
    },
    "get a view of four, and read one": () => {
      let sum = 0;
      for (let index = 0; index < COUNT; index++) sum += heap.f64(ptr, 4)[1] as number;
      return sum;
    },
    "read a reference's field": () => {
      let sum = 0;
      for (let round = 0; round < COUNT / 1000; round++) for (const point of points) sum += point.x;
      return sum;
    },
    "write one of an i32": () => {
      for (let round = 0; round < COUNT / 1000; round++) for (const point of points) point.n = round;
      return 0;
    },
    "get an element of a Vec": () => {
      let sum = 0;
      for (let index = 0; index < COUNT; index++) sum += vec.get(index);
      return sum;
    },
    "malloc and free": () => {
      for (let index = 0; index < COUNT; index++) heap.free(heap.malloc(40));
      return 0;
    },
  };
}

/** Nanoseconds for one, the least of all repeats. */
function measure(kind: Kind): Record<string, number> {
  const least = Object.entries(loopsOf(kind)).map(([name, loop]) => {
    let best = Number.POSITIVE_INFINITY;
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const start = performance.now();
      loop();
      best = Math.min(best, performance.now() - start);
    }
    return [name, (best / COUNT) * 1e6] as const;
  });
  return Object.fromEntries(least);
}

async function main(): Promise<void> {
  // Compiled, this file lies elsewhere, and what is no TypeScript does not come along.
  const script = pathToFileURL(path.join(ROOT, "tools", "engines.mjs")).href;
  const { engineCommand }: typeof import("../../../tools/engines.mjs") = await import(script);
  const command =
    "toResizableBuffer" in WebAssembly.Memory.prototype ? [process.execPath] : engineCommand("node");
  if (command === undefined) {
    console.error(
      "bench:views: this engine has no resizable WebAssembly.Memory: run `npm run engines -- node` first",
    );
    process.exitCode = 1;
    return;
  }
  const [file = "", ...args] = command;
  const best = new Map<Kind, Record<string, number>>();
  for (let round = 0; round < ROUNDS; round++)
    for (const kind of KINDS) {
      const { stdout, stderr } = spawnSync(file, [...args, SELF, kind], { encoding: "utf8" });
      if (stderr !== "") throw new Error(stderr);
      const found: Record<string, number> = JSON.parse(stdout);
      const before = best.get(kind) ?? found;
      best.set(
        kind,
        Object.fromEntries(
          Object.entries(found).map(([name, ns]) => [name, Math.min(ns, before[name] ?? ns)]),
        ),
      );
    }
  const plain = best.get("until-growth") ?? {};
  const rows = Object.entries(plain).map(([name, ns]) => [
    name,
    ...KINDS.map((kind) => {
      const own = best.get(kind)?.[name] ?? Number.NaN;
      return kind === "until-growth"
        ? `${own.toFixed(2)} ns`
        : `${own.toFixed(2)} ns, ${(own / ns).toFixed(1)}×`;
    }),
  ]);
  const { stdout: version } = spawnSync(file, [...args, "--version"], { encoding: "utf8" });
  const title = `One of each in ${version.trim()}, the least of ${ROUNDS} rounds, and over views until growth`;
  console.log(toTerminal({ title, head: ["", ...KINDS], rows }));
}

const asked = KINDS.find((kind) => kind === process.argv[2]);
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (asked === undefined) await main();
  else console.log(JSON.stringify(measure(asked)));
}
