// Typed arrays by hand: one Int32Array for each field, of the size that is known beforehand; a node is an index, 0 is none.

import { type GraphVariant, share, tick } from "./shape.ts";

let values = new Int32Array(0);
let lefts = new Int32Array(0);
let rights = new Int32Array(0);
let next = 1;
let root = 0;

function build(count: number): number {
  if (count === 0) return 0;
  const toTheLeft = share(count - 1);
  const left = build(toTheLeft);
  const right = build(count - 1 - toTheLeft);
  const node = next++;
  values[node] = count;
  lefts[node] = left;
  rights[node] = right;
  return node;
}

function walk(node: number): number {
  if (node === 0) return 0;
  tick();
  const below = walk(lefts[node] as number) + walk(rights[node] as number);
  return ((values[node] as number) + below) | 0;
}

export const variant: GraphVariant = {
  build: (count) => {
    values = new Int32Array(count + 1);
    lefts = new Int32Array(count + 1);
    rights = new Int32Array(count + 1);
    next = 1;
    root = build(count);
  },
  walk: () => walk(root) >>> 0,
  drop: () => {
    values = lefts = rights = new Int32Array(0);
  },
  collected: true,
};
