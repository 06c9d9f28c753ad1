// Access: how a property of a reference reads and writes memory.
//
// Owns:  the shape of an accessor, and of what makes accessors for a space.
// Needs: space, life, for their types only.

import type { Life } from "./life.ts";
import type { Space } from "./space.ts";

/** What every reference owns itself: its address, and what it lives in. Why these names: see AT in ref.ts. */
export interface Located {
  readonly $at: number;
  readonly $life: Life;
}

/** A property of references. */
export interface Access<R extends Located> {
  get(this: R): unknown;
  set(this: R, value: never): void;
}

/** Makes the property that lies `offset` bytes from a reference's address. `again` is called where the usual way ends: it
 * throws, or sees to it that the property is within the arrays. */
export type AccessMaker = <R extends Located>(
  space: Space,
  offset: number,
  again: (ref: R) => void,
) => Access<R>;

/** For a space that is checking, and for one that is not. */
export interface AccessMakers {
  readonly checked: AccessMaker;
  readonly plain: AccessMaker;
}
