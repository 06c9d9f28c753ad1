// References in a Bump: objects with properties, as one would write it with the typed layer.

import { type Heap, i32, pointer, type Ref, struct } from "morecore";
import { type GraphVariant, share, tick } from "./shape.ts";

const Node = struct({ value: i32, left: pointer(() => Node), right: pointer(() => Node) }, { name: "Node" });
type Node = Ref<typeof Node>;

export function refsVariant(heap: Heap): GraphVariant {
  let arena = heap.bump();
  let root: Node | null = null;

  function build(count: number): Node | null {
    if (count === 0) return null;
    const toTheLeft = share(count - 1);
    const left = build(toTheLeft);
    const right = build(count - 1 - toTheLeft);
    return arena.new(Node, { value: count, left, right });
  }

  function walk(node: Node | null): number {
    if (node === null) return 0;
    tick();
    return (node.value + walk(node.left) + walk(node.right)) | 0;
  }

  return {
    build: (count) => {
      arena = heap.bump();
      root = build(count);
    },
    walk: () => walk(root) >>> 0,
    drop: () => {
      root = null;
      arena.dispose();
    },
    collected: false,
  };
}
