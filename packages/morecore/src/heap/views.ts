// Views: typed arrays over the heap's memory, fresh after any growth, and the one place that sees to that.
//
// Owns:  the Machine of a heap.
// Needs: machine, allocator.
//
// A plain WebAssembly.Memory that grows leaves its old ArrayBuffer empty. A typed array over that is dead:
// reads of it give undefined. So views are got from the heap when they are needed and not kept across a call
// that may allocate. What may be kept is the address; with `views: "lasting"`, the view, too.

import { asBase, type Base } from "../kernel/address.ts";
import type { Machine } from "../kernel/machine.ts";
import { checkWord } from "../memory/arguments.ts";
import { type ViewLife, viewLifeOf } from "../memory/lasting.ts";
import type { Memory } from "../memory/memory.ts";
import { Allocator } from "../typed/allocator.ts";
import type { Static } from "../typed/lifetime.ts";

type ViewMaker<T> = new (buffer: ArrayBufferLike, offset: number, count: number) => T;

export abstract class HeapViews extends Allocator<Static> {
  private readonly machine: Machine;
  protected readonly heap: Base;

  protected constructor(machine: Machine, base: number) {
    super();
    this.machine = machine;
    this.heap = asBase(base);
  }

  /** The memory that the heap lives in. */
  get memory(): Memory {
    return this.machine.memory;
  }

  /** How long views are good for: "until-growth", or "lasting". */
  get views(): ViewLife {
    return viewLifeOf(this.memory);
  }

  /** All bytes of the memory, as they are now. Another object after a growth, unless views are lasting. */
  get buffer(): ArrayBufferLike {
    return this.fresh().u8.buffer;
  }

  /** `count` bytes at an address; without a count, all that the block there holds. Throws if they leave the memory. */
  u8(ptr: number, count?: number): Uint8Array {
    return this.view(Uint8Array, 1, ptr, count);
  }

  /** As `u8`, of signed numbers of 8 bits. */
  i8(ptr: number, count?: number): Int8Array {
    return this.view(Int8Array, 1, ptr, count);
  }

  /** As `u8`, of `count` numbers of 16 bits. The address must be a multiple of 2, or a RangeError. */
  u16(ptr: number, count?: number): Uint16Array {
    return this.view(Uint16Array, 2, ptr, count);
  }

  /** As `u8`, of `count` signed numbers of 16 bits. The address must be a multiple of 2, or a RangeError. */
  i16(ptr: number, count?: number): Int16Array {
    return this.view(Int16Array, 2, ptr, count);
  }

  /** As `u8`, of `count` numbers of 32 bits. The address must be a multiple of 4, or a RangeError. */
  u32(ptr: number, count?: number): Uint32Array {
    return this.view(Uint32Array, 4, ptr, count);
  }

  /** As `u8`, of `count` signed numbers of 32 bits. The address must be a multiple of 4, or a RangeError. */
  i32(ptr: number, count?: number): Int32Array {
    return this.view(Int32Array, 4, ptr, count);
  }

  /** As `u8`, of `count` floats of 32 bits. The address must be a multiple of 4, or a RangeError. */
  f32(ptr: number, count?: number): Float32Array {
    return this.view(Float32Array, 4, ptr, count);
  }

  /** As `u8`, of `count` floats of 64 bits. The address must be a multiple of 8, or a RangeError. */
  f64(ptr: number, count?: number): Float64Array {
    return this.view(Float64Array, 8, ptr, count);
  }

  /** As `u8`, of `count` bigints of 64 bits. The address must be a multiple of 8, or a RangeError. */
  u64(ptr: number, count?: number): BigUint64Array {
    return this.view(BigUint64Array, 8, ptr, count);
  }

  /** As `u8`, of `count` signed bigints of 64 bits. The address must be a multiple of 8, or a RangeError. */
  i64(ptr: number, count?: number): BigInt64Array {
    return this.view(BigInt64Array, 8, ptr, count);
  }

  /** The machine, with views of the memory as it is now. One comparison; the memory is asked only when it has grown. */
  protected fresh(): Machine {
    return this.machine.fresh(this.heap);
  }

  /** How many bytes may be used at an address when no count is given. */
  protected abstract extentOf(ptr: number): number;

  private view<T>(make: ViewMaker<T>, bytesEach: number, ptr: number, count?: number): T {
    checkWord("ptr", ptr);
    if (count !== undefined) checkWord("count", count);
    if (ptr % bytesEach !== 0) throw new RangeError(`ptr: expected a multiple of ${bytesEach}, got ${ptr}`);
    const machine = this.fresh();
    const elements = count ?? Math.floor(this.extentOf(ptr) / bytesEach);
    const end = ptr + elements * bytesEach;
    if (end > machine.size()) machine.refresh();
    if (end > machine.size()) {
      throw new RangeError(
        `count: ${elements} elements at ${ptr} end beyond the memory's ${machine.size()} bytes`,
      );
    }
    return new make(machine.u8.buffer, ptr, elements);
  }
}
