// Allocators compiled to WebAssembly, called from JavaScript: dlmalloc and TLSF.
//
// Owns:       the adapter, and the reservation.
// Needs:      a module without imports that exports memory and the functions of WasmExports.
// Invariants: W1  footprint counts from the end of the module's own data (heap_base), not from 0.

import { overAllocatedBytes, type Peer, type PeerModule } from "./peer.ts";

interface WasmExports {
  readonly memory: WebAssembly.Memory;
  heap_base(): number;
  malloc(bytes: number): number;
  calloc(count: number, bytes: number): number;
  realloc(ptr: number, bytes: number): number;
  free(ptr: number): void;
  aligned_alloc?(alignment: number, bytes: number): number;
}

class WasmPeer implements Peer {
  readonly #exports: WasmExports;

  constructor(exports: WasmExports) {
    this.#exports = exports;
  }

  // Addresses come back as signed 32-bit numbers, hence the shifts.
  malloc(bytes: number): number {
    return this.#exports.malloc(bytes) >>> 0;
  }

  calloc(bytes: number): number {
    return this.#exports.calloc(1, bytes) >>> 0;
  }

  realloc(ptr: number, bytes: number): number {
    return this.#exports.realloc(ptr, bytes) >>> 0;
  }

  memalign(alignment: number, bytes: number): number {
    const aligned = this.#exports.aligned_alloc;
    if (aligned === undefined) return this.malloc(overAllocatedBytes(alignment, bytes));
    return aligned(alignment, bytes) >>> 0;
  }

  free(ptr: number): void {
    this.#exports.free(ptr);
  }

  words(_ptr: number): Uint32Array {
    return new Uint32Array(this.#exports.memory.buffer);
  }

  // Linear memory never shrinks, so its size is the peak.
  maxFootprintBytes(): number {
    return this.reservedBytes();
  }

  reservedBytes(): number {
    return this.#exports.memory.buffer.byteLength - this.#exports.heap_base();
  }
}

export const create: PeerModule["create"] = ({ module, reserveBytes }) => {
  if (module === undefined) throw new Error("bench: this peer needs its compiled module");
  // A border: the engine only promises a record of exports; which ones is in build-dlmalloc.ts and build-tlsf.ts.
  const exports = new WebAssembly.Instance(module).exports as unknown as WasmExports;
  if (reserveBytes > 0) {
    // One big block, freed at once: from here on it is the heap's own free end, as if it had started out so large.
    exports.free(exports.malloc(reserveBytes));
  }
  return new WasmPeer(exports);
};
