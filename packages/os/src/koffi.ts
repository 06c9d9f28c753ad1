// Koffi: the package that calls C functions, an optional peer of this one.
//
// Owns:  its prototypes; saying what is wrong with it.
// Needs: nothing.

import { isError } from "morecore/engine";
import { isDenial, OsError } from "./errors.ts";
import type { Call, Find, Foreign, Taken } from "./foreign.ts";

/** The parts of it that are used. Its own types are not ours to depend on: it may be missing. */
interface Koffi {
  load(path: null): { func(prototype: string): Call<unknown> };
  view(address: bigint, bytes: number): ArrayBuffer;
  errno(): number;
}

const TYPES: Readonly<Record<Taken, string>> = {
  int: "int",
  long: "int64_t",
  address: "void *",
  text: "const char *",
  bytes: "void *",
};

/** The package; undefined: it is not there. Throws an OsError if it does not load, and what a runtime says that forbids it. */
export function findKoffi(find: Find): Foreign | undefined {
  const koffi = load(find);
  if (koffi === undefined) return undefined;
  const loaded = koffi.load(null);
  const declare = (result: string, name: string, takes: readonly Taken[]): Call<unknown> =>
    loaded.func(`${result} ${name}(${takes.map((type) => TYPES[type]).join(", ")})`);
  return {
    name: "koffi",
    // What the prototype says is what comes back.
    number: (result, name, ...takes) => declare(TYPES[result], name, takes) as Call<number>,
    address: (name, ...takes) => {
      const call = declare(TYPES.address, name, takes) as Call<bigint | null>;
      return (...values) => call(...values) ?? 0n;
    },
    view: (address, bytes) => koffi.view(address, bytes),
    errno: () => koffi.errno(),
  };
}

function load(find: Find): Koffi | undefined {
  try {
    return find("koffi") as Koffi;
  } catch (error) {
    if (isDenial(error) || !isError(error)) throw error;
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw new OsError(
      "NO_KOFFI",
      `@morecore/os: the package koffi is there, but does not load: ${error.message}`,
      error,
    );
  }
}
