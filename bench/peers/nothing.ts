// Nothing: the allocator that does nothing. Its time is that of the loop, and is subtracted from all others.
//
// Owns:  one buffer that all its "payloads" share, large enough to be touched as the largest one.
// Needs: nothing.
// Why not an empty function: touching must write the same words as with the others, only always hot ones.

import type { Peer, PeerModule, PeerOptions } from "./peer.ts";

const ADDRESS = 16;

class Nothing implements Peer {
  readonly #words: Uint32Array;

  constructor(bytes: number) {
    this.#words = new Uint32Array((bytes + 2 * ADDRESS) >>> 2);
  }

  malloc(_bytes: number): number {
    return ADDRESS;
  }

  calloc(_bytes: number): number {
    return ADDRESS;
  }

  realloc(_ptr: number, _bytes: number): number {
    return ADDRESS;
  }

  memalign(_alignment: number, _bytes: number): number {
    return ADDRESS;
  }

  free(_ptr: number): void {}

  words(_ptr: number): Uint32Array {
    return this.#words;
  }

  maxFootprintBytes(): number {
    return 0;
  }

  reservedBytes(): number {
    return 0;
  }
}

export const create: PeerModule["create"] = (options: PeerOptions) => new Nothing(options.reserveBytes);
