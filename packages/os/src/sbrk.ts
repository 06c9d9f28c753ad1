// Sbrk memory: the classic. The process's own break, moved up for more and down again by a trim.
//
// Owns:  how far it has moved the break; what is to be given back.
// Needs: region, libc.
//
// C's malloc in the same process moves the break, too. What it gets lies between two ranges of ours. grow
// then answers with a later address, and the heap goes on in a new segment, behind a fencepost, as dlmalloc
// does.
//
// The buffer covers the addresses from our first byte on, of which only those below `size` are there. Views
// that a heap gives never lead beyond. One over the whole buffer can, and reading there ends the process, as
// it does in C.

import { bytesText, checkKeys, Printed } from "morecore/engine";
import { OsError, refused } from "./errors.ts";
import { libc } from "./libc.ts";
import { checkReserve, MAX_RESERVE, type OsMemory, reachOf, thresholdOf, wholePages } from "./region.ts";
import type { Libc } from "./system.ts";
import { foreign } from "./way.ts";

/** What sbrkMemory can be told. */
export interface SbrkOptions {
  /** The most bytes that the break can move away from where it is now. Default 4 GiB. */
  reach?: number;
  /** As for mmapMemory. */
  mmapThreshold?: number | "dynamic";
}

/**
 * Memory from sbrk. Throws an OsError when not even the first page can be had.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create({ memory: sbrkMemory({ reach: 2 ** 20 }) });
 * console.log(heap.malloc(100) > 0); // true
 * ```
 */
export function sbrkMemory(options: SbrkOptions = {}): SbrkMemory {
  checkKeys(options, ["reach", "mmapThreshold"]);
  const reach = options.reach === undefined ? MAX_RESERVE : checkReserve("reach", options.reach);
  return new SbrkMemory(reach, thresholdOf(options.mmapThreshold));
}

const INITIAL = 65_536;
/** sbrk has no other reason to refuse. */
const ENOMEM = 12;

/**
 * Memory at the process's break. sbrkMemory makes it.
 *
 * @example
 *
 * ```ts
 * const memory: SbrkMemory = sbrkMemory({ reach: 2 ** 20 });
 * console.log(memory.size); // 65536
 * ```
 */
export class SbrkMemory extends Printed implements OsMemory {
  /** The addresses from the first byte on, as far as the break can go. Those from `size` on are not there. */
  readonly buffer: ArrayBuffer;
  /** Where the first byte lies in the process. */
  readonly address: bigint;
  /** Bytes of an OS page. */
  readonly pageBytes: number;
  /** Blocks above this many bytes give their pages back when they are freed. */
  readonly mmapThreshold: number | "dynamic";
  /** Bytes from the first one to the break. */
  size: number = INITIAL;
  /** A trim has let go of something: `giveBack` may be able to lower the break. */
  trimmed = false;
  private readonly libc: Libc;

  /** Moves the break up by 64 KiB. Throws an OsError. Use sbrkMemory, which checks its options. */
  constructor(reach: number, mmapThreshold: number | "dynamic") {
    super();
    this.libc = libc();
    this.pageBytes = this.libc.pageBytes;
    this.mmapThreshold = mmapThreshold;
    this.address = takeBreak(this.libc, INITIAL);
    this.buffer = foreign().view(this.address, reach);
  }

  /** The address from which on no byte has been written. Nothing is known, so it is the size. */
  get untouched(): number {
    return this.size;
  }

  /** Where the break is, as an offset. Others move it, too. */
  private breakAt(): number {
    return Number((this.libc.sbrk(0) ?? 0n) - this.address);
  }

  /** Moves the break up by so many bytes: the address of the first, or 0. */
  grow(bytes: number): number {
    // Behind others' bytes the rest of their last page is not ours: it need not be zero.
    const before = this.breakAt();
    const from = before === this.size ? before : Math.ceil(before / this.pageBytes) * this.pageBytes;
    if (before < this.size || bytes > reachOf(this.buffer) - from) return 0;
    const got = this.libc.sbrk(from - before + bytes);
    if (got === undefined) return 0;
    if (got !== this.address + BigInt(before)) {
      // Somebody was faster. What came is ours but lies elsewhere than was reckoned: let it be.
      return 0;
    }
    this.size = from + bytes;
    return from;
  }

  /** Gives the whole pages of a range back to the system. */
  release(from: number, to: number): void {
    wholePages(this, from, to, this.libc.drop);
    this.trimmed = true;
  }

  /** Lowers the break so that the memory ends at the first whole page from `end` on. The new size, perhaps the old one. */
  giveBack(end: number): number {
    this.trimmed = false;
    const size = Math.ceil(end / this.pageBytes) * this.pageBytes;
    // Above the last byte of ours there may be bytes of others': then the break is not ours to lower.
    if (size >= this.size || this.breakAt() !== this.size) return this.size;
    if (this.libc.sbrk(size - this.size) !== undefined) this.size = size;
    return this.size;
  }

  protected override summary(): string {
    return `SbrkMemory { size: ${bytesText(this.size)} of ${bytesText(this.buffer.byteLength)} }`;
  }
}

/** Moves the break up by whole pages: the first byte's address, at a page's beginning. */
function takeBreak(system: Libc, bytes: number): bigint {
  const page = BigInt(system.pageBytes);
  const before = system.sbrk(0) ?? 0n;
  const first = ((before + page - 1n) / page) * page;
  const got = system.sbrk(Number(first - before) + bytes);
  if (got === undefined || got !== before) throw blocked(bytes);
  return first;
}

/** As for any ENOMEM, with the reason that only sbrk knows. */
function blocked(bytes: number): OsError {
  const { code, message } = refused(`sbrk of ${bytes} bytes`, ENOMEM);
  return new OsError(
    code,
    `${message}; or something is mapped right above the break: mmapMemory() needs no break`,
  );
}
