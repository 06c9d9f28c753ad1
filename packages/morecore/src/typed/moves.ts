// Moves: how long references to what a container holds may be used: until it moves, or something is taken away.
//
// Owns:  a word in the container's header, its count of moves; the life of the references that are lent.
// Needs: life, space.
// Invariants: MV1 while checking, no reference is good that was lent before the last move, through whichever window or thread
//
// The count lies in memory, since others may have the same container in hand: another object of this thread, another thread,
// another process. Whatever moves elements, takes some away or ends the container changes it. Adding where there is room does not.

import type { Life } from "./life.ts";
import type { Space } from "./space.ts";
import { WordLife } from "./word-life.ts";

/** An odd number whose bits are mixed: the golden ratio times 2^32, as in Fibonacci hashing (Knuth, TAOCP 3, 6.4). */
const MIX = 0x9e37_79b1;

export class Moves {
  declare readonly name: string;
  declare private readonly outer: Life;
  declare private readonly space: Space;
  /** The count's index among the words. */
  declare private readonly at: number;
  declare private readonly begin: () => WordLife;
  private lent: WordLife | undefined;

  /** Of a container that lives in `outer`, whose count of moves lies at an address. `name` is as messages show it. */
  constructor(name: string, outer: Life, owner: object, space: Space, address: number) {
    this.name = name;
    this.outer = outer;
    this.space = space;
    this.at = address >>> 2;
    this.begin = () => new WordLife(name, outer, owner, space, address);
  }

  /**
   * What a new header begins to count at: other than what a container that had the same place may have counted, so that whoever
   * still holds a reference to that one notices. It follows from what lies there and from how often this was called, so the
   * same calls leave the same bytes. Below 2^30, which V8 keeps in an object without one of its own for it.
   */
  static first(space: Space, address: number): number {
    space.firsts += 1;
    const seed = (space.u32[address >>> 2] as number) ^ address ^ Math.imul(space.firsts, MIX);
    return (Math.imul(seed, MIX) + 1) >>> 2;
  }

  /** What a reference that is given now lives in. Who does not check has no use for one of its own. */
  get life(): Life {
    if (!this.space.checking) return this.outer;
    if (this.lent === undefined || this.lent.ended) this.lent = this.begin();
    return this.lent;
  }

  /** Ends all references that were lent, here and elsewhere. The header is within the arrays. */
  record(): void {
    const { space, at } = this;
    space.u32[at] = (space.u32[at] as number) + 1;
  }
}
