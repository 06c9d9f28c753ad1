// Raw pointers: a node is a number, and one cursor reads and writes them all; no object is made. Four ways to get the memory.
//
// Owns:  the tree, which is one for all four; each way has a process of its own, so that V8 inlines its allocation.

import { type Heap, i32, moveTo, NULL, Pool, type Ptr, rawPointer, struct, TypedArena } from "morecore";
import { type GraphVariant, share, tick } from "./shape.ts";

const Node = struct(
  { value: i32, left: rawPointer(() => Node), right: rawPointer(() => Node) },
  { name: "Node" },
);
type NodePtr = Ptr<typeof Node>;

interface Ways {
  /** Before a tree is built. */
  begin(): void;
  newNode(): NodePtr;
  /** Of each node on its own, where that is the way. */
  freeNode?(node: NodePtr): void;
  /** All that is left. */
  end(): void;
}

function treeOf(heap: Heap, { begin, newNode, freeNode, end }: Ways): GraphVariant {
  const at = heap.cursor(Node);
  let root: NodePtr = NULL;

  function build(count: number): NodePtr {
    if (count === 0) return NULL;
    const toTheLeft = share(count - 1);
    const left = build(toTheLeft);
    const right = build(count - 1 - toTheLeft);
    const node = newNode();
    moveTo(at, node);
    at.value = count;
    at.left = left;
    at.right = right;
    return node;
  }

  function walk(node: NodePtr): number {
    if (node === NULL) return 0;
    tick();
    moveTo(at, node);
    const { value, right } = at;
    return (value + walk(at.left) + walk(right)) | 0;
  }

  function freeAll(node: NodePtr, freeOne: (node: NodePtr) => void): void {
    if (node === NULL) return;
    tick();
    moveTo(at, node);
    const { left, right } = at;
    freeOne(node);
    freeAll(left, freeOne);
    freeAll(right, freeOne);
  }

  return {
    build: (count) => {
      begin();
      root = build(count);
    },
    walk: () => walk(root) >>> 0,
    drop: () => {
      if (freeNode !== undefined) freeAll(root, freeNode);
      end();
    },
    collected: false,
  };
}

/** In a Bump, let go of all at once. */
export function rawVariant(heap: Heap): GraphVariant {
  let arena = heap.bump();
  return treeOf(heap, {
    begin: () => {
      arena = heap.bump();
    },
    newNode: () => arena.newPtr(Node),
    end: () => arena.dispose(),
  });
}

/** In a TypedArena: elements of one type, which it can visit in their order, let go of all at once. */
export function elementsVariant(heap: Heap): GraphVariant {
  let arena = new TypedArena(heap, Node);
  return treeOf(heap, {
    begin: () => {
      arena = new TypedArena(heap, Node);
    },
    newNode: () => arena.newPtr(),
    end: () => arena.dispose(),
  });
}

/** In a Pool: blocks of one size, each freed on its own, as the heap's blocks are; and all at once at its end. */
export function poolVariant(heap: Heap): GraphVariant {
  let pool = new Pool(heap, Node);
  return treeOf(heap, {
    begin: () => {
      pool = new Pool(heap, Node);
    },
    newNode: () => pool.newPtr(Node),
    freeNode: (node) => pool.deallocate(node, Node.size, Node.align),
    end: () => pool.dispose(),
  });
}

/** In the heap: a block of its own for each node, freed one by one, as in C. */
export function blocksVariant(heap: Heap): GraphVariant {
  return treeOf(heap, {
    begin: () => undefined,
    newNode: () => heap.newPtr(Node),
    freeNode: (node) => heap.free(node),
    end: () => undefined,
  });
}
