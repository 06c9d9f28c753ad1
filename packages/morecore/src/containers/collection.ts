// Collection: what Vec and Columns have in common: a header, a life, and elements that are counted.
//
// Owns:  the words of its header; what is known of them, and whether that is still true.
// Needs: list-header, allocator, life, moves.
// Invariants: C1  after each store, the container is sound: with the elements that it had before the call, or has after it. What may be
//                 lost is memory; never has an element twice an owner, or none that it needs
//             C2  what is known outside the memory is used only while the count of moves is what it was when that was read
//
// What a caller gives is read first (Type.read), as that may run code which changes the container; then the header is looked at,
// room is made, and what was read is stored. None of the caller's code runs in between, so that nothing has to be locked.
//
// C1 is by the order of stores. An element is complete before it is counted. A larger block is filled before the header leads to it,
// address first, as the old capacity holds for both; the old one is freed last. What goes is no longer counted before what it owns is
// freed. Elements that own something change their place through a gap: one word says which element is not there, and writing it
// is what hands over the ownership.

import { isWord, refuseWord } from "../memory/arguments.ts";
import { cut, listed, Printed, shown } from "../memory/printed.ts";
import { type Allocator, HOLDER, type MemorySource } from "../typed/allocator.ts";
import { DISPOSE } from "../typed/disposal.ts";
import { DELETED, type Life } from "../typed/life.ts";
import { Moves } from "../typed/moves.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";
import { AT_CAPACITY, AT_LENGTH, checkIndex } from "./header.ts";
import {
  AT_BORN,
  AT_GAP,
  AT_MOVES,
  checkListBlocks,
  checkListHeader,
  endListHeader,
  freeListHeader,
  HeaderAt,
  type ListBlock,
  type ListKind,
  makeListHeader,
} from "./list-header.ts";

/** What no word is. */
const NEVER = -1;
export abstract class Collection<L> extends Printed implements Disposable {
  /** How long it may be used: for the compiler only. */
  declare protected readonly lives: (life: L) => void;
  protected readonly allocator: MemorySource;
  protected readonly space: Space;
  protected readonly header: number;
  protected readonly kind: ListKind;
  protected readonly movement: Moves;
  protected life: Life;
  /** The count of moves, as of which the rest is known. */
  protected moves: number = NEVER;
  /** How many elements there is room for, as of `moves`. */
  protected room = 0;
  /** Where in `space.u32` the words lie that each use looks at. */
  protected readonly movesAt: number;
  protected readonly lengthAt: number;
  private readonly born: number;

  /** Makes one, or takes the one that lies somewhere. */
  protected constructor(allocator: Allocator<L>, kind: ListKind, from: unknown) {
    super();
    this.space = allocator[SPACE];
    this.kind = kind;
    this.header = from instanceof HeaderAt ? from.at : makeListHeader(allocator, kind);
    this.allocator = allocator[HOLDER](this.header);
    this.life = this.allocator[LIFE];
    this.movesAt = (this.header + AT_MOVES) >>> 2;
    this.lengthAt = (this.header + AT_LENGTH) >>> 2;
    this.born = this.word(AT_BORN);
    const name = `the place that the elements of ${kind.title} had`;
    this.movement = new Moves(name, this.life, this, this.space, this.header + AT_MOVES);
  }

  /** How many elements there are. O(1). */
  get length(): number {
    this.enter();
    return this.count;
  }

  /** How many elements there is room for without a growth. */
  get capacity(): number {
    this.enter();
    return this.room;
  }

  /** Lets go of the elements from an index on. */
  truncate(length: number): void {
    if (!isWord(length)) refuseWord("length", length);
    this.enter();
    if (length < this.count) this.shorten(length);
  }

  /** Lets go of all elements; the room for them stays. */
  clear(): void {
    this.truncate(0);
  }

  /** Plain copies of all elements. O(length). */
  override toJSON(): unknown {
    return Array.from({ length: this.length }, (_, index) => this.copyAt(index));
  }

  /** Throws a PointerError that names what does not hold, if its header says what cannot be. O(1). */
  check(): void {
    this.enter();
    checkListHeader(this.space, this.kind, this.header);
    checkListBlocks(this.space, this.kind, this.header, this.blocks());
  }

  /** Frees the elements, what they own, and the header. A second time does nothing, here or elsewhere; other uses throw from then on. */
  dispose(): void {
    if (this.life.ended) return;
    if (!this.isThere()) {
      this.life = DELETED;
      return;
    }
    this.enter();
    const { count, allocator } = this;
    const blocks = this.blocks();
    endListHeader(this.space, this.header);
    this.dropFrom(0, count);
    // Last first: a bump arena takes back what it gave last.
    for (const { at, bytes, align } of blocks.reverse()) allocator.deallocate(at, bytes, align);
    freeListHeader(allocator, this.header, this.kind);
    this.life = DELETED;
  }

