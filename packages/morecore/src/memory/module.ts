// Module memory: bytes that a WebAssembly module's own allocator gives, loan by loan.
//
// Owns:  the loans, until they are given back.
// Needs: somebody who gives loans (module-parts.ts), promises.
// Invariants: L1  each loan lies higher than those before, apart from them, inside the memory, and was zeroed        O(loans)
//
// Why not memory.grow: what lies behind a module's data is not free for the taking. Emscripten's sbrk, and the first call of
// wasi-libc's malloc and of AssemblyScript's runtime, take all that lies below the memory's size, whoever made it larger. And
// Emscripten's JavaScript must be told of each growth, or its views are empty. What a module's malloc has given is nobody
// else's, and where that needs more memory, it tells whom it must.

import type { Memory } from "./memory.ts";
import { isWasmMemory } from "./slots.ts";
import type { WasmMemoryObject } from "./webassembly.ts";

/** What a module's allocator is to us. */
export interface Giver {
  /** As it is called in messages. */
  readonly name: string;
  /** How many bytes more it must be asked for, so that a multiple of 16 lies among those that are over. */
  readonly slack: number;
  /** At least `bytes` bytes at an address, or 0. */
  allocate(bytes: number): number;
  /** Takes back what allocate gave. Missing: it takes nothing back, and each address is higher than the one before. */
  free?(ptr: number, bytes: number): void;
}

/** A module's memory as it is now. */
export interface Bytes {
  readonly buffer: ArrayBufferLike;
}

interface Loan {
  /** As the module gave it, for giving it back. */
  readonly ptr: number;
  readonly bytes: number;
}

/** A heap's addresses are multiples of it; those of a malloc for 32 bits may be of 8 only. */
const GRANULE = 16;

export class ModuleMemory implements Memory {
  /** Where wasm can reach the bytes: the memory. */
  readonly wasm: WasmMemoryObject | undefined;
  private readonly bytes: Bytes;
  private readonly giver: Giver;
  private loans: Loan[] = [];
  /** Where the last loan ends. */
  private end = 0;

  constructor(bytes: WasmMemoryObject | Bytes, giver: Giver) {
    this.wasm = isWasmMemory(bytes) ? bytes : undefined;
    this.bytes = bytes;
    this.giver = giver;
  }

  get buffer(): ArrayBufferLike {
    return this.bytes.buffer;
  }

  get untouched(): number {
    return this.buffer.byteLength;
  }

  grow(bytes: number): number {
    const got = this.takeAbove(bytes + this.giver.slack);
    if (got === undefined) return 0;
    const from = Math.ceil(got.ptr / GRANULE) * GRANULE;
    // Somebody else's old bytes may lie there.
    new Uint8Array(this.buffer, from, bytes).fill(0);
    this.loans.push(got);
    this.end = from + bytes;
    return from;
  }

  /** Gives all loans back to the module. They are nobody's then, and what was in them is gone. */
  giveBack(): void {
    const { loans } = this;
    this.loans = [];
    for (const { ptr, bytes } of loans) this.giver.free?.(ptr, bytes);
  }

  /**
   * A loan that lies higher than those before; undefined: there is none. What lies lower, in a hole between others' blocks, is
   * kept until a higher one has come, so that it does not come again, and given back then.
   */
  private takeAbove(bytes: number): Loan | undefined {
    const lower: Loan[] = [];
    try {
      for (;;) {
        const loan = this.take(bytes, lower);
        if (loan === undefined || loan.ptr >= this.end) return loan;
        if (this.giver.free === undefined) return undefined;
        lower.push(loan);
      }
    } finally {
      for (const { ptr, bytes: size } of lower) this.giver.free?.(ptr, size);
    }
  }

  /** Any loan. Throws for an answer that is no loan. */
  private take(bytes: number, lower: readonly Loan[]): Loan | undefined {
    const ptr = this.giver.allocate(bytes);
    if (ptr === 0) return undefined;
    const end = this.buffer.byteLength;
    if (ptr + bytes > end)
      throw new RangeError(
        `${this.giver.name}: expected ${bytes} bytes inside the memory, which ends at ${end}, got the address ${ptr}`,
      );
    // Loans that all differ come to an end; one that comes twice would come for ever.
    const twice = [...this.loans, ...lower].find((had) => ptr < had.ptr + had.bytes && had.ptr < ptr + bytes);
    if (twice !== undefined)
      throw new RangeError(
        `${this.giver.name}: expected memory that it has not given yet, got the address ${ptr}, while ${twice.bytes} bytes at ${twice.ptr} are in use`,
      );
    return { ptr, bytes };
  }
}
