// Node-ffi: Node's own way to call C. It is experimental: Node says so on stderr when it is loaded.
//
// Owns:  its signatures; whether it is the one that this was written for; where errno lies.
// Needs: nothing.
//
// It has no call for errno. So its address is asked for once, and read right after a call that failed. Each thread of the
// process has an errno of its own, and a module of its own that asks for it. Only what V8 does on this thread between the two, such
// as a collection that returns memory to the system, could write to it; koffi reads it no sooner.

import { OsError } from "./errors.ts";
import type { Call, Find, Foreign, Taken } from "./foreign.ts";

interface Signature {
  readonly return: string;
  readonly arguments: readonly string[];
}

/** The parts of it that are used, as Node 26.12 has them. */
interface NodeFfi {
  readonly DynamicLibrary: new (path: null) => Library;
  getInt32(address: bigint): number;
  /** Copies, unless it is told not to. */
  toArrayBuffer(address: bigint, bytes: number, copy: boolean): ArrayBuffer;
  getRawPointer(buffer: ArrayBuffer): bigint;
}

interface Library {
  getFunction(name: string, signature: Signature): Call<number | bigint>;
}

const TYPES: Readonly<Record<Taken, string>> = {
  int: "int32",
  long: "int64",
  address: "pointer",
  text: "string",
  bytes: "buffer",
};

/** Node's own way; undefined: there is none, or one that works otherwise. Throws what Node says that forbids it. */
export function findNodeFfi(find: Find, platform: string): Foreign | undefined {
  const ffi = load(find);
  if (ffi === undefined) return undefined;
  const loaded = new ffi.DynamicLibrary(null);
  const declare = (result: Taken, name: string, takes: readonly Taken[]): Call<number | bigint> => {
    const types = takes.map((type) => TYPES[type]);
    return withLongs(takes, loaded.getFunction(name, { return: TYPES[result], arguments: types }));
  };
  if (!isAsExpected(declare)) return undefined;
  const errnoAt = declare("address", platform === "darwin" ? "__error" : "__errno_location", [])() as bigint;
  return {
    name: "node:ffi",
    number: (result, name, ...takes) => {
      const call = declare(result, name, takes);
      return (...values) => Number(call(...values));
    },
    // What the signature says is what comes back.
    address: (name, ...takes) => declare("address", name, takes) as Call<bigint>,
    view: (address, bytes) => {
      const buffer = ffi.toArrayBuffer(address, bytes, false);
      if (ffi.getRawPointer(buffer) === address) return buffer;
      throw new OsError("OTHER", `node:ffi has copied the ${bytes} bytes that it was to give a view of`);
    },
    errno: () => ffi.getInt32(errnoAt),
  };
}

/** Nodes before 26.12 take nothing but bigints for 64 bits. */
function withLongs(takes: readonly Taken[], call: Call<number | bigint>): Call<number | bigint> {
  if (!takes.includes("long")) return call;
  return (...values) =>
    call(...values.map((value, at) => (takes[at] === "long" ? BigInt(value as number) : value)));
}

function load(find: Find): NodeFfi | undefined {
  try {
    return find("node:ffi") as NodeFfi;
  } catch (error) {
    // Whatever has no such module says so by this code: Node, Deno, Bun.
    if ((error as NodeJS.ErrnoException).code === "ERR_UNKNOWN_BUILTIN_MODULE") return undefined;
    throw error;
  }
}

/** Its names for the parts of a signature have changed before, and names that it does not know are passed over without a word. */
function isAsExpected(
  declare: (result: Taken, name: string, takes: readonly Taken[]) => Call<unknown>,
): boolean {
  try {
    return declare("int", "abs", ["int"])(-7) === 7 && declare("long", "labs", ["long"])(-7) === 7n;
  } catch {
    return false;
  }
}
