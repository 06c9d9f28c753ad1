// Mmap memory: address space reserved at once, used bit by bit, given back page by page.
//
// Owns:  how much of its region is in use.
// Needs: region, libc.
//
// A page costs memory from its first write on. So growing is moving a mark: it costs nothing, moves nothing, and no
// view dies by it. What a heap gives back it can write again at any time: the pages are then there anew, and zero.

import { bytesText, checkKeys, Printed } from "morecore/engine";
import { libc } from "./libc.ts";
import {
  checkReserve,
  LEAST_RESERVE,
  MAX_RESERVE,
  type OsMemory,
  reachOf,
  reserveRegion,
  thresholdOf,
  wholePages,
} from "./region.ts";

/** What mmapMemory can be told. */
export interface MmapOptions {
  /**
   * Bytes of address space, from 65 536 to 4 * 2 ** 30: the most that the heap can ever have. Default: the most, or a
   * half, a quarter … of that (at least 64 MiB) where a limit (RLIMIT_AS) will not let it be had.
   */
  reserve?: number;
  /**
   * A block above this many bytes gives its whole pages back as soon as it is freed. "dynamic", the default:
   * 128 KiB at first. A freed block that is larger, up to 32 MiB, raises it to its own size. So a block that
   * comes and goes does not cost page faults for ever (glibc's M_MMAP_THRESHOLD). A number fixes it;
   * Infinity: never.
   */
  mmapThreshold?: number | "dynamic";
}

const INITIAL = 65_536;

/**
 * Memory from mmap. Throws an OsError when the address space cannot be had.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create({ memory: mmapMemory({ reserve: 2 ** 20 }) });
 * console.log(heap.malloc(2 ** 21), heap.malloc(2 ** 19) > 0); // 0 true
 * ```
 */
export function mmapMemory(options: MmapOptions = {}): OsMemory {
  checkKeys(options, ["reserve", "mmapThreshold"]);
  const reserve = options.reserve === undefined ? undefined : checkReserve("reserve", options.reserve);
  return new MmapMemory(reserve, thresholdOf(options.mmapThreshold));
}

class MmapMemory extends Printed implements OsMemory {
  readonly buffer: ArrayBuffer;
  readonly address: bigint;
  readonly pageBytes: number = libc().pageBytes;
  readonly mmapThreshold: number | "dynamic";
  size: number = INITIAL;

  constructor(reserve: number | undefined, mmapThreshold: number | "dynamic") {
    super();
    const { address, buffer } = reserveRegion(reserve ?? MAX_RESERVE, reserve ?? LEAST_RESERVE);
    this.address = address;
    this.buffer = buffer;
    this.mmapThreshold = mmapThreshold;
  }

  /** Of the first bytes nothing is known once a heap has been here; what grow gives is new. */
  get untouched(): number {
    return this.size;
  }

  grow(bytes: number): number {
    const from = this.size;
    if (bytes > reachOf(this.buffer) - from) return 0;
    this.size = from + bytes;
    return from;
  }

  release(from: number, to: number): void {
    wholePages(this, from, to, libc().drop);
  }

  protected override summary(): string {
    return `MmapMemory { size: ${bytesText(this.size)} of ${bytesText(this.buffer.byteLength)} }`;
  }
}
