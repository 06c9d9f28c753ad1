// Mallinfo: the body of a function that answers with a struct mallinfo, of the kernel's figures.
//
// Owns:  the struct, as dlmalloc, wasi-libc and Emscripten declare it: ten words, written where the argument points.
// Needs: binaryen; the kernel's sums over its pieces. lib/morecore.c has the same in C.

import type Binaryen from "binaryen";
import { type ExportName, engine } from "morecore/engine";

/** The kernel's functions that it calls. */
export const MALLINFO_CALLS = [
  "mc_malloc_footprint",
  "mc_count_of",
  "mc_bytes_of",
] as const satisfies readonly ExportName[];

const STRUCT_BYTES = 40;
const [RESULT, ARENA, CACHED_BYTES, TOP_BYTES, FREE_BYTES] = [0, 1, 2, 3, 4];
export const MALLINFO_LOCALS = 4;

/** The struct is all zero where `hasBegun` is: there is no heap yet. `kernel` calls one of MALLINFO_CALLS. */
export function mallinfoBody(
  { i32 }: typeof Binaryen,
  module: Binaryen.Module,
  hasBegun: Binaryen.ExpressionRef,
  kernel: (
    name: (typeof MALLINFO_CALLS)[number],
    ...args: Binaryen.ExpressionRef[]
  ) => Binaryen.ExpressionRef,
): Binaryen.ExpressionRef {
  const get = (local: number) => module.local.get(local, i32);
  const number = (value: number) => module.i32.const(value);
  const add = module.i32.add;
  const { cached, free, top } = engine.states;
  const bytesOf = (state: number) => kernel("mc_bytes_of", number(state));
  const countOf = (state: number) => kernel("mc_count_of", number(state));
  const freeBytes = add(bytesOf(free), add(get(CACHED_BYTES), get(TOP_BYTES)));
  const fields: readonly (readonly [number, Binaryen.ExpressionRef])[] = [
    [0, get(ARENA)], // arena
    [4, add(countOf(free), countOf(top))], // ordblks
    [8, countOf(cached)], // smblks; hblks, hblkhd and usmblks stay 0
    [24, get(CACHED_BYTES)], // fsmblks
    [28, module.i32.sub(get(ARENA), get(FREE_BYTES))], // uordblks
    [32, get(FREE_BYTES)], // fordblks
    [36, get(TOP_BYTES)], // keepcost
  ];
  const filled = module.block(null, [
    module.local.set(ARENA, kernel("mc_malloc_footprint")),
    module.local.set(CACHED_BYTES, bytesOf(cached)),
    module.local.set(TOP_BYTES, bytesOf(top)),
    module.local.set(FREE_BYTES, freeBytes),
    ...fields.map(([offset, value]) => module.i32.store(offset, 4, get(RESULT), value)),
  ]);
  const zeroed = module.memory.fill(get(RESULT), number(0), number(STRUCT_BYTES));
  return module.block(null, [zeroed, module.if(hasBegun, filled)]);
}
