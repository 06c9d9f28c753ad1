// Info: the shapes in which a heap tells about itself.

import type { Base } from "../kernel/address.ts";
import { bytesOf, countOf, footprint } from "../kernel/info.ts";
import { HEADER_WORD } from "../kernel/layout.ts";
import type { Machine } from "../kernel/machine.ts";
import { CACHED, FREE, isBlock, LIVE, pieceBytes, pieceState, TOP } from "../kernel/walk.ts";

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

/** A piece of a heap as inspectAll shows it. */
export interface ChunkInfo {
  /** Where it begins: of a chunk its header, of a slab's block its first byte. */
  readonly address: number;
  /** Of its payload: what malloc returned, if it is live. */
  readonly ptr: number;
  /** Bytes, with the header if it has one. */
  readonly size: number;
  /** Bytes of its payload. */
  readonly usable: number;
  /**
   * "cached": a free block of a slab; "free": a chunk that can serve any request; "overhead": the heap's own, a
   * slab's chunk less its blocks, a descriptor or the map.
   */
  readonly state: "live" | "cached" | "free" | "top" | "overhead";
}

/** Counts of what a heap has done. */
export interface HeapStatistics {
  /** The footprint grew. */
  readonly growthCount: number;
  /** Two free neighbours were merged. */
  readonly coalesceCount: number;
  /** Unused slabs were given back. */
  readonly flushCount: number;
  /** Top was trimmed. */
  readonly trimCount: number;
}

/** mallinfo2, from the walk. */
export function readMallinfo(m: Machine, heap: Base): Mallinfo {
  const arena = footprint(m, heap);
  const topBytes = bytesOf(m, heap, TOP);
  const cachedBytes = bytesOf(m, heap, CACHED);
  const fordblks = bytesOf(m, heap, FREE) + cachedBytes + topBytes;
  return {
    arena,
    ordblks: countOf(m, heap, FREE) + countOf(m, heap, TOP),
    smblks: countOf(m, heap, CACHED),
    hblks: 0,
    hblkhd: 0,
    usmblks: 0,
    fsmblks: cachedBytes,
    uordblks: arena - fordblks,
    fordblks,
    keepcost: topBytes,
  };
}

const STATES: Readonly<Record<number, ChunkInfo["state"]>> = {
  [LIVE]: "live",
  [CACHED]: "cached",
  [FREE]: "free",
  [TOP]: "top",
};

/** A piece of the kernel's walk, for people. */
export function pieceInfo(m: Machine, heap: Base, at: number): ChunkInfo {
  const header = isBlock(at) ? 0 : HEADER_WORD;
  const size = pieceBytes(m, heap, at);
  const state = STATES[pieceState(m, heap, at)] ?? "overhead";
  return { address: at, ptr: at + header, size, usable: Math.max(size - header, 0), state };
}
