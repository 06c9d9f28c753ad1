// Life: what a reference lives in, at run time: a heap, an arena, a scope, its place in a container. It ends once.
//
// Owns:  whether it has ended.
// Needs: nothing.
//
// Each reference has one and looks at it at each access, if checking is on: one load and one branch.
// Who makes a heap or an arena ends its life.

import { UseAfterFreeError } from "./errors.ts";

/** Where owned strings and the like get their memory: allocator.ts has the whole of it. */
export interface Source {
  allocate(bytes: number, alignment: number): number;
  deallocate(ptr: number, bytes: number, alignment: number): void;
}

export abstract class Life {
  /** "the heap", "arena 'frame'", "scope 3": as messages say it. */
  readonly name: string;
  /** What allocates here. */
  readonly source: Source;
  /** Who alone may delete what lives here. */
  readonly owner: object;
  /** Whether an address lies in memory of this life. */
  readonly covers: (at: number) => boolean;
  abstract readonly ended: boolean;

  constructor(name: string, source: Source, owner: object = source, covers = (_at: number) => false) {
    this.name = name;
    this.source = source;
    this.owner = owner;
    this.covers = covers;
  }

  /** For what happens anyway once in a call; accessors look at `ended` themselves. */
  check(type: string, at: number): void {
    if (this.ended)
      throw new UseAfterFreeError(type, at, this.name, this === DELETED ? "was deleted" : "had ended");
  }
}

/** A life that its owner ends. */
export class OwnedLife extends Life {
  override ended = false;
}

const nothing: Source = { allocate: () => 0, deallocate: () => {} };
/** What a reference lives in once what it refers to has been deleted. */
export const DELETED: OwnedLife = new OwnedLife("it", nothing);
DELETED.ended = true;

let count = 0;
/** A number for what has got no name. */
export function nextNumber(): number {
  count += 1;
  return count;
}
