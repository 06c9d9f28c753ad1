// Threads: a module in shared memory, each of whose instances is a thread that has a heap of its own in one that all share.
//
// Owns:  the start function that begins the heap or joins it; the two exports that come with it.
// Needs: binaryen; of the kernel, mc_share and mc_leave.
//
// It is done at the start, not at the first call that needs a heap. When the first instance starts nothing else runs, so all memory
// from the heap's beginning on is the heap's. Later others may have made memory grow, and that part would not be.

import type { ExportName } from "morecore/engine";
import type { Binaryen } from "./binaryen.ts";

type Module = InstanceType<Binaryen["Module"]>;

/** The global by which JavaScript attaches to the heap. */
export const HEAP_EXPORT = "morecore_heap";
/** What a host calls when a thread ends, in the thread's instance. */
export const LEAVE_EXPORT = "morecore_leave";
export const SHARE: ExportName = "mc_share";
export const LEAVE: ExportName = "mc_leave";

/** Where the heap begins, the same in each instance, and up to where it may come to reach. */
export interface Share {
  readonly start: number;
  readonly most: number;
}

/** A start function that begins the heap or joins it, then does what the module's own did. `kernel` tells functions' names. */
export function addThreadStart(
  binaryen: Binaryen,
  module: Module,
  { start, most }: Share,
  kernel: (name: ExportName) => string,
): void {
  const { i32, none } = binaryen;
  module.addGlobal(HEAP_EXPORT, i32, false, module.i32.const(start | 0));
  module.addGlobalExport(HEAP_EXPORT, HEAP_EXPORT);
  module.addFunctionExport(kernel(LEAVE), LEAVE_EXPORT);
  const own = module.getStart();
  const given = [start, most].map((value) => module.i32.const(value | 0));
  const body = [
    // Without memory for a place in the heap, no thread could run.
    module.if(module.i32.eqz(module.call(kernel(SHARE), given, i32)), module.unreachable()),
    ...(own === 0 ? [] : [module.call(binaryen.getFunctionInfo(own).name, [], none)]),
  ];
  module.setStart(module.addFunction("morecore_start", none, none, [], module.block(null, body)));
}
