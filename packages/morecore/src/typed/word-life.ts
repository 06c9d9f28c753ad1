// WordLife: a life that a word of the memory ends, by changing.
//
// Owns:  what the word was when the life began.
// Needs: life, space.
//
// For what only memory knows of, as that another window or thread has moved a container's elements.

import { Life } from "./life.ts";
import type { Space } from "./space.ts";

/** What no word is. */
const NEVER = -1;

/** A life within another one that lasts while a word of the memory stays as it was. */
export class WordLife extends Life {
  private readonly outer: Life;
  private readonly space: Space;
  /** The word's index. */
  private readonly at: number;
  private expected: number;

  /** `address` is the word's; `owner` is who alone may delete what lives here. It covers nothing: what a value points to lives elsewhere. */
  constructor(name: string, outer: Life, owner: object, space: Space, address: number) {
    super(name, outer.source, owner);
    this.outer = outer;
    this.space = space;
    this.at = address >>> 2;
    this.expected = space.u32[this.at] ?? NEVER;
  }

  override get ended(): boolean {
    return (this.space.u32[this.at] !== this.expected && this.hasChanged()) || this.outer.ended;
  }

  /** Ends it, whatever the word will be. */
  end(): void {
    this.expected = NEVER;
  }

  /** The word has changed, for good; or the arrays are older than the memory. */
  private hasChanged(): boolean {
    const { space, at } = this;
    if (space.u32[at] === undefined) space.refresh();
    if (space.u32[at] !== this.expected) this.expected = NEVER;
    return this.expected === NEVER;
  }
}
