// The heap and every arena, each in every kind of memory.

import { describeAllocator, type SubjectMaker } from "../../../../test/support/allocator-conformance.ts";
import { MAKERS } from "../../../../test/support/memories.ts";
import { hasOs, OS_MAKERS } from "../../../../test/support/os.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import { type Allocator, array, f64, type Heap, Pool, type Type } from "../../src/index.ts";

type Ending<L> = Allocator<L> & Disposable;
type Body = <L>(allocator: Allocator<L>) => void;

/** Hands an arena to a body and ends it; a body that throws is not kept from telling by what the end throws then. */
function using<L>(arena: Ending<L>, body: Body): void {
  try {
    body(arena);
  } finally {
    arena[Symbol.dispose]();
  }
}

const Block = array(f64, 32);
/** Blocks on cache lines. */
const Line: Type = { ...array(f64, 64), align: 64, name: "line" };

const SUBJECTS: readonly SubjectMaker[] = [
  { name: "the heap", ends: false, run: (heap, body) => body(heap) },
  { name: "a bump arena", ends: true, run: (heap, body) => using(heap.bump(), body) },
  {
    name: "a bump arena of the smallest chunks",
    ends: true,
    run: (heap, body) => using(heap.bump({ chunkBytes: 64 }), body),
  },
  { name: "a scope", ends: true, run: (heap, body) => heap.scope((scope) => body(scope)) },
  {
    name: "a scope in a scope",
    ends: true,
    run: (heap, body) => heap.scope((outer) => outer.scope((inner) => body(inner))),
  },
  {
    name: "a bump arena since a mark",
    ends: true,
    run: (heap, body) => {
      using(heap.bump(), (allocator) => {
        const arena = allocator as ReturnType<Heap["bump"]>;
        arena.allocate(100, 4);
        arena.mark();
        body(arena);
      });
    },
  },
  {
    name: "a pool",
    ends: true,
    mostBytes: Block.size,
    mostAlignment: Block.align,
    run: (heap, body) => using(new Pool(heap, Block), body),
  },
  {
    name: "a pool of aligned blocks in a bump arena",
    ends: true,
    mostBytes: Line.size,
    mostAlignment: Line.align,
    run: (heap, body) => using(heap.bump(), (outer) => using(new Pool(outer, Line), body)),
  },
];

const seed = seedOf("allocators");
const MEMORIES = [...MAKERS, ...(hasOs ? OS_MAKERS : [])];

for (const memory of MEMORIES) for (const subject of SUBJECTS) describeAllocator(subject, memory, seed);
