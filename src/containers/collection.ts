// Collection: what Vec and Columns have in common: a header, a life, and elements that are counted.
//
// Owns:  the words of its header.
// Needs: header, allocator, life.

import { isWord, refuseWord } from "../memory/arguments.ts";
import type { Allocator } from "../typed/allocator.ts";
import { DISPOSE } from "../typed/disposal.ts";
import { DELETED, type Life } from "../typed/life.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";
import { AT_CAPACITY, AT_LENGTH, freeHeader } from "./header.ts";

export abstract class Collection<L> implements Disposable {
  /** How long it may be used: for the compiler only. */
  declare protected readonly lives: (life: L) => void;
  protected readonly allocator: Allocator<never>;
  protected readonly space: Space;
  protected readonly header: number;
  protected life: Life;

  protected constructor(allocator: Allocator<L>, header: number) {
    this.allocator = allocator as unknown as Allocator<never>;
    this.space = allocator[SPACE];
    this.header = header;
    this.life = allocator[LIFE];
  }

  get length(): number {
    return this.word(AT_LENGTH);
  }

  /** How many elements there is room for without a growth. */
  get capacity(): number {
    return this.word(AT_CAPACITY);
  }

  /** Lets go of the elements from an index on. */
  truncate(length: number): void {
    if (!isWord(length)) refuseWord("length", length);
    const before = this.length;
    for (let index = before - 1; index >= length; index--) this.drop(index);
    if (length < before) this.setWord(AT_LENGTH, length);
  }

  clear(): void {
    this.truncate(0);
  }

  toJSON(): unknown {
    return Array.from({ length: this.length }, (_, index) => this.copyAt(index));
  }

  /** Frees the elements, what they own, and the header. A second time does nothing; other uses throw from then on. */
  dispose(): void {
    if (this.life.ended) return;
    this.truncate(0);
    if (this.capacity > 0) this.freeElements(this.capacity);
    this.setWord(0, 0);
    freeHeader(this.allocator, this.header, this.headerBytes);
    this.life = DELETED;
  }

  [DISPOSE](): void {
    this.dispose();
  }

  /** As messages show it. */
  protected abstract readonly title: string;
  protected abstract readonly headerBytes: number;

  /** Lets go of what an element owns. */
  protected abstract drop(index: number): void;

  protected abstract copyAt(index: number): unknown;

  /** Frees the memory of as many elements as there is room for. */
  protected abstract freeElements(capacity: number): void;

  protected word(offset: number): number {
    if (this.life.ended) this.check();
    const word = this.space.u32[(this.header + offset) >>> 2];
    if (word !== undefined) return word;
    this.space.refresh();
    return this.space.u32[(this.header + offset) >>> 2] as number;
  }

  protected setWord(offset: number, value: number): void {
    this.space.reaches(this.header + offset + 4);
    this.space.u32[(this.header + offset) >>> 2] = value;
  }

  protected check(): void {
    this.life.check(this.title, this.header);
  }
}
