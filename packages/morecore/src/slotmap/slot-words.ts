// Slot words: a slot map's bytes as words of the header, of slots, of owners; and the lists that they make.
//
// Owns:  where each word lies; how a slot becomes free or retired.
// Needs: space, image, key.
//
// All of this reads and writes what is there, within the arrays, whatever the header's first word says of it.

import type { Space } from "../typed/space.ts";
import * as image from "./image.ts";
import { versionOf } from "./key.ts";

export class SlotWords {
  /** The header's address. */
  readonly ptr: number;
  readonly space: Space;
  /** Bytes from one value to the next. */
  readonly stride: number;
  /** The header's first word. */
  protected readonly head: number;

  constructor(space: Space, ptr: number, stride: number) {
    this.space = space;
    this.ptr = ptr;
    this.stride = stride;
    this.head = ptr >>> 2;
  }

  at(index: number): number {
    return this.space.u32[this.head + index] as number;
  }

  put(index: number, value: number): void {
    this.space.u32[this.head + index] = value;
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

  /** Copies a value's bytes from an address to where one lies. */
  copyValue(from: number, index: number): void {
    this.space.u8.copyWithin(this.valueAddress(index), from, from + this.stride);
  }

  /** Frees or retires a live slot whose value is the last one. What that owned is not given back. */
  release(index: number, last: number): void {
    const retires = this.endKey(index);
    this.put(image.AT_SIZE, last);
    if (retires) this.retire(index);
    else this.putFree(index);
  }

  /** A live slot's key is good no more. Whether it was the last key that the slot could give. */
  protected endKey(index: number): boolean {
    const words = this.space.u32;
    const slot = this.slotAt(words, index);
    const tag = (words[slot] as number) - image.LIVE;
    const retires = versionOf(tag) >= (words[this.head + image.AT_VERSION_LIMIT] as number);
    words[slot] = retires ? tag + image.RETIRED : tag + 1;
    return retires;
  }

  protected retire(index: number): void {
    this.setValueOf(index, 0);
    this.put(image.AT_RETIRED, this.at(image.AT_RETIRED) + 1);
  }

  /** Puts a slot in front of the free ones. */
  putFree(index: number): void {
    this.setValueOf(index, this.at(image.AT_FREE));
    this.put(image.AT_FREE, index + 1);
  }
}
