// The twin of machine.ts for the wasm build. A Machine there is a null reference that the optimiser removes; its methods
// are the instructions of WebAssembly.

import { addShared, andShared, compareExchange, exchange, loadShared, orShared, storeShared, THREADS } from "./atomics.wasm.ts";

// @ts-ignore: decorator
@external("morecore", "abort") declare function refuse(code: u32, address: u32): void;
// @ts-ignore: decorator
@external("morecore", "release") declare function releaseBytes(from: u32, to: u32): void;
// Each of these three is a function of the host or, bound by tools/bind.ts, one of the module.
// @ts-ignore: decorator
@external("morecore", "grow") declare function growBytes(bytes: u32): u32;

/** There is one memory, so the words of a Machine are as empty as the Machine. */
// @ts-ignore: decorator
@unmanaged export class Words {}
// @ts-ignore: decorator
@inline export function load32(words: Words, address: u32): u32 { return load<u32>(address); }
// @ts-ignore: decorator
@inline export function store32(words: Words, address: u32, value: u32): void { store<u32>(address, value); }

// @ts-ignore: decorator
@inline export function multiply(a: u32, b: u32): u32 { return a * b; }
// @ts-ignore: decorator
@inline export function rotate(word: u32, by: u32): u32 { return rotr<u32>(word, by); }

const PAGE_LOG2: u32 = 16;

/** Up to so many bytes, a loop is as fast as V8's memory.copy and memory.fill, which call out of wasm, or twice as fast. */
const SHORT_BYTES: u32 = 96;

/** Copies words; `bytes` is a multiple of 4. */
function copyBytes(to: u32, from: u32, bytes: u32): void {
  if (bytes > SHORT_BYTES) {
    memory.copy(to, from, bytes);
    return;
  }
  const end = to + (bytes & ~7);
  const distance = from - to;
  while (to < end) {
    store<u64>(to, load<u64>(to + distance));
    to += 8;
  }
  if ((bytes & 4) !== 0) store<u32>(to, load<u32>(to + distance));
}

/** Zeroes words; `bytes` is a multiple of 4. */
function zeroBytes(at: u32, bytes: u32): void {
  if (bytes > SHORT_BYTES) {
    memory.fill(at, 0, bytes);
    return;
  }
  const end = at + (bytes & ~7);
  while (at < end) {
    store<u64>(at, 0);
    at += 8;
  }
  if ((bytes & 4) !== 0) store<u32>(at, 0);
}

// @ts-ignore: decorator
@unmanaged export class Machine {
  @inline get words(): Words { return changetype<Words>(0); }
  @inline load32(address: u32): u32 { return load<u32>(address); }
  @inline store32(address: u32, value: u32): void { store<u32>(address, value); }
  @inline get threads(): bool { return THREADS; }
  /** Instructions see all of a memory at once. */
  @inline reaches(end: u32): bool { return true; }
  @inline loadShared(address: u32): u32 { return loadShared(address); }
  @inline storeShared(address: u32, value: u32): void { storeShared(address, value); }
  @inline exchange(address: u32, value: u32): u32 { return exchange(address, value); }
  @inline compareExchange(address: u32, expected: u32, value: u32): u32 { return compareExchange(address, expected, value); }
  @inline orShared(address: u32, bits: u32): u32 { return orShared(address, bits); }
  @inline andShared(address: u32, bits: u32): u32 { return andShared(address, bits); }
  @inline addShared(address: u32, value: u32): u32 { return addShared(address, value); }
  @inline clz(word: u32): u32 { return clz<u32>(word); }
  @inline ctz(word: u32): u32 { return ctz<u32>(word); }
  @inline divide(dividend: u32, divisor: u32): u32 { return dividend / divisor; }
  @inline copy(to: u32, from: u32, bytes: u32): void { copyBytes(to, from, bytes); }
  @inline zero(at: u32, bytes: u32): void { zeroBytes(at, bytes); }
  @inline size(): u32 { return <u32>memory.size() << PAGE_LOG2; }
  @inline grow(bytes: u32): u32 { return growBytes(bytes); }
  @inline release(from: u32, to: u32): void { releaseBytes(from, to); }
  abort(code: u32, address: u32): void { refuse(code, address); unreachable(); }
}
