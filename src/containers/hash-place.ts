// Hash place: how long references to a HashMap's values may be used: until its entries move.
//
// Owns:  the life of those references, while checking.
// Needs: life, allocator.

import { type Allocator, ENDING } from "../typed/allocator.ts";
import { type Life, OwnedLife } from "../typed/life.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import type { Type } from "../typed/type.ts";

const JAVASCRIPT = new Set(["scalar", "text", "utf8", "raw-pointer", "pointer"]);

export class Place {
  private readonly allocator: Allocator<never>;
  private readonly outer: Life;
  private readonly name: string;
  /** Whether anything that is read can be used after it has moved, and is looked at. */
  private readonly watched: boolean;
  private now: OwnedLife | undefined;
  private leaveAllocator: (() => void) | undefined;

  constructor(allocator: Allocator<never>, value: Type, name: string) {
    this.allocator = allocator;
    this.outer = allocator[LIFE];
    this.name = `the place that the entries of ${name} had`;
    this.watched = allocator[SPACE].checking && !JAVASCRIPT.has(value.kind);
  }

  /** What a value that is read now lives in. */
  get life(): Life {
    if (!this.watched) return this.outer;
    if (this.now === undefined) {
      this.leaveAllocator ??= this.allocator[ENDING](() => {
        this.leaveAllocator = undefined;
        this.end();
      });
      // It covers nothing: what a value points to does not move with the entries.
      this.now = new OwnedLife(this.name, this.outer.source, () => false);
    }
    return this.now;
  }

  /** The entries have moved. */
  end(): void {
    if (this.now !== undefined) this.now.ended = true;
    this.now = undefined;
  }

  /** There are no entries any more. */
  close(): void {
    this.end();
    this.leaveAllocator?.();
    this.leaveAllocator = undefined;
  }
}
