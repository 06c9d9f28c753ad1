// Allocation: memory for so many floats, let go of all at once, 1024 at a time; and beginning and ending a scope.

import { array, f32, Heap, i32, struct } from "morecore";
import type { Loop, LoopGroup, Run } from "./loop.ts";

const LIVE = 1024;
const BYTES = [16, 64, 256, 1024, 4096];

function float32Arrays(bytes: number): Run {
  const live: Float32Array[] = [];
  return (count) => {
    for (let i = 0; i < count; i++) live[i & (LIVE - 1)] = new Float32Array(bytes / 4);
    return live.length;
  };
}

/** What is in the memory is what was there. */
function bumpAllocate(bytes: number): Run {
  const arena = Heap.create().bump();
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      if ((i & (LIVE - 1)) === 0) arena.reset();
      sum += arena.allocate(bytes, 4);
    }
    return sum;
  };
}

/** Zeroed, as a Float32Array is. */
function bumpZeroed(bytes: number): Run {
  const arena = Heap.create().bump();
  const type = array(f32, bytes / 4);
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      if ((i & (LIVE - 1)) === 0) arena.reset();
      sum += arena.newPtr(type);
    }
    return sum;
  };
}

function bytesLoop(bytes: number): Loop {
  return {
    name: `${bytes} bytes`,
    variants: {
      "new Float32Array": () => float32Arrays(bytes),
      "Bump, not cleared": () => bumpAllocate(bytes),
      "Bump, zeroed": () => bumpZeroed(bytes),
    },
  };
}

export const allocation: LoopGroup = {
  title: "Allocation: ns for a block",
  loops: BYTES.map(bytesLoop),
};

const Point = struct({ x: i32, y: i32 }, { name: "Point" });

function heapScope(checking: boolean): Run {
  const heap = Heap.create({ checking });
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += heap.scope((scope) => scope.newPtr(Point) & 1);
    return sum;
  };
}

function markAndRelease(checking: boolean): Run {
  const arena = Heap.create({ checking }).bump();
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const mark = arena.mark();
      sum += arena.newPtr(Point) & 1;
      arena.release(mark);
    }
    return sum;
  };
}

export const scopes: LoopGroup = {
  title: "Scopes: ns for one in which one struct is made",
  loops: [
    {
      name: "a scope with one struct",
      variants: {
        "heap.scope": () => heapScope(true),
        "heap.scope, unchecked": () => heapScope(false),
        "mark and release": () => markAndRelease(true),
        "mark and release, unchecked": () => markAndRelease(false),
      },
    },
  ],
};
