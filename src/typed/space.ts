// Space: one memory as typed arrays of each kind, as it is now, for references and raw pointers to read and write.
//
// Owns:  the arrays; the classes of references made for this memory; which arenas lie in it.
// Needs: a Memory.
// Invariants: P1  a read beyond an array gives undefined, never other bytes: arrays end where the memory does
//
// A growth of a WebAssembly.Memory leaves old arrays empty, and of a shared one leaves them too short. Nobody tells. So each
// access looks whether it got undefined (a read) or lies beyond the length (a write), both of which the engine checks anyway,
// and then calls `refresh` and tries once more.

import { bytesOf, type Memory } from "../memory/memory.ts";
import type { Life } from "./life.ts";
import type { Type } from "./type.ts";

/** A part of the memory that something else than the heap says about how long it lives: an arena. */
export interface Region {
  /** The life of what lies at an address; undefined: it does not lie here. */
  lifeAt(at: number): Life | undefined;
}

export class Space {
  readonly memory: Memory;
  /** Whether references look if they are still alive. */
  readonly checking: boolean;
  /** The arenas and scopes that are open here; those that lie in another one come after it. */
  private readonly regions: Region[] = [];
  /** How many of them lie in another one. */
  private nestedCount = 0;
  /** The life of what lies in no arena. */
  root: Life | undefined;
  /** How many counts of moves have begun here (place.ts). */
  firsts = 0;
  /** By a struct's number: the class of its references. Each struct and space has a class of its own, so that V8 takes the
   * space for a constant in it. */
  readonly classes: unknown[] = [];
  /** The same for references to parts of something larger. */
  readonly innerClasses: unknown[] = [];
  u8!: Uint8Array;
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

  constructor(memory: Memory, checking: boolean) {
    this.memory = memory;
    this.checking = checking;
    this.refresh();
  }

  /** Makes the arrays anew, over what the memory is now. */
  refresh(): void {
    const { buffer } = this.memory;
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

  /** Sees to it that bytes are within the arrays. False: they are not within the memory. */
  reaches(end: number): boolean {
    if (end <= this.u8.length) return true;
    this.refresh();
    return end <= this.u8.length;
  }

  /**
   * The life of a struct, or of elements, at an address, when something that lives in `near` led there. Who does not check needs
   * it only for a type that owns memory: to give that back to where it came from.
   */
  lifeAt(at: number, near: Life, type: Pick<Type, "drop">): Life {
    if (this.regions.length === 0 || !(this.checking || type.drop)) return this.root ?? near;
    // Where one arena lies in another, both cover the address, and the inner one decides.
    if (this.nestedCount === 0 && near !== this.root && near.covers(at)) return near;
    for (let index = this.regions.length - 1; index >= 0; index--) {
      const life = this.regions[index]?.lifeAt(at);
      if (life !== undefined) return life;
    }
    return this.root ?? near;
  }

  /** From now on a region decides about its addresses. `outer` is the life of the memory that it is made in. */
  enter(region: Region, outer: Life): void {
    this.regions.push(region);
    if (outer !== this.root) this.nestedCount += 1;
  }

  /** The region has ended. */
  leave(region: Region, outer: Life): void {
    const index = this.regions.lastIndexOf(region);
    if (index < 0) return;
    // Mostly it is the last one; splice makes a list of what it took out.
    if (index === this.regions.length - 1) this.regions.pop();
    else this.regions.splice(index, 1);
    if (outer !== this.root) this.nestedCount -= 1;
  }
}
