// Koffi: the package that calls C functions, an optional peer of this one, as far as it is used here.
//
// Owns:  finding it; saying how to get it.
// Needs: Node.

import { createRequire } from "node:module";
import { OsError } from "./errors.ts";

/** What C functions take and give here; addresses are bigints. */
export type Foreign = number | bigint | string | null;
export type ForeignFunction = (...values: readonly Foreign[]) => unknown;

export interface Koffi {
  load(path: string | null): { func(prototype: string): ForeignFunction };
  /** An ArrayBuffer over memory that is not V8's. It frees nothing. */
  view(address: bigint, bytes: number): ArrayBuffer;
  errno(): number;
}

let loaded: Koffi | undefined;

/** The package, loaded at first use. Throws an OsError that says how to get it. */
export function loadKoffi(): Koffi {
  loaded ??= requireKoffi(createRequire(import.meta.url));
  return loaded;
}

/** The package, by a way to find packages. */
export function requireKoffi(require: (name: string) => unknown): Koffi {
  try {
    // The package's own types are not ours to depend on: it may be missing. These are the parts that koffi 3 has.
    return require("koffi") as Koffi;
  } catch (error) {
    throw new OsError("NO_KOFFI", "@morecore/os needs the package koffi: npm install koffi", error);
  }
}
