// Peer: what every allocator under measurement looks like to the loops that drive it.
//
// Owns:  the interface, the names, and the rule for peers without aligned allocation.
// Needs: nothing.
// Note:  the call sites of an adapter only ever see one target; how is in ../fresh.ts.
import type { WasmModuleObject } from "morecore";

/** In the order of the tables' columns. */
export const PEER_NAMES = [
  "nothing",
  "morecore",
  "dlmalloc",
  "mimalloc",
  "tlsf",
  "thi.ng",
  "v8-arrays",
  "v8-objects",
] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** A module that was compiled here. */
export interface BuiltPeer {
  readonly file: string;
  readonly version: string;
}

/** A peer that can take part, and what its process needs. */
export interface PeerInfo {
  readonly name: PeerName;
  readonly version: string;
  readonly moduleFile: string | undefined;
}

export interface Peer {
  /** 0 means out of memory; so it is for the four below. */
  malloc(bytes: number): number;
  calloc(bytes: number): number;
  realloc(ptr: number, bytes: number): number;
  memalign(alignment: number, bytes: number): number;
  free(ptr: number): void;
  /** A fresh view of the whole memory, index = address / 4. `ptr` is a live payload. */
  words(ptr: number): Uint32Array;
  /** The most bytes ever taken from the memory for the heap. */
  maxFootprintBytes(): number;
  /** Bytes of memory set aside for the heap, used or not. */
  reservedBytes(): number;
}

export interface PeerOptions {
  /** Compiled module of the peers that are WebAssembly. */
  readonly module: WasmModuleObject | undefined;
  /** Bytes the heap should have before the first call, so that growing is not measured; 0 = none. */
  readonly reserveBytes: number;
}

export interface PeerModule {
  create(options: PeerOptions): Peer;
}

/** Every payload of every peer has at least this alignment, except thi.ng's, which has 8, and mimalloc's below 16 bytes. */
export const NATURAL_ALIGNMENT = 16;

/** Bytes to ask of a peer that has no aligned allocation: room to round the address up, as its users must. */
export function overAllocatedBytes(alignment: number, bytes: number): number {
  return alignment > NATURAL_ALIGNMENT ? bytes + alignment : bytes;
}
