// Plain objects, as one would write it without thinking of memory.

import { type GraphVariant, share, tick } from "./shape.ts";

interface Node {
  readonly value: number;
  readonly left: Node | null;
  readonly right: Node | null;
}

let root: Node | null = null;

function build(count: number): Node | null {
  if (count === 0) return null;
  const toTheLeft = share(count - 1);
  const left = build(toTheLeft);
  const right = build(count - 1 - toTheLeft);
  return { value: count, left, right };
}

function walk(node: Node | null): number {
  if (node === null) return 0;
  tick();
  return (node.value + walk(node.left) + walk(node.right)) | 0;
}

export const variant: GraphVariant = {
  build: (count) => {
    root = build(count);
  },
  walk: () => walk(root) >>> 0,
  drop: () => {
    root = null;
  },
  collected: true,
};
