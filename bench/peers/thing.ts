// @thi.ng/malloc as a peer: a pool in one fixed ArrayBuffer, default options.
//
// Owns:  the adapter.
// Needs: a reservation large enough for all it is going to be asked; the pool cannot grow.
// Note:  the pool refuses blocks of 0 bytes, so these ask for 1.

import { MemPool } from "@thi.ng/malloc";
import { overAllocatedBytes, type Peer, type PeerModule } from "./peer.ts";

class Thing implements Peer {
  readonly #pool: MemPool;
  readonly #initialTop: number;

  constructor(pool: MemPool) {
    this.#pool = pool;
    this.#initialTop = pool.stats().top;
  }

  malloc(bytes: number): number {
    return this.#pool.malloc(bytes || 1);
  }

  calloc(bytes: number): number {
    return this.#pool.calloc(bytes || 1);
  }

  realloc(ptr: number, bytes: number): number {
    return this.#pool.realloc(ptr, bytes);
  }

  memalign(alignment: number, bytes: number): number {
    return this.#pool.malloc(overAllocatedBytes(alignment, bytes || 1));
  }

  free(ptr: number): void {
    this.#pool.free(ptr);
  }

  words(_ptr: number): Uint32Array {
    return new Uint32Array(this.#pool.buf);
  }

  maxFootprintBytes(): number {
    return this.#pool.stats().top - this.#initialTop;
  }

  reservedBytes(): number {
    return this.#pool.stats().total;
  }
}

/** The pool cannot grow: this is what it gets when nothing is reserved. Untouched, it costs address space only. */
const FIXED_BYTES = 256 * 1024 * 1024;

export const create: PeerModule["create"] = ({ reserveBytes }) =>
  new Thing(new MemPool({ buf: new ArrayBuffer(Math.max(reserveBytes, FIXED_BYTES)) }));
