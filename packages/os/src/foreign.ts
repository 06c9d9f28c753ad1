// Foreign: what is asked of a way to call C, and to see memory that is not V8's.
//
// Owns:  the words for it. node-ffi and koffi are such ways; way.ts takes one.
// Needs: nothing.

/** What C functions take here. A `long` has 64 bits: size_t, off_t, ssize_t. `bytes`: the address of an array's first byte. */
export type Taken = "int" | "long" | "address" | "text" | "bytes";
/** Addresses are bigints; 0n is NULL. */
export type Value = number | bigint | string | Uint8Array;
export type Call<T> = (...values: readonly Value[]) => T;

/** A way to call C. What it does not have, such as a function of that name, it says by its own errors. */
export interface Foreign {
  readonly name: "node:ffi" | "koffi";
  /** A function of the libraries that the process has loaded. It gives a number. */
  number(result: "int" | "long", name: string, ...takes: readonly Taken[]): Call<number>;
  /** The same for one that gives an address. */
  address(name: string, ...takes: readonly Taken[]): Call<bigint>;
  /** The bytes at an address, not a copy of them. It frees nothing when it is collected. */
  view(address: bigint, bytes: number): ArrayBuffer;
  /** The error number of the call that has just failed. */
  errno(): number;
}

/** Gives a module by its name, or throws: Node's `require`. */
export type Find = (name: string) => unknown;
