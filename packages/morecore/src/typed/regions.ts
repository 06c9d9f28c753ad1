// Regions: the arenas and scopes that are open in a heap, and so the lives of what lies in them.
//
// Owns:  the list. All windows on a heap share it: a pointer read through one may lead into an arena of another.
// Needs: life.

import type { Life } from "./life.ts";

/** A part of the memory that something else than the heap says about how long it lives: an arena. */
export interface Region {
  /** The life of what lies at an address; undefined: it does not lie here. */
  lifeAt(at: number): Life | undefined;
}

export class Regions {
  /** Those that lie in another one come after it. */
  private readonly list: Region[] = [];
  /** How many of them lie in another one. */
  private nestedCount = 0;

  get isEmpty(): boolean {
    return this.list.length === 0;
  }

  get areNested(): boolean {
    return this.nestedCount !== 0;
  }

  /** Where one arena lies in another, both cover the address, and the inner one decides. */
  lifeAt(at: number): Life | undefined {
    for (let index = this.list.length - 1; index >= 0; index--) {
      const life = this.list[index]?.lifeAt(at);
      if (life !== undefined) return life;
    }
    return undefined;
  }

  enter(region: Region, isNested: boolean): void {
    this.list.push(region);
    if (isNested) this.nestedCount += 1;
  }

  leave(region: Region, isNested: boolean): void {
    const index = this.list.lastIndexOf(region);
    if (index < 0) return;
    // Mostly it is the last one; splice makes a list of what it took out.
    if (index === this.list.length - 1) this.list.pop();
    else this.list.splice(index, 1);
    if (isNested) this.nestedCount -= 1;
  }
}
