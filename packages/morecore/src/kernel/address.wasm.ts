// The twin of address.ts for the wasm build: there, every kind of address is a u32 and every cast nothing.

export type Word = u32;
export type Base = u32;
export type Chunk = u32;
export type Ptr = u32;

const HEADER: u32 = 4;

export const NO_CHUNK: u32 = 0;
export const NO_PTR: u32 = 0;

// @ts-ignore: decorator
@inline export function asChunk(word: u32): u32 { return word; }
// @ts-ignore: decorator
@inline export function asPtr(word: u32): u32 { return word; }
// @ts-ignore: decorator
@inline export function asBase(word: u32): u32 { return word; }
// @ts-ignore: decorator
@inline export function chunkOf(ptr: u32): u32 { return ptr - HEADER; }
// @ts-ignore: decorator
@inline export function ptrOf(chunk: u32): u32 { return chunk + HEADER; }
// @ts-ignore: decorator
@inline export function chunkAfter(chunk: u32, bytes: u32): u32 { return chunk + bytes; }
// @ts-ignore: decorator
@inline export function chunkBefore(chunk: u32, bytes: u32): u32 { return chunk - bytes; }
