// Raw pointers in a Bump: a node is a number, and one cursor reads and writes them all. No object is made.

import { type Heap, i32, moveTo, NULL, type Ptr, rawPointer, struct } from "morecore";
import { type GraphVariant, share, tick } from "./shape.ts";

const Node = struct(
  { value: i32, left: rawPointer(() => Node), right: rawPointer(() => Node) },
  { name: "Node" },
);

export function rawVariant(heap: Heap): GraphVariant {
  const at = heap.cursor(Node);
  let arena = heap.bump();
  let root: Ptr<typeof Node> = NULL;

  function build(count: number): Ptr<typeof Node> {
    if (count === 0) return NULL;
    const toTheLeft = share(count - 1);
    const left = build(toTheLeft);
    const right = build(count - 1 - toTheLeft);
    const node = arena.newPtr(Node);
    moveTo(at, node);
    at.value = count;
    at.left = left;
    at.right = right;
    return node;
  }

  function walk(node: Ptr<typeof Node>): number {
    if (node === NULL) return 0;
    tick();
    moveTo(at, node);
    const { value, right } = at;
    return (value + walk(at.left) + walk(right)) | 0;
  }

  return {
    build: (count) => {
      arena = heap.bump();
      root = build(count);
    },
    walk: () => walk(root) >>> 0,
    drop: () => arena.dispose(),
    collected: false,
  };
}
