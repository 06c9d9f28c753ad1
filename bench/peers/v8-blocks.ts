// V8 blocks: what the engine allocates and collects, behind numbers.
//
// Owns:  the table from a block's number to the block. A freed number is given out again, the last first.
// Needs: somebody who makes the blocks.
// Note:  the table is part of the measured time: some ns, which a program pays too if it wants numbers for blocks.

import type { Peer } from "./peer.ts";

export abstract class V8Blocks<T> implements Peer {
  /** The number 0 is no block's. */
  readonly #blocks: (T | undefined)[] = [undefined];
  readonly #unused: number[] = [];

  protected abstract make(bytes: number): T;

  /** A block of another size with the same contents, as far as both reach. */
  protected abstract resize(block: T, bytes: number): T;

  malloc(bytes: number): number {
    const number = this.#unused.pop() ?? this.#blocks.length;
    this.#blocks[number] = this.make(bytes);
    return number;
  }

  calloc(bytes: number): number {
    return this.malloc(bytes);
  }

  realloc(number: number, bytes: number): number {
    const block = this.#blocks[number];
    if (block === undefined) return this.malloc(bytes);
    this.#blocks[number] = this.resize(block, bytes);
    return number;
  }

  memalign(_alignment: number, bytes: number): number {
    return this.malloc(bytes);
  }

  free(number: number): void {
    if (number === 0) return;
    this.#blocks[number] = undefined;
    this.#unused.push(number);
  }

  words(_number: number): Uint32Array {
    throw new Error("the engine's blocks have no memory in common");
  }

  maxFootprintBytes(): number {
    return 0;
  }

  reservedBytes(): number {
    return 0;
  }
}
