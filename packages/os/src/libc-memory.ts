// Libc-memory: the calls that change the process's address space.
//
// Needs: a way to call C, the constants of system.

import { refused } from "./errors.ts";
import type { Foreign } from "./foreign.ts";
import type { Constants, MappingCalls } from "./system.ts";

// The same on Linux and macOS.
const NO_ACCESS = 0;
const READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;

/** mmap and sbrk say no with an address of all ones. */
const FAILED = 0xffff_ffff_ffff_ffffn;
/** Where the system is free to choose. */
const ANYWHERE = 0n;

type Map = (at: bigint, bytes: number, flags: number, descriptor: number, offset: number) => bigint;

export function bindMapping(way: Foreign, constants: Constants, page: number): MappingCalls {
  const map = bindMap(way);
  const madvise = way.number("int", "madvise", "address", "long", "int");
  const msync = way.number("int", "msync", "address", "long", "int");
  const sbrk = way.address("sbrk", "long");
  const empty = MAP_PRIVATE | constants.mapAnonymous | constants.mapNoReserve;
  return {
    ...bindReserve(way, map, empty, page),
    mapOver: (at, bytes, file) => {
      if (file === undefined) map(at, bytes, empty | MAP_FIXED, -1, 0);
      else {
        const kind = file.copied === true ? MAP_PRIVATE | constants.mapNoReserve : MAP_SHARED;
        map(at, bytes, kind | MAP_FIXED, file.descriptor, file.offset);
      }
    },
    drop: (at, bytes) => {
      madvise(at, bytes, constants.adviseDrop);
    },
    remove: (at, bytes) => {
      madvise(at, bytes, constants.adviseRemove ?? constants.adviseDrop);
    },
    sbrk: (bytes) => {
      const before = sbrk(bytes);
      return before === FAILED ? undefined : before;
    },
    sync: (at, bytes) => {
      if (msync(at, bytes, constants.syncNow) !== 0) throw refused(`msync of ${bytes} bytes`, way.errno());
    },
  };
}

function bindMap(way: Foreign): Map {
  const mmap = way.address("mmap", "address", "long", "int", "int", "int", "long");
  return (at, bytes, flags, descriptor, offset) => {
    const got = mmap(at, bytes, READ_WRITE, flags, descriptor, offset);
    if (got === FAILED) throw refused(`mmap of ${bytes} bytes`, way.errno());
    return got;
  };
}

/** A reservation has a page on either side that cannot be touched. */
function bindReserve(
  way: Foreign,
  map: Map,
  empty: number,
  page: number,
): Pick<MappingCalls, "reserve" | "unreserve"> {
  const mprotect = way.number("int", "mprotect", "address", "long", "int");
  const munmap = way.number("int", "munmap", "address", "long");
  return {
    reserve: (bytes) => {
      const first = map(ANYWHERE, bytes + 2 * page, empty, -1, 0);
      const at = first + BigInt(page);
      for (const guard of [first, at + BigInt(bytes)]) {
        if (mprotect(guard, page, NO_ACCESS) === 0) continue;
        const error = refused("mprotect", way.errno());
        munmap(first, bytes + 2 * page);
        throw error;
      }
      return at;
    },
    unreserve: (at, bytes) => {
      munmap(at - BigInt(page), bytes + 2 * page);
    },
  };
}
