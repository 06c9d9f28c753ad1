// Addresses: the kinds of number that the kernel handles, and the only casts between them.
//
// A chunk's address and its payload's address differ by one header word. To the compiler they are two types, so that
// the one cannot be handed where the other belongs. At run time both are plain unsigned 32-bit numbers and every
// function here is inlined away. In address.wasm.ts, the twin for the wasm build, all of them are `u32`.

declare const kind: unique symbol;

/** Any unsigned 32-bit number: a size, a count, a mask, an address of no particular kind. */
export type Word = number;
/** The address of a heap's image: where its magic number lies. */
export type Base = Word & { readonly [kind]: "base" };
/** The address of a chunk: of its header word. 12 mod 16. */
export type Chunk = Word & { readonly [kind]: "chunk" };
/** The address of a payload, what the caller holds. 0 mod 16. */
export type Ptr = Word & { readonly [kind]: "ptr" };

/** Bytes from a chunk's address to its payload's. layout.ts draws it. */
const HEADER: Word = 4;

export const NO_CHUNK: Chunk = 0 as Chunk;
export const NO_PTR: Ptr = 0 as Ptr;

/** A word that was read from where the layout says that a chunk's address lies. */
export function asChunk(word: Word): Chunk {
  return word as Chunk;
}

/** A word that a caller gave for a payload's address. */
export function asPtr(word: Word): Ptr {
  return word as Ptr;
}

/** A word that a caller gave for a heap's address. */
export function asBase(word: Word): Base {
  return word as Base;
}

export function chunkOf(ptr: Ptr): Chunk {
  return ((ptr - HEADER) >>> 0) as Chunk;
}

export function ptrOf(chunk: Chunk): Ptr {
  return ((chunk + HEADER) >>> 0) as Ptr;
}

/** The chunk that begins `bytes` above this one. */
export function chunkAfter(chunk: Chunk, bytes: Word): Chunk {
  return ((chunk + bytes) >>> 0) as Chunk;
}

/** The chunk that begins `bytes` below this one. */
export function chunkBefore(chunk: Chunk, bytes: Word): Chunk {
  return ((chunk - bytes) >>> 0) as Chunk;
}
