// Slot words: a slot map's bytes as words of the header, of slots, of owners; and the lists that they make.
//
// Owns:  where each word lies; how a slot becomes free or retired; how a gap among the values is closed.
// Needs: space, image, key.
//
// All of this reads and writes what is there, within the arrays, whatever the header's first word says of it.
//
// Fields that the constructor sets are only declared, here and in what stands on it: a page carries no second list of them.

import type { Life } from "../typed/life.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import * as image from "./image.ts";
import { versionOf } from "./key.ts";

export class SlotWords {
  /** The header's address. */
  declare readonly ptr: number;
  declare readonly space: Space;
  declare readonly type: Type;
  declare readonly arrays: ReturnType<typeof image.arraysOf>;
  /** Bytes from one value to the next. */
  declare readonly stride: number;
  /** The header's first word. */
  declare protected readonly head: number;

  constructor(space: Space, ptr: number, type: Type) {
    this.space = space;
    this.ptr = ptr;
    this.type = type;
    this.arrays = image.arraysOf(type);
    this.stride = this.arrays[2].each;
    this.head = ptr >>> 2;
  }

  at(index: number): number {
    return this.space.u32[this.head + index] as number;
  }

  put(index: number, value: number): void {
    this.space.u32[this.head + index] = value;
  }

  /** Throws: the bytes are no sound slot map. */
  refuse(sentence: string): never {
    throw new image.SlotMapFormatError(this.ptr, sentence);
  }

  /** A slot's first word. */
  firstOf(slot: number): number {
    return this.space.u32[this.slotAt(this.space.u32, slot)] as number;
  }

  /** A slot's second word: which value; of a free one, the next free slot, plus 1. */
  valueOf(slot: number): number {
    return this.space.u32[this.slotAt(this.space.u32, slot) + 1] as number;
  }

  setValueOf(slot: number, value: number): void {
    this.space.u32[this.slotAt(this.space.u32, slot) + 1] = value;
  }

  /** The slot of a value. */
  owner(index: number): number {
    return this.space.u32[(this.at(image.AT_OWNERS) >>> 2) + index] as number;
  }

  setOwner(index: number, slot: number): void {
    this.space.u32[(this.at(image.AT_OWNERS) >>> 2) + index] = slot;
  }

  protected valueAddress(index: number): number {
    return this.at(image.AT_VALUES) + index * this.stride;
  }

  /** Sees to it that all that the map has is within the arrays. */
  reach(): void {
    const end = (at: number, each: number): number => this.at(at) + this.at(at + 1) * each;
    this.space.reaches(end(image.AT_SLOTS, image.SLOT_BYTES));
    this.space.reaches(end(image.AT_OWNERS, image.OWNER_BYTES));
    this.space.reaches(end(image.AT_VALUES, this.stride));
  }

  /** The index of a slot's first word, among words that are given. */
  protected slotAt(words: Uint32Array, index: number): number {
    return ((words[this.head + image.AT_SLOTS] as number) >>> 2) + 2 * index;
  }

  /** A value of a slot comes to lie elsewhere. */
  move(slot: number, to: number): void {
    const from = this.valueAddress(this.valueOf(slot));
    this.space.u8.copyWithin(this.valueAddress(to), from, from + this.stride);
    this.setOwner(to, slot);
    this.setValueOf(slot, to);
  }

  /** The header leads to the larger array that it tells of. */
  adopt(): void {
    const array = this.at(image.AT_ABOUT);
    this.put(array + 1, this.at(image.AT_ABOUT + 2));
    this.put(array, this.at(image.AT_ABOUT + 1));
  }

  /**
   * Ends a live slot's key, closes the gap that its value leaves with the last one, and frees the slot, or retires it after its
   * last key. What the value owned is given back to a life, if at all.
   */
  release(index: number, life?: Life): void {
    const words = this.space.u32;
    const slot = this.slotAt(words, index);
    const tag = (words[slot] as number) - image.LIVE;
    const retires = versionOf(tag) >= this.at(image.AT_VERSION_LIMIT);
    words[slot] = retires ? tag + image.RETIRED : tag + 1;
    const gap = this.valueOf(index);
    if (life) this.type.drop?.(this.space, this.valueAddress(gap), life);
    const last = this.at(image.AT_SIZE) - 1;
    if (gap !== last) this.move(this.owner(last), gap);
    this.put(image.AT_SIZE, last);
    if (!retires) this.putFree(index);
    else {
      this.setValueOf(index, 0);
      this.put(image.AT_RETIRED, this.at(image.AT_RETIRED) + 1);
    }
  }

  /** Puts a slot in front of the free ones. */
  putFree(index: number): void {
    this.setValueOf(index, this.at(image.AT_FREE));
    this.put(image.AT_FREE, index + 1);
  }
}
