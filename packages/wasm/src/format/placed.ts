// Placed: the kernel for a heap whose address is known before the program runs.
//
// Owns:  how the kernel's global becomes a number.
// Needs: expressions; of the kernel, that mc_attach does nothing but set the global.
//
// With the address in a global, whatever reads the heap's header loads it first, and adds to it. As a number it becomes a
// part of the instruction. What set the global checks instead: a heap at another place traps.

import type { ExportName } from "morecore/engine";
import type { Binaryen } from "./binaryen.ts";
import { expressionsOf } from "./expressions.ts";

type Module = InstanceType<Binaryen["Module"]>;

const ATTACH: ExportName = "mc_attach";

/** Lets a kernel serve the heap at this address and no other. One without mc_attach stays as it is. */
export function placeHeap(binaryen: Binaryen, kernel: Module, address: number): void {
  const heap = heapGlobal(binaryen, kernel);
  if (heap === undefined) return;
  const { changed, setBody } = expressionsOf(binaryen);
  const place = () => kernel.i32.const(address);
  const inPlace = (each: number): number => {
    if (globalRead(binaryen, each) === heap) return place();
    const set = globalSet(binaryen, each);
    if (set?.name !== heap) return each;
    return kernel.if(kernel.i32.ne(set.value, place()), kernel.unreachable());
  };
  for (let index = 0; index < kernel.getNumFunctions(); index++) {
    const reference = kernel.getFunctionByIndex(index);
    const { body } = binaryen.getFunctionInfo(reference);
    if (body !== 0) setBody(reference, changed(body, inPlace));
  }
  kernel.removeGlobal(heap);
}

/** The global that the kernel has the heap's address in. */
function heapGlobal(binaryen: Binaryen, kernel: Module): string | undefined {
  const attach = kernel.getExport(ATTACH);
  if (attach === 0) return undefined;
  const { value } = binaryen.getExportInfo(attach);
  return globalSet(binaryen, binaryen.getFunctionInfo(kernel.getFunction(value)).body)?.name;
}

function globalRead(binaryen: Binaryen, expression: number): string | undefined {
  if (binaryen.getExpressionId(expression) !== binaryen.GlobalGetId) return undefined;
  // What getExpressionInfo gives of this kind; its declaration knows only what all expressions have.
  return (binaryen.getExpressionInfo(expression) as unknown as { name: string }).name;
}

function globalSet(binaryen: Binaryen, expression: number): { name: string; value: number } | undefined {
  if (binaryen.getExpressionId(expression) !== binaryen.GlobalSetId) return undefined;
  return binaryen.getExpressionInfo(expression) as unknown as { name: string; value: number };
}
