// Allocators compiled to WebAssembly, called from JavaScript: dlmalloc, mimalloc and TLSF.
//
// Owns:       the adapter, the reservation, and the little of WASI that mimalloc asks for.
// Needs:      a module that exports memory and the functions of WasmExports, and imports none but WASI's.
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
  /** Of those that do not reuse as a whole what was one big block. */
  reserve?(bytes: number): void;
  /** Of a WASI module without main: to be called once, before all others. */
  _initialize?(): void;
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
  const memoryOf = (): WebAssembly.Memory => exports.memory;
  // A border: the engine only promises a record of exports; which ones is in build-dlmalloc.ts and its like.
  const exports = new WebAssembly.Instance(module, wasiFor(module, memoryOf))
    .exports as unknown as WasmExports;
  exports._initialize?.();
  if (reserveBytes > 0) {
    if (exports.reserve !== undefined) exports.reserve(reserveBytes);
    // One big block, freed at once: from here on it is the heap's own free end, as if it had started out so large.
    else exports.free(exports.malloc(reserveBytes));
  }
  return new WasmPeer(exports);
};

const WASI = "wasi_snapshot_preview1";
const ERRNO = { success: 0, nosys: 52 } as const;

/** A clock, and an environment without variables; whatever else is asked for is answered with ENOSYS. */
export function wasiFor(module: WebAssembly.Module, memoryOf: () => WebAssembly.Memory): WebAssembly.Imports {
  const wanted = WebAssembly.Module.imports(module).filter(({ module: from }) => from === WASI);
  const calls: WebAssembly.ModuleImports = Object.fromEntries(
    wanted.map(({ name }) => [name, () => ERRNO.nosys]),
  );
  calls["clock_time_get"] = (_clock: number, _precision: bigint, result: number) => {
    const nanoseconds = BigInt(Math.round(performance.now() * 1e6));
    new DataView(memoryOf().buffer).setBigUint64(result >>> 0, nanoseconds, true);
    return ERRNO.success;
  };
  calls["environ_sizes_get"] = (count: number, bytes: number) => {
    const view = new DataView(memoryOf().buffer);
    view.setUint32(count >>> 0, 0, true);
    view.setUint32(bytes >>> 0, 0, true);
    return ERRNO.success;
  };
  calls["environ_get"] = () => ERRNO.success;
  return { [WASI]: calls };
}
