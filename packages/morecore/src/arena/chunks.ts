// Chunks: the pieces of another allocator's memory that an arena cuts up.
//
// Owns:  how an arena gets them, finds them, and gives them back.
// Needs: an Allocator.
//
// Each is to be twice as large as the one before, so that there are few; when memory is short it is halved, down to what is needed.

import type { MemorySource } from "../typed/allocator.ts";

export interface Chunk {
  readonly at: number;
  readonly bytes: number;
}

/** The most bytes that a chunk gets without need. */
export const MOST_CHUNK: number = 2 ** 30;
/** Bytes of an arena's first chunk, unless an option says otherwise. */
export const FIRST_BYTES = 1024;
const MAX_BYTES = 2 ** 32 - 1;

/** How a chunk shall be: a multiple of `unit` bytes, as many as `wish` if they can be had, at least `need`. */
export interface Want {
  readonly need: number;
  readonly wish: number;
  readonly unit: number;
  readonly alignment: number;
}

/** A chunk of the source's; undefined: no memory for what is needed. */
export function takeChunk(source: MemorySource, want: Want): Chunk | undefined {
  const { need, unit, alignment } = want;
  if (need > MAX_BYTES) return undefined;
  let bytes = Math.max(need, whole(Math.min(want.wish, MOST_CHUNK), unit));
  for (;;) {
    const at = source.allocate(bytes, alignment);
    if (at !== 0) return { at, bytes };
    if (bytes === need) return undefined;
    bytes = Math.max(need, whole(bytes / 2, unit));
  }
}

/** Gives all of them back, the last one first: where an arena lies in another, that one can then use the memory again. */
export function giveBack(source: MemorySource, chunks: readonly Chunk[], alignment: number): void {
  for (const { at, bytes } of chunks.toReversed()) source.deallocate(at, bytes, alignment);
}

/** Which chunk an address lies in; -1: in none. O(chunks), newest first. */
export function chunkAt(chunks: readonly Chunk[], at: number): number {
  for (let index = chunks.length - 1; index >= 0; index--) {
    const chunk = chunks[index] as Chunk;
    if (at >= chunk.at && at < chunk.at + chunk.bytes) return index;
  }
  return -1;
}

export function bytesOfAll(chunks: readonly Chunk[]): number {
  let sum = 0;
  for (const chunk of chunks) sum += chunk.bytes;
  return sum;
}

function whole(bytes: number, unit: number): number {
  return Math.floor(bytes / unit) * unit;
}
