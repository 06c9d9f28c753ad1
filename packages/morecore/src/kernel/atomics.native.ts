// The same for the native library, which brings them: what makes C of the kernel knows no atomic instruction.

/** In a native program there is always another thread to come. */
// @ts-ignore: decorator
@inline export const THREADS: bool = true;

// @ts-ignore: decorator
@external("morecore", "load_shared") export declare function loadShared(address: u32): u32;
// @ts-ignore: decorator
@external("morecore", "store_shared") export declare function storeShared(address: u32, value: u32): void;
// @ts-ignore: decorator
@external("morecore", "exchange") export declare function exchange(address: u32, value: u32): u32;
// @ts-ignore: decorator
@external("morecore", "compare_exchange") export declare function compareExchange(address: u32, expected: u32, value: u32): u32;
// @ts-ignore: decorator
@external("morecore", "or_shared") export declare function orShared(address: u32, bits: u32): u32;
// @ts-ignore: decorator
@external("morecore", "and_shared") export declare function andShared(address: u32, bits: u32): u32;
// @ts-ignore: decorator
@external("morecore", "add_shared") export declare function addShared(address: u32, value: u32): u32;
