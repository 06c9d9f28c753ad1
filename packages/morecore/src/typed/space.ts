// Space: one memory as typed arrays of each kind, as it is now, for references and raw pointers to read and write.
//
// Owns:  the arrays; the classes of references made for this memory.
// Needs: a Memory; the regions of the heap that this is a window on.
// Invariants: P1  a read beyond an array gives undefined, never other bytes: arrays end where the memory does
//
// A growth leaves old arrays empty or too short, and nobody tells (memory/views.ts). So each access looks whether it got
// undefined (a read) or lies beyond the length (a write), both of which the engine checks anyway, and then calls `refresh`
// and tries once more. Arrays that are only too short are right as far as they go.

import { bytesOf, type Memory } from "../memory/memory.ts";
import { MemoryViews } from "../memory/views.ts";
import type { Life } from "./life.ts";
import { type Region, Regions } from "./regions.ts";

/** The arrays of a space, by name. */
export interface Arrays {
  u8: Uint8Array;
  i8: Int8Array;
  u16: Uint16Array;
  i16: Int16Array;
  u32: Uint32Array;
  i32: Int32Array;
  u64: BigUint64Array;
  i64: BigInt64Array;
  f32: Float32Array;
  f64: Float64Array;
}

export class Space extends MemoryViews implements Arrays {
  /** Whether references look if they are still alive. */
  readonly checking: boolean;
  /** The arenas and scopes that are open here. */
  private readonly regions: Regions;
  /** The life of what lies in no arena. */
  root: Life | undefined;
  /** How many counts of moves have begun here (moves.ts). */
  firsts = 0;
  /** By a struct's number: the class of its references. Each struct and space has a class of its own, so that V8 takes the
   * space for a constant in it. */
  readonly classes: unknown[] = [];
  /** The same for references to parts of something larger. */
  readonly innerClasses: unknown[] = [];
  i8!: Int8Array;
  u16!: Uint16Array;
  i16!: Int16Array;
  u32!: Uint32Array;
  i32!: Int32Array;
  u64!: BigUint64Array;
  i64!: BigInt64Array;
  f32!: Float32Array;
  f64!: Float64Array;
  /** For what is not aligned. */
  view!: DataView;

  constructor(memory: Memory, checking: boolean, regions: Regions = new Regions()) {
    super(memory);
    this.regions = regions;
    this.checking = checking;
    this.refresh();
  }

  protected override cover(buffer: ArrayBufferLike): void {
    const bytes = bytesOf(this.memory);
    const count = (bytesEach: number): number => Math.floor(bytes / bytesEach);
    this.u8 = new Uint8Array(buffer, 0, bytes);
    this.i8 = new Int8Array(buffer, 0, bytes);
    this.u16 = new Uint16Array(buffer, 0, count(2));
    this.i16 = new Int16Array(buffer, 0, count(2));
    this.u32 = new Uint32Array(buffer, 0, count(4));
    this.i32 = new Int32Array(buffer, 0, count(4));
    this.u64 = new BigUint64Array(buffer, 0, count(8));
    this.i64 = new BigInt64Array(buffer, 0, count(8));
    this.f32 = new Float32Array(buffer, 0, count(4));
    this.f64 = new Float64Array(buffer, 0, count(8));
    this.view = new DataView(buffer, 0, bytes);
  }

  /**
   * The life of a struct, or of elements, at an address, when something that lives in `near` led there. Who does not check needs
   * it only for a type that owns memory: to give that back to where it came from.
   */
  lifeAt(at: number, near: Life, type: { readonly drop?: unknown }): Life {
    if (this.regions.isEmpty || !(this.checking || type.drop)) return this.root ?? near;
    if (!this.regions.areNested && near !== this.root && near.covers(at)) return near;
    return this.regions.lifeAt(at) ?? this.root ?? near;
  }

  /** From now on a region decides about its addresses. `outer` is the life of the memory that it is made in. */
  enter(region: Region, outer: Life): void {
    this.regions.enter(region, outer !== this.root);
  }

  /** The region has ended. */
  leave(region: Region, outer: Life): void {
    this.regions.leave(region, outer !== this.root);
  }
}
