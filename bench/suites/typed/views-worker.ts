// Views worker: what access to one kind of memory costs, in a process of its own.
//
// Owns:  the loops.
// Needs: an engine with resizable WebAssembly memories; argv: the kind. Prints nanoseconds by loop, as JSON.

import { f64, Heap, i32, struct, Vec } from "morecore";
import { VIEW_KINDS, type ViewKind } from "./views-kinds.ts";

const REPEATS = 60;
const COUNT = 20_000;

type Loop = () => number;

function heapOf(kind: ViewKind): Heap {
  const shared = kind.startsWith("shared") || kind === "growable";
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 1024, shared });
  if (kind === "growable" || kind === "shared following")
    (memory as unknown as { toResizableBuffer(): unknown }).toResizableBuffer();
  const views = kind === "lasting" || kind === "following" ? "lasting" : "until-growth";
  // From the beginning on, so that there is no growth.
  return Heap.create({ memory, base: 16, views });
}

/** Each does something COUNT times. */
function loopsOf(kind: ViewKind): Readonly<Record<string, Loop>> {
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
function measure(kind: ViewKind): Record<string, number> {
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

const asked = VIEW_KINDS.find((kind) => kind === process.argv[2]);
if (asked === undefined) throw new Error(`views: there is no kind ${process.argv[2]}`);
console.log(JSON.stringify(measure(asked)));