  [DISPOSE](): void {
    this.dispose();
  }

  protected override summary(): string {
    const title = cut(this.kind.title);
    if (this.life.ended || !this.isThere()) return `${title} (ended)`;
    this.enter();
    const elements = listed(this.count, (index) => shown(this.copyAt(index)));
    return `${title}(${this.count} of ${this.room}) ${elements}`;
  }

  /** Whether elements own memory, which must have one owner at each moment. */
  protected abstract readonly owning: boolean;

  /** Lets go of what an element owns. */
  protected abstract drop(index: number): void;

  protected abstract copyAt(index: number): unknown;

  /** Writes what has been read for an element. */
  protected abstract store(index: number, given: never): void;

  /** The blocks that elements lie in, as the header says. */
  protected abstract blocks(): ListBlock[];

  /** Reads where the elements lie, and sees to it that they are within the arrays. */
  protected abstract find(): void;

  /** Moves the elements up that are behind a gap, or the last one into it. */
  protected abstract fillGap(index: number): void;

  /** Before each use: the container is there, and what is known about it is true. */
  protected enter(): void {
    if (this.space.u32[this.movesAt] !== this.moves || this.life.ended) this.reload();
  }

  /** The length, of a container that has been entered. */
  protected get count(): number {
    return this.space.u32[this.lengthAt] as number;
  }

  protected set count(length: number) {
    this.setWord(AT_LENGTH, length);
  }

  /** Elements have changed their place, or are gone: no reference is good any more. */
  protected moved(): void {
    this.space.reaches(this.header + this.kind.headerBytes);
    this.movement.record();
    this.moves = this.word(AT_MOVES);
  }

  /** The header leads to other blocks, or to larger or smaller ones. */
  protected relocated(): void {
    this.moved();
    this.readHeader();
  }

  /** Lets go of the elements from an index on, of which there are some. */
  protected shorten(length: number): void {
    const before = this.count;
    this.count = length;
    this.moved();
    this.dropFrom(length, before);
  }

  /** Takes the last element away: a copy of it; undefined: there is none. */
  protected takeLast(): unknown {
    this.enter();
    const length = this.count;
    if (length === 0) return undefined;
    const taken = this.copyAt(length - 1);
    this.shorten(length - 1);
    return taken;
  }

  /** Writes an element, and gives a copy of what it was. */
  protected exchange(index: number, given: never): unknown {
    this.enter();
    checkIndex(index, this.count);
    const before = this.copyAt(index);
    this.store(index, given);
    return before;
  }

  /** From now on the element at an index is not there, and owns nothing. */
  protected openGap(index: number): void {
    this.closeGap();
    this.setWord(AT_GAP, index + 1);
  }

  /** Another element is the one that is not there. */
  protected moveGap(index: number): void {
    this.setWord(AT_GAP, index + 1);
  }

  /** Ends what openGap began: what is behind the elements that are counted is no gap. */
  protected endGap(): void {
    this.setWord(AT_GAP, 0);
  }

  /** Finishes a move that was cut short: by the end of a process, or by an error. */
  protected closeGap(): void {
    const gap = this.word(AT_GAP);
    if (gap === 0) return;
    const { count } = this;
    if (gap <= count) {
      this.fillGap(gap - 1);
      this.count = count - 1;
    }
    this.endGap();
    this.moved();
  }

  protected word(offset: number): number {
    return this.space.u32[(this.header + offset) >>> 2] as number;
  }

  protected setWord(offset: number, value: number): void {
    // What was done just before may have had the memory grow.
    this.space.reaches(this.header + offset + 4);
    this.space.u32[(this.header + offset) >>> 2] = value;
  }

  /** Reads the header anew: the arrays are old, or elements have moved, or the container is gone. */
  private reload(): void {
    this.life.check(this.kind.title, this.header);
    if (!this.isThere()) this.life = DELETED;
    this.life.check(this.kind.title, this.header);
    this.readHeader();
  }

  private readHeader(): void {
    this.moves = this.word(AT_MOVES);
    this.room = this.word(AT_CAPACITY);
    this.find();
  }

  /** Whether the container is still where it was: another one may be there by now. */
  private isThere(): boolean {
    const { header, kind, space } = this;
    return (
      space.reaches(header + kind.headerBytes) &&
      this.word(0) === kind.magic &&
      this.word(AT_BORN) === this.born
    );
  }

  /** Lets go of what elements own that are not counted any more. */
  private dropFrom(from: number, to: number): void {
    if (!this.owning) return;
    for (let index = to - 1; index >= from; index--) this.drop(index);
  }
}
