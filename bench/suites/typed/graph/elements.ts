// Raw pointers in a TypedArena: elements of one type, which it can visit in their order, let go of all at once.

import { type Heap, i32, moveTo, NULL, type Ptr, rawPointer, struct, TypedArena } from "morecore";
import { type GraphVariant, share, tick } from "./shape.ts";

const Node = struct(
  { value: i32, left: rawPointer(() => Node), right: rawPointer(() => Node) },
  { name: "Node" },
);

export function elementsVariant(heap: Heap): GraphVariant {
  const at = heap.cursor(Node);
  let arena = new TypedArena(heap, Node);
  let root: Ptr<typeof Node> = NULL;

  function build(count: number): Ptr<typeof Node> {
    if (count === 0) return NULL;
    const toTheLeft = share(count - 1);
    const left = build(toTheLeft);
    const right = build(count - 1 - toTheLeft);
    const node = arena.newPtr();
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
      arena = new TypedArena(heap, Node);
      root = build(count);
    },
    walk: () => walk(root) >>> 0,
    drop: () => arena.dispose(),
    collected: false,
  };
}
