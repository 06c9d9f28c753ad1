// Part: what a bump arena made between two marks, as one that memory can be had from.
//
// Owns:  the life of what was made then; memory beside the arena for what of it still needs some after a later mark.
// Needs: the arena that it is a part of, and what that takes its chunks from.
// Invariants: A1  nothing that belongs to a part lies behind a mark that was made after it: what a release takes away is younger
//
// An older struct can be given a new text, and an older container can grow, while a later mark is open. Memory from behind that mark would
// be let go of with it, and the text or the container would lead to others' bytes. So it comes from where the arena's chunks
// come from, and is given back when the part ends.

import { Printed, shown } from "../memory/printed.ts";
import { type Allocator, ELEMENTS, ENDING, HOLDER, type MemorySource } from "../typed/allocator.ts";
import { type Life, OwnedLife } from "../typed/life.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import type { ArrayRef } from "../typed/values.ts";

/** What a part needs of its arena. */
export interface PartOwner
  extends Pick<
    Allocator,
    "allocate" | "deallocate" | "reallocate" | "reallocateInPlace" | typeof SPACE | typeof ELEMENTS
  > {
  readonly name: string;
  /** Whether no mark was made since the part began. */
  isCurrent(part: Part): boolean;
  /** How many bytes the arena's limit leaves. */
  room(): number;
  /** The life of what lies at an address. */
  lifeAt(at: number): Life | undefined;
  /** Calls a function before a part ends; gives what takes that back. */
  endingOf(part: Part, ending: () => void): () => void;
}

interface Aside {
  readonly bytes: number;
  readonly alignment: number;
}

export class Part extends Printed implements MemorySource {
  readonly [LIFE]: OwnedLife;
  readonly [SPACE]: Space;
  private readonly arena: PartOwner;
  private readonly source: MemorySource;
  /** By address; made when there is one. */
  private aside: Map<number, Aside> | undefined;

  constructor(arena: PartOwner, source: MemorySource) {
    super();
    this.arena = arena;
    this.source = source;
    this[SPACE] = arena[SPACE];
    const life: OwnedLife = new OwnedLife(arena.name, this, arena, (at) => arena.lifeAt(at) === life);
    this[LIFE] = life;
  }

  allocate(bytes: number, alignment: number): number {
    if (this.arena.isCurrent(this)) return this.arena.allocate(bytes, alignment);
    this[LIFE].check("memory", 0);
    if (bytes > this.arena.room()) return 0;
    const at = this.source.allocate(bytes, alignment);
    if (at === 0) return 0;
    this.aside ??= new Map();
    this.aside.set(at, { bytes, alignment });
    return at;
  }

  deallocate(ptr: number, bytes: number, alignment: number): void {
    if (this.aside?.delete(ptr) === true) this.source.deallocate(ptr, bytes, alignment);
    else this.arena.deallocate(ptr, bytes, alignment);
  }

  reallocate(ptr: number, oldBytes: number, newBytes: number, alignment: number): number {
    const lent = this.aside?.get(ptr);
    if (lent === undefined) {
      if (this.arena.isCurrent(this) || newBytes <= oldBytes)
        return this.arena.reallocate(ptr, oldBytes, newBytes, alignment);
      return this.moveAside(ptr, oldBytes, newBytes, alignment);
    }
    if (newBytes > lent.bytes && newBytes - lent.bytes > this.arena.room()) return 0;
    const to = this.source.reallocate(ptr, oldBytes, newBytes, alignment);
    if (to === 0) return 0;
    this.aside?.delete(ptr);
    this.aside?.set(to, { bytes: newBytes, alignment });
    return to;
  }

  reallocateInPlace(ptr: number, oldBytes: number, newBytes: number, alignment: number): boolean {
    const lent = this.aside?.get(ptr);
    if (lent === undefined)
      return (
        (this.arena.isCurrent(this) || newBytes <= oldBytes) &&
        this.arena.reallocateInPlace(ptr, oldBytes, newBytes, alignment)
      );
    if (newBytes > lent.bytes && newBytes - lent.bytes > this.arena.room()) return false;
    if (!this.source.reallocateInPlace(ptr, oldBytes, newBytes, alignment)) return false;
    this.aside?.set(ptr, { bytes: newBytes, alignment });
    return true;
  }

  [ENDING](ending: () => void): () => void {
    return this.arena.endingOf(this, ending);
  }

  [HOLDER](): MemorySource {
    return this;
  }

  [ELEMENTS]<E extends Type, L, B>(element: E, at: number, count: number, life: Life): ArrayRef<E, L, B> {
    return this.arena[ELEMENTS](element, at, count, life);
  }

  protected override summary(): string {
    return `a part of ${shown(this.arena.name)}`;
  }

  /** Bytes that it has beside the arena. */
  get asideBytes(): number {
    let sum = 0;
    for (const { bytes } of this.aside?.values() ?? []) sum += bytes;
    return sum;
  }

  /** Whether an address lies in memory that it has beside the arena. O(pieces). */
  holdsAside(at: number): boolean {
    for (const [ptr, { bytes }] of this.aside ?? []) if (at >= ptr && at < ptr + bytes) return true;
    return false;
  }

  /** What was made in it is let go of. */
  end(): void {
    this[LIFE].ended = true;
    for (const [ptr, { bytes, alignment }] of this.aside ?? []) this.source.deallocate(ptr, bytes, alignment);
    this.aside = undefined;
  }

  private moveAside(ptr: number, oldBytes: number, newBytes: number, alignment: number): number {
    const to = this.allocate(newBytes, alignment);
    if (to === 0 || !this[SPACE].reaches(to + newBytes)) return 0;
    this[SPACE].u8.copyWithin(to, ptr, ptr + oldBytes);
    this.arena.deallocate(ptr, oldBytes, alignment);
    return to;
  }
}
