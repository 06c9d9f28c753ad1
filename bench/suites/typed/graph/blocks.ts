// Raw pointers in the heap: a block of its own for each node, freed one by one, as in C.

import { type Heap, i32, moveTo, NULL, type Ptr, rawPointer, struct } from "morecore";
import { type GraphVariant, share, tick } from "./shape.ts";

const Node = struct(
  { value: i32, left: rawPointer(() => Node), right: rawPointer(() => Node) },
  { name: "Node" },
);

export function blocksVariant(heap: Heap): GraphVariant {
  const at = heap.cursor(Node);
  let root: Ptr<typeof Node> = NULL;

  function build(count: number): Ptr<typeof Node> {
    if (count === 0) return NULL;
    const toTheLeft = share(count - 1);
    const left = build(toTheLeft);
    const right = build(count - 1 - toTheLeft);
    const node = heap.newPtr(Node);
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

  function free(node: Ptr<typeof Node>): void {
    if (node === NULL) return;
    tick();
    moveTo(at, node);
    const { left, right } = at;
    heap.free(node);
    free(left);
    free(right);
  }

  return {
    build: (count) => {
      root = build(count);
    },
    walk: () => walk(root) >>> 0,
    drop: () => free(root),
    collected: false,
  };
}
