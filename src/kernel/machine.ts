// Machine: what the kernel can do to memory. The only place that touches typed arrays; machine.wasm.ts is its twin for
// the wasm build, where each of these is one instruction.
//
// Owns:  the views over a Memory's buffer. They are made here, at first use and after each growth, and nowhere else.
// Needs: a Memory, and what to do when the kernel refuses a call.
// Invariants: M1  while the kernel runs, the views cover the memory's current buffer            O(1)

import type { Memory } from "../memory/memory.ts";
import { Word } from "./address.ts";

/** Below this many bytes a loop beats `copyWithin`, which costs a call into the engine. */
const LOOP_BYTES = 512;

export class Machine {
  readonly memory: Memory;
  u32: Uint32Array;
  u8: Uint8Array;
  private readonly refuse: (code: Word, address: Word) => never;

  constructor(memory: Memory, refuse: (code: Word, address: Word) => never) {
    this.memory = memory;
    this.refuse = refuse;
    this.u32 = words(memory.buffer);
    this.u8 = new Uint8Array(memory.buffer);
  }

  /** Whether the buffer has been replaced, by a growth of a memory that is not shared. One load, one comparison. */
  get stale(): boolean {
    return this.u32.length === 0;
  }

  /** Makes the views anew, over what the memory is now. */
  refresh(): void {
    const buffer = this.memory.buffer;
    this.u32 = words(buffer);
    this.u8 = new Uint8Array(buffer);
  }

  /** The word at an address that is a multiple of 4. Outside the memory: 0. */
  load32(address: Word): Word {
    return this.u32[address >>> 2] as number;
  }

  store32(address: Word, value: Word): void {
    this.u32[address >>> 2] = value;
  }

  /** Copies words upwards or downwards; `bytes` is a multiple of 4, and the ranges may overlap if `to` is below. */
  copy(to: Word, from: Word, bytes: Word): void {
    if (bytes > LOOP_BYTES) {
      this.u8.copyWithin(to, from, from + bytes);
      return;
    }
    const u32 = this.u32;
    const end = (from + bytes) >>> 2;
    let target = to >>> 2;
    for (let source = from >>> 2; source < end; source++) {
      u32[target] = u32[source] as number;
      target++;
    }
  }

  /** Zeroes words; `bytes` is a multiple of 4. */
  zero(at: Word, bytes: Word): void {
    const u32 = this.u32;
    const end = (at + bytes) >>> 2;
    if (bytes > LOOP_BYTES) {
      u32.fill(0, at >>> 2, end);
      return;
    }
    for (let index = at >>> 2; index < end; index++) u32[index] = 0;
  }

  /** Leading zero bits of a word; 32 for 0. */
  clz(word: Word): Word {
    return Math.clz32(word);
  }

  /** Trailing zero bits of a word that is not 0. */
  ctz(word: Word): Word {
    return 31 - Math.clz32(word & -word);
  }

  /** `dividend / divisor`, rounded down. `divisor` is not 0. */
  divide(dividend: Word, divisor: Word): Word {
    return (dividend / divisor) >>> 0;
  }

  /** The memory's size in bytes. */
  size(): Word {
    return this.u8.length;
  }

  /** Asks the memory for `bytes` more, a multiple of MEMORY_UNIT. The first new byte's address, or 0: refused. */
  grow(bytes: Word): Word {
    const from = this.memory.grow(bytes);
    this.refresh();
    return from;
  }

  /** Tells the memory that the heap does not need the bytes between the two addresses for now. */
  release(from: Word, to: Word): void {
    this.memory.release?.(from, to);
  }

  /** Ends the call: nothing has been changed. Does not return. */
  abort(code: Word, address: Word): void {
    this.refuse(code, address);
  }
}

function words(buffer: ArrayBufferLike): Uint32Array {
  return new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
}
