// morecore as a peer: a Heap with its default options, nothing tuned for the measurement.
//
// Owns:  the adapter only.
// Needs: the library. tools/bench.ts bundles both into one file, as dist/index.js has the library in one.

import { Heap } from "morecore";
import type { Peer, PeerModule } from "./peer.ts";

class Morecore implements Peer {
  readonly #heap: Heap;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  malloc(bytes: number): number {
    return this.#heap.malloc(bytes);
  }

  calloc(bytes: number): number {
    return this.#heap.calloc(1, bytes);
  }

  realloc(ptr: number, bytes: number): number {
    return this.#heap.realloc(ptr, bytes);
  }

  memalign(alignment: number, bytes: number): number {
    return this.#heap.memalign(alignment, bytes);
  }

  free(ptr: number): void {
    this.#heap.free(ptr);
  }

  words(ptr: number): Uint32Array {
    const payload = this.#heap.u8(ptr, 0);
    if (payload.byteOffset !== ptr) throw new Error("bench: the heap's addresses do not index its buffer");
    return new Uint32Array(payload.buffer, 0, payload.buffer.byteLength >>> 2);
  }

  maxFootprintBytes(): number {
    return this.#heap.maxFootprint;
  }

  reservedBytes(): number {
    return this.#heap.memorySize;
  }
}

// The others get their room before they are timed; so does this one, by the option that users have.
export const create: PeerModule["create"] = ({ reserveBytes }) =>
  new Morecore(reserveBytes > 0 ? Heap.create({ reserve: reserveBytes }) : Heap.create());
