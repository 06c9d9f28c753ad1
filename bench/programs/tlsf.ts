// TLSF: AssemblyScript's allocator in the kernel's place, as a peer for programs in wasm.
//
// Owns:  the lines that give it C's rules where it has none.
// Needs: peers/build-tlsf.ts, which compiles it.

import { compileTlsf } from "../peers/build-tlsf.ts";

/** What programs import of the kernel, and what `morecore link` calls of it. C's realloc(0, n), and 0 for no memory but traps. */
const SOURCE = `
  export function mc_begin(from: usize): usize { return from; }
  export function mc_malloc(bytes: usize): usize { return heap.alloc(bytes); }
  export function mc_calloc(count: usize, bytes: usize): usize {
    const ptr = heap.alloc(count * bytes);
    memory.fill(ptr, 0, count * bytes);
    return ptr;
  }
  export function mc_realloc(ptr: usize, bytes: usize): usize {
    return ptr == 0 ? heap.alloc(bytes) : heap.realloc(ptr, bytes);
  }
  export function mc_free(ptr: usize): void { if (ptr != 0) heap.free(ptr); }
`;

/** The bytes of a module as dist/kernel.wasm is one, for a program whose own data and stack end at `heapBase`. */
export async function tlsfKernel(heapBase: number): Promise<Uint8Array> {
  const place = ["--importMemory", "--noExportMemory", "--memoryBase", String(heapBase)];
  return (await compileTlsf(SOURCE, place)).binary;
}
