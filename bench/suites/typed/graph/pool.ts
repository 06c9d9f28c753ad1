// Raw pointers in a Pool: blocks of one size, each freed on its own, as the heap's blocks are; and all at once at its end.

import { type Heap, i32, moveTo, NULL, Pool, type Ptr, rawPointer, struct } from "morecore";
import { type GraphVariant, share, tick } from "./shape.ts";

const Node = struct(
  { value: i32, left: rawPointer(() => Node), right: rawPointer(() => Node) },
  { name: "Node" },
);

export function poolVariant(heap: Heap): GraphVariant {
  const at = heap.cursor(Node);
  let pool = new Pool(heap, Node);
  let root: Ptr<typeof Node> = NULL;

  function build(count: number): Ptr<typeof Node> {
    if (count === 0) return NULL;
    const toTheLeft = share(count - 1);
    const left = build(toTheLeft);
    const right = build(count - 1 - toTheLeft);
    const node = pool.newPtr(Node);
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
    pool.deallocate(node, Node.size, Node.align);
    free(left);
    free(right);
  }

  return {
    build: (count) => {
      pool = new Pool(heap, Node);
      root = build(count);
    },
    walk: () => walk(root) >>> 0,
    drop: () => {
      free(root);
      pool.dispose();
    },
    collected: false,
  };
}
