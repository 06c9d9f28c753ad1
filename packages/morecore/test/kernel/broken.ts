// Broken: heaps whose words tests look at and overwrite, and the machine to call the kernel with.

import { Heap, type HeapOptions } from "../../src/index.ts";
import { asBase, asChunk, type Base, type Chunk } from "../../src/kernel/address.ts";
import { Machine } from "../../src/kernel/machine.ts";

/** What the kernel refuses, as it says it: by number. */
export class Refused extends Error {
  readonly code: number;
  readonly address: number;

  constructor(code: number, address: number) {
    super(`refused with ${code} at ${address}`);
    this.code = code;
    this.address = address;
  }
}

/** A heap, and the same bytes as words. */
export class Bench {
  readonly heap: Heap;
  readonly base: Base;

  constructor(options: HeapOptions = {}) {
    this.heap = Heap.create({ memory: new ArrayBuffer(1 << 20), ...options });
    this.base = asBase(this.heap.base);
  }

  /** A machine with fresh views. */
  get machine(): Machine {
    return machineOver(this.heap);
  }

  /** A word of the image. */
  word(address: number): number {
    return new DataView(this.heap.buffer).getUint32(address, true);
  }

  /** Overwrites a word of the image. */
  poke(address: number, value: number): void {
    new DataView(this.heap.buffer).setUint32(address, value >>> 0, true);
  }

  /** Blocks of so many bytes each, one behind the other. */
  blocks(count: number, bytes: number): Chunk[] {
    return Array.from({ length: count }, () => asChunk(this.heap.malloc(bytes) - 4));
  }

  /** Four of them, by name. */
  four(bytes: number): readonly [Chunk, Chunk, Chunk, Chunk] {
    const next = () => asChunk(this.heap.malloc(bytes) - 4);
    return [next(), next(), next(), next()];
  }
}

/** An empty heap that is so large already, and may become so large, that each size class may have slabs of any length. */
export function large(): Bench {
  const b = new Bench({ memory: new ArrayBuffer(1 << 23), trimThreshold: Infinity });
  b.heap.free(b.heap.malloc(3 << 20));
  return b;
}

export function machineOver(heap: Heap): Machine {
  return new Machine(heap.memory, (code, address) => {
    throw new Refused(code, address);
  });
}
