// Careful calls: the malloc family for heaps that outlive their processes. What is freed is cleared first.
//
// Owns:  the order of clearing, moving and freeing.
// Needs: the calls that it stands before.
//
// A process may die while a chunk is cut from a larger one, before the second header is written (repair.ts). What stands there
// then must not look like a header. In free memory that nobody's data are left in, it is zero, or what the allocator left,
// which repair can tell. That costs one pass over each block that is freed.

import type { Calls } from "../heap/calls.ts";
import { chunkSizeFor } from "../kernel/chunk.ts";
import { GRANULE, HEADER_WORD, MAX_REQUEST, SMALL_MAX } from "../kernel/layout.ts";

export class CarefulCalls implements Calls {
  private readonly inner: Calls;
  private readonly bytes: Uint8Array;

  constructor(inner: Calls, bytes: Uint8Array) {
    this.inner = inner;
    this.bytes = bytes;
  }

  /** Clears a live block that is about to be freed. */
  clear(ptr: number): void {
    this.bytes.fill(0, ptr, ptr + this.inner.usableSize(ptr));
  }

  malloc(bytes: number): number {
    return this.inner.malloc(bytes);
  }

  free(ptr: number): void {
    // What is no live block is refused by usableSize, with the same words.
    if (ptr !== 0) this.clear(ptr);
    this.inner.free(ptr);
  }

  calloc(times: number, bytes: number): number {
    return this.inner.calloc(times, bytes);
  }

  realloc(ptr: number, bytes: number): number {
    if (ptr === 0) return this.inner.malloc(bytes);
    const had = this.inner.usableSize(ptr);
    if (bytes === 0) {
      this.bytes.fill(0, ptr, ptr + had);
      return this.inner.realloc(ptr, 0);
    }
    if (bytes > MAX_REQUEST) return 0;
    const inRun = isInRun(had);
    if (inRun ? blockFor(bytes) === had : this.reallocInPlace(ptr, bytes) !== 0) return ptr;
    return this.move(ptr, bytes, had);
  }

  private move(ptr: number, bytes: number, had: number): number {
    const moved = this.inner.malloc(bytes);
    // Unused runs have been given back now, and one may have been in the way. A block never fails to shrink.
    if (moved === 0) return this.reallocInPlace(ptr, bytes);
    this.bytes.copyWithin(moved, ptr, ptr + Math.min(had, bytes));
    this.free(ptr);
    return moved;
  }

  reallocInPlace(ptr: number, bytes: number): number {
    if (ptr === 0) return 0;
    const had = this.inner.usableSize(ptr);
    if (bytes < had && !isInRun(had)) this.bytes.fill(0, ptr + bytes, ptr + had);
    return this.inner.reallocInPlace(ptr, bytes);
  }

  reallocarray(ptr: number, times: number, bytes: number): number {
    return times * bytes > MAX_REQUEST
      ? this.inner.reallocarray(ptr, times, bytes)
      : this.realloc(ptr, times * bytes);
  }

  memalign(alignment: number, bytes: number): number {
    return this.inner.memalign(alignment, bytes);
  }

  alignedAlloc(alignment: number, bytes: number): number {
    return this.inner.alignedAlloc(alignment, bytes);
  }

  posixMemalign(result: number, alignment: number, bytes: number): number {
    return this.inner.posixMemalign(result, alignment, bytes);
  }

  freeSized(ptr: number, bytes: number): void {
    if (this.isSize(ptr, bytes)) this.clear(ptr);
    this.inner.freeSized(ptr, bytes);
  }

  freeAlignedSized(ptr: number, alignment: number, bytes: number): void {
    const isAligned = alignment !== 0 && (alignment & (alignment - 1)) === 0 && ptr % alignment === 0;
    if (isAligned && this.isSize(ptr, bytes)) this.clear(ptr);
    this.inner.freeAlignedSized(ptr, alignment, bytes);
  }

  /** Whether freeSized will find the size right: if not, it refuses, and nothing may have changed. */
  private isSize(ptr: number, bytes: number): boolean {
    if (ptr === 0) return false;
    const had = this.inner.usableSize(ptr);
    return isInRun(had) ? bytes <= had : bytes <= MAX_REQUEST && chunkSizeFor(bytes) === had + HEADER_WORD;
  }

  usableSize(ptr: number): number {
    return this.inner.usableSize(ptr);
  }

  independentCalloc(times: number, bytes: number): number {
    return this.inner.independentCalloc(times, bytes);
  }

  independentComalloc(times: number, sizes: number): number {
    return this.inner.independentComalloc(times, sizes);
  }

  trim(pad: number): boolean {
    return this.inner.trim(pad);
  }
}

/** A run's blocks have multiples of a granule; chunks a header less. */
function isInRun(usable: number): boolean {
  return usable % GRANULE === 0;
}

/** The block of a run that serves a request; 0: none does. */
function blockFor(bytes: number): number {
  return bytes <= SMALL_MAX ? Math.ceil(bytes / GRANULE) * GRANULE : 0;
}
