// What a Machine does to a word that other threads write to. For a kernel with threads, an instruction; for one without, nothing that
// is ever reached.

/** A kernel for heaps that threads share is built with `--enable threads`. */
// @ts-ignore: decorator
@inline export const THREADS: bool = ASC_FEATURE_THREADS;

// @ts-ignore: decorator
@inline export function loadShared(address: u32): u32 {
  if (THREADS) return atomic.load<u32>(address);
  return 0;
}
// @ts-ignore: decorator
@inline export function storeShared(address: u32, value: u32): void {
  if (THREADS) atomic.store<u32>(address, value);
}
// @ts-ignore: decorator
@inline export function exchange(address: u32, value: u32): u32 {
  if (THREADS) return atomic.xchg<u32>(address, value);
  return 0;
}
// @ts-ignore: decorator
@inline export function compareExchange(address: u32, expected: u32, value: u32): u32 {
  if (THREADS) return atomic.cmpxchg<u32>(address, expected, value);
  return 0;
}
// @ts-ignore: decorator
@inline export function orShared(address: u32, bits: u32): u32 {
  if (THREADS) return atomic.or<u32>(address, bits);
  return 0;
}
// @ts-ignore: decorator
@inline export function andShared(address: u32, bits: u32): u32 {
  if (THREADS) return atomic.and<u32>(address, bits);
  return 0;
}
// @ts-ignore: decorator
@inline export function addShared(address: u32, value: u32): u32 {
  if (THREADS) return atomic.add<u32>(address, value);
  return 0;
}
