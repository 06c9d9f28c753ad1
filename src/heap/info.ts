// Info: the shapes in which a heap tells about itself.

import type { Base } from "../kernel/address.ts";
import { bytesOf, countOf, footprint } from "../kernel/info.ts";
import type { Machine } from "../kernel/machine.ts";
import { FREE, IN_CACHE, TOP } from "../kernel/walk.ts";

/** glibc's `struct mallinfo2`. Bytes are chunk bytes, headers included; arena = uordblks + fordblks. */
export interface Mallinfo {
  /** The footprint: bytes got from the memory. */
  readonly arena: number;
  /** Free chunks, top among them, without the cached ones. */
  readonly ordblks: number;
  /** Cached chunks (glibc: "fastbin" chunks). */
  readonly smblks: number;
  /** Blocks got from mmap alone: always 0. */
  readonly hblks: number;
  /** Their bytes: always 0. */
  readonly hblkhd: number;
  /** Always 0, as in glibc. */
  readonly usmblks: number;
  /** Bytes of the cached chunks. */
  readonly fsmblks: number;
  /** Bytes in use: live chunks, and the heap's own header. */
  readonly uordblks: number;
  /** Free bytes: bins, top and caches. */
  readonly fordblks: number;
  /** Bytes of top. */
  readonly keepcost: number;
}

/** A chunk as inspectAll shows it. */
export interface ChunkInfo {
  /** Of its header word. */
  readonly address: number;
  /** Of its payload: what malloc returned, if it is live. */
  readonly ptr: number;
  /** Bytes, header included. */
  readonly size: number;
  /** Bytes of its payload. */
  readonly usable: number;
  readonly state: "live" | "cached" | "free" | "top";
}

/** Counts of what a heap has done. */
export interface HeapStatistics {
  /** The footprint grew. */
  readonly growthCount: number;
  /** Two free neighbours were merged. */
  readonly coalesceCount: number;
  /** The caches were emptied. */
  readonly flushCount: number;
  /** Top was trimmed. */
  readonly trimCount: number;
}

/** mallinfo2, from the walk. */
export function readMallinfo(m: Machine, heap: Base): Mallinfo {
  const arena = footprint(m, heap);
  const topBytes = bytesOf(m, heap, TOP);
  const cachedBytes = bytesOf(m, heap, IN_CACHE);
  const fordblks = bytesOf(m, heap, FREE) + cachedBytes + topBytes;
  return {
    arena,
    ordblks: countOf(m, heap, FREE) + countOf(m, heap, TOP),
    smblks: countOf(m, heap, IN_CACHE),
    hblks: 0,
    hblkhd: 0,
    usmblks: 0,
    fsmblks: cachedBytes,
    uordblks: arena - fordblks,
    fordblks,
    keepcost: topBytes,
  };
}
