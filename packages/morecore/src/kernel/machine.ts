// Machine: what the kernel can do to memory. The only place that touches typed arrays; machine.wasm.ts is its twin for
// the wasm build, where each of these is one instruction.
//
// Owns:  the views that the kernel uses. They are made here, at first use and after each growth, and nowhere else.
// Needs: memory/views.ts, which says when; what to do when the kernel refuses a call.
// Invariants: M1  while the kernel runs, the views cover the memory's current buffer            O(1)
//             M2  they cover all that the header of the heap speaks of                          O(1)

import type { Memory } from "../memory/memory.ts";
import { askMemory, checkLasting } from "../memory/promises.ts";
import { MemoryViews } from "../memory/views.ts";
import { asBase, Base, Word } from "./address.ts";
import { AT_COMMON, AT_LIMIT } from "./layout.ts";

/**
 * The memory as words. A function that makes many accesses takes them out of the Machine once: V8 then keeps the array's
 * address and length in registers. They must not be kept across anything that may grow the memory.
 */
export type Words = Uint32Array;

/** Machine.load32 for words that have been taken out. */
export function load32(words: Words, address: Word): Word {
  return words[address >>> 2] as number;
}

/** Machine.store32 for words that have been taken out. */
export function store32(words: Words, address: Word, value: Word): void {
  words[address >>> 2] = value;
}

/** The product of two words, modulo 2^32: V8 would take `*` for a multiplication of doubles. */
export function multiply(a: Word, b: Word): Word {
  return Math.imul(a, b) >>> 0;
}

/** A word with its bits rotated right by the lowest five bits of `by`. */
export function rotate(word: Word, by: Word): Word {
  return ((word >>> by) | (word << -by)) >>> 0;
}

const NOBODYS = asBase(0);
/** Below this many bytes a loop beats `copyWithin`, which costs a call into the engine. */
const LOOP_BYTES = 512;

export class Machine extends MemoryViews {
  words!: Words;
  /** Whether the heap is one that threads share: constant in the wasm build, where there is a kernel for each. */
  threads = false;
  /** Of such a heap, that of the thread that has this machine. */
  thread: Base = NOBODYS;
  private readonly refuse: (code: Word, address: Word) => never;
  private readonly above: () => Word;
  /** Runs what asks the memory: for who must not be called meanwhile. */
  around: (ask: () => Word) => Word = (ask) => ask();
  /** What the memory threw when it was asked for more, or what was wrong with its answer, and nobody has been told yet. */
  private trouble: { readonly error: unknown } | undefined;

  /** `above` tells where the bytes end that are had already: what grow gives must lie behind them. */
  constructor(memory: Memory, refuse: (code: Word, address: Word) => never, above: () => Word = () => 0) {
    super(memory);
    this.refuse = refuse;
    this.above = above;
    this.refresh();
  }

  /** Whether the memory has grown since the views were made. In a plain WebAssembly.Memory: one load, one comparison. */
  get stale(): boolean {
    return this.words.length === 0 || (this.watched && this.memory.buffer.byteLength !== this.u8.length);
  }

  /**
   * This machine, with views of the memory as it is now, for calls on the heap at an address. They reach as far as its header
   * says: that lies in the bytes themselves, which all threads see, whatever the memory's buffer shows of them.
   */
  fresh(heap: Base): Machine {
    if (this.stale || (this.watched && !this.reachesLimit(heap))) this.refresh();
    return this;
  }

  private reachesLimit(heap: Base): boolean {
    const image = this.threads ? load32(this.words, heap + AT_COMMON) : heap;
    return load32(this.words, image + AT_LIMIT) <= this.u8.length;
  }

  protected override cover(buffer: ArrayBufferLike): void {
    const bytes = buffer.byteLength;
    // Not shifted: a memory of 4 GiB has one byte more than 32 bits can count.
    this.words = new Uint32Array(buffer, 0, Math.floor(bytes / 4));
    this.u8 = new Uint8Array(buffer, 0, bytes);
  }

  /** The word at an address that is a multiple of 4 and lies inside the memory. */
  load32(address: Word): Word {
    return this.words[address >>> 2] as number;
  }

  store32(address: Word, value: Word): void {
    this.words[address >>> 2] = value;
  }

  /** Copies words upwards or downwards; `bytes` is a multiple of 4, and the ranges may overlap if `to` is below. */
  copy(to: Word, from: Word, bytes: Word): void {
    if (bytes > LOOP_BYTES) {
      this.u8.copyWithin(to, from, from + bytes);
      return;
    }
    const words = this.words;
    const end = (from + bytes) >>> 2;
    let target = to >>> 2;
    for (let source = from >>> 2; source < end; source++) {
      words[target] = words[source] as number;
      target++;
    }
  }

  /** Zeroes words; `bytes` is a multiple of 4. */
  zero(at: Word, bytes: Word): void {
    const words = this.words;
    const end = (at + bytes) >>> 2;
    if (bytes > LOOP_BYTES) {
      words.fill(0, at >>> 2, end);
      return;
    }
    for (let index = at >>> 2; index < end; index++) words[index] = 0;
  }

  /** As load32, of a word that other threads write to: in one order with all accesses of its kind. So are the next five. */
  loadShared(address: Word): Word {
    return Atomics.load(this.words, address >>> 2);
  }

  storeShared(address: Word, value: Word): void {
    Atomics.store(this.words, address >>> 2, value);
  }

  /** Puts a value there, in one step; what was there before. */
  exchange(address: Word, value: Word): Word {
    return Atomics.exchange(this.words, address >>> 2, value);
  }

  /** Puts a value there if it is as expected, in one step; what was there before. */
  compareExchange(address: Word, expected: Word, value: Word): Word {
    return Atomics.compareExchange(this.words, address >>> 2, expected, value);
  }

  /** Sets bits in one step; what was there before. */
  orShared(address: Word, bits: Word): Word {
    return Atomics.or(this.words, address >>> 2, bits);
  }

  /** Clears all bits but these in one step; what was there before. */
  andShared(address: Word, bits: Word): Word {
    return Atomics.and(this.words, address >>> 2, bits);
  }

  /** Adds in one step, modulo 2^32; what was there before. */
  addShared(address: Word, value: Word): Word {
    return Atomics.add(this.words, address >>> 2, value);
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
    return this.memory.size ?? this.u8.length;
  }

  /**
   * Asks the memory for `bytes` more, a multiple of MEMORY_UNIT. The first new byte's address, or 0: refused. What the memory
   * throws is a refusal to the kernel, which must not be left halfway; `raise` tells it afterwards.
   */
  grow(bytes: Word): Word {
    const had = this.u8.length;
    const words = this.words;
    let from: Word = 0;
    try {
      const above = this.above();
      from = this.around(() => askMemory(this.memory, bytes, above));
      if (from !== 0) this.trouble = undefined;
    } catch (error) {
      this.trouble ??= { error };
    }
    try {
      checkLasting(this.memory, had);
      this.refresh();
    } catch (error) {
      // The kernel ends its call on the bytes that it has. If they are gone, there is no heap to leave halfway.
      if (words.length === 0) throw error;
      this.trouble ??= { error };
      return 0;
    }
    return from;
  }

  /** Throws what went wrong when memory was asked for, once. For calls that have come out with nothing. */
  raise(): void {
    const { trouble } = this;
    this.trouble = undefined;
    if (trouble !== undefined) throw trouble.error;
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
