// Info: the shapes in which a heap tells about itself.

import type { Base } from "../kernel/address.ts";
import { engine } from "../kernel/design.ts";
import type { Machine } from "../kernel/machine.ts";

export type { ChunkInfo, HeapStatistics } from "../kernel/engine.ts";

/** glibc's `struct mallinfo2`. Bytes are chunk bytes, headers included; arena = uordblks + fordblks. */
export interface Mallinfo {
  /** The footprint: bytes got from the memory. */
  readonly arena: number;
  /** Free chunks, top among them. */
  readonly ordblks: number;
  /** Free blocks of slabs (glibc: "fastbin" chunks). */
  readonly smblks: number;
  /** Blocks got from mmap alone: always 0. */
  readonly hblks: number;
  /** Their bytes: always 0. */
  readonly hblkhd: number;
  /** Always 0, as in glibc. */
  readonly usmblks: number;
  /** Their bytes. */
  readonly fsmblks: number;
  /** Bytes in use: live blocks, and what the heap needs for itself. */
  readonly uordblks: number;
  /** Free bytes: chunks, top and blocks of slabs. */
  readonly fordblks: number;
  /** Bytes of top. */
  readonly keepcost: number;
}

/** mallinfo2, from the walk. */
export function readMallinfo(m: Machine, heap: Base): Mallinfo {
  const arena = engine.footprint(m, heap);
  const { cached, free, top } = engine.totals(m, heap);
  const fordblks = free.bytes + cached.bytes + top.bytes;
  return {
    arena,
    ordblks: free.count + top.count,
    smblks: cached.count,
    hblks: 0,
    hblkhd: 0,
    usmblks: 0,
    fsmblks: cached.bytes,
    uordblks: arena - fordblks,
    fordblks,
    keepcost: top.bytes,
  };
}
