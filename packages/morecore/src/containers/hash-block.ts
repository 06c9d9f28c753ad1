// Hash block: a hash table's memory: the header's words, and the block with entries, a spare one, and slots.
//
// Owns:  where each of them lies.
// Needs: space, hash-header.
//
// All of this reads and writes what is there, whether or not a change is under way.

import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import {
  AT_BLOCK,
  AT_ROOM,
  AT_SIZE,
  AT_USED,
  blockBytes,
  type EntryLayout,
  entryLayout,
  nameOf,
} from "./hash-header.ts";

/** Up to here a loop beats a call into the engine. */
const LOOP_BYTES = 128;

export class HashBlock {
  readonly key: Type;
  readonly value: Type;
  readonly name: string;
  readonly layout: EntryLayout;
  readonly space: Space;
  /** The header's address. */
  readonly header: number;
  /** What the header says, as it was when it was read last. */
  block = 0;
  capacity = 0;
  slotCount = 0;

  constructor(space: Space, key: Type, value: Type, header: number) {
    this.key = key;
    this.value = value;
    this.name = nameOf(key, value);
    this.layout = entryLayout(key, value);
    this.space = space;
    this.header = header;
  }

  get size(): number {
    return this.word(AT_SIZE);
  }

  /** Entries that are or were live: where the next one goes. */
  get used(): number {
    return this.word(AT_USED);
  }

  entryAt(index: number): number {
    return this.block + index * this.layout.stride;
  }

  /** The hash of an entry; 0: it is a hole. */
  hashOf(index: number): number {
    return this.space.u32[this.entryAt(index) >>> 2] as number;
  }

  get spareAt(): number {
    return this.block + this.capacity * this.layout.stride;
  }

  get slotsAt(): number {
    return this.block + (this.capacity + 1) * this.layout.stride;
  }

  get bytes(): number {
    return blockBytes(this.layout, this.capacity);
  }

  clearEntry(at: number): void {
    const { stride } = this.layout;
    if (stride > LOOP_BYTES) {
      this.space.u8.fill(0, at, at + stride);
      return;
    }
    const { u32 } = this.space;
    for (let word = at >>> 2; word < (at + stride) >>> 2; word++) u32[word] = 0;
  }

  word(offset: number): number {
    return this.space.u32[(this.header + offset) >>> 2] as number;
  }

  setWord(offset: number, value: number): void {
    this.space.u32[(this.header + offset) >>> 2] = value;
  }

  /** Where the block lies and how large it is. */
  readHeader(): void {
    this.block = this.word(AT_BLOCK);
    this.capacity = this.word(AT_ROOM);
    this.slotCount = 2 * this.capacity;
    this.space.reaches(this.blockEnd);
  }

  get blockEnd(): number {
    return this.block + this.bytes;
  }
}
