// Libc: the system's calls, with the numbers that Linux and macOS give their flags.
//
// Owns:  prototypes and constants. macOS: written by its headers, not tested.
// Needs: koffi.
//
// Each function throws or gives a plain answer; nobody else looks at errno.

import { endianness } from "node:os";
import { OsError, refused } from "./errors.ts";
import { type Koffi, loadKoffi } from "./koffi.ts";

interface Constants {
  readonly mapAnonymous: number;
  readonly mapNoReserve: number;
  /** Pages lose what they hold, and are zero again: what private memory is told. */
  readonly adviseDrop: number;
  /** The same for the pages of shared memory; undefined where there is no such thing. */
  readonly adviseRemove: number | undefined;
  readonly syncNow: number;
  readonly openCreate: number;
  readonly openExclusive: number;
  readonly wouldBlock: number;
}

const LINUX: Constants = {
  mapAnonymous: 0x20,
  mapNoReserve: 0x4000,
  adviseDrop: 4, // MADV_DONTNEED
  adviseRemove: 9, // MADV_REMOVE
  syncNow: 4,
  openCreate: 0o100,
  openExclusive: 0o200,
  wouldBlock: 11,
};

// MADV_FREE: pages may keep what they hold until the system wants them, which Memory.release allows.
const MACOS: Constants = {
  mapAnonymous: 0x1000,
  mapNoReserve: 0x40,
  adviseDrop: 5,
  adviseRemove: undefined,
  syncNow: 0x10,
  openCreate: 0x200,
  openExclusive: 0x800,
  wouldBlock: 35,
};

// The same on both.
const NO_ACCESS = 0;
const READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const OPEN_READ_WRITE = 2;
const LOCK_EXCLUSIVE = 2;
const LOCK_NO_WAIT = 4;
const LOCK_RELEASE = 8;
const EINTR = 4;
const OWNER_ONLY = 0o600;

/** mmap and sbrk say no with an address of all ones. */
const FAILED = 0xffff_ffff_ffff_ffffn;

/** From where in which file something is mapped. */
export interface FilePart {
  readonly descriptor: number;
  readonly offset: number;
  readonly copied?: boolean;
}

export interface Libc {
  readonly pageBytes: number;
  /**
   * Address space of zero pages that are taken when they are written, between two that cannot be touched: C code that runs
   * over the end is stopped there. Throws an OsError.
   */
  reserve(bytes: number): bigint;
  /** Gives up what `reserve` gave. */
  unreserve(address: bigint, bytes: number): void;
  /**
   * Puts bytes of a file, or zero pages (`file` is undefined), in the place of what is mapped there. Throws an OsError. What
   * is written to `copied` bytes of a file is written to the process's own copy of the page.
   */
  mapOver(address: bigint, bytes: number, file?: FilePart): void;
  /** Gives whole pages back. Nothing, where the system cannot. */
  drop(address: bigint, bytes: number): void;
  /** Gives whole pages of shared memory back, and what they hold. */
  remove(address: bigint, bytes: number): void;
  /** The break, moved by so many bytes: the one before. Undefined: refused. */
  sbrk(bytes: number): bigint | undefined;
  /** Writes what has changed to the file. Throws an OsError. */
  sync(address: bigint, bytes: number): void;
  /** Gives a file blocks up to a size, without which writing to a mapping may kill. False: there are none. */
  allocate(descriptor: number, offset: number, bytes: number): boolean;
  /** False: another has the lock and `wait` is false. */
  lock(descriptor: number, wait: boolean): boolean;
  unlock(descriptor: number): void;
  /** Opens a shared memory object. Undefined: it is there already (`create`), or is not there. */
  openShared(name: string, create: boolean): number | undefined;
  /** Removes the name of a shared memory object. False: there is none of that name. Throws an OsError. */
  unlinkShared(name: string): boolean;
}

let bound: Libc | undefined;

/** The system's calls, bound at first use. Throws an OsError: no koffi, or a platform that this is not written for. */
export function libc(): Libc {
  bound ??= bind(loadKoffi(), constantsOf(process.platform, endianness()));
  return bound;
}

/** The numbers of a platform. Throws an OsError where there are none. */
export function constantsOf(platform: string, order: string): Constants {
  const constants = platform === "linux" ? LINUX : platform === "darwin" ? MACOS : undefined;
  if (constants === undefined || order !== "LE")
    throw new OsError(
      "PLATFORM",
      `@morecore/os: expected Linux or macOS on a little-endian machine, got ${platform} (${order})`,
    );
  return constants;
}

function bind(koffi: Koffi, constants: Constants): Libc {
  const calls = koffi.load(null);
  // What the prototype says is what comes back: the casts repeat it.
  const number = (prototype: string) => {
    const call = calls.func(prototype);
    return (...values: readonly (number | bigint | string | null)[]): number => call(...values) as number;
  };
  const address = (prototype: string) => {
    const call = calls.func(prototype);
    return (...values: readonly (number | bigint | string | null)[]): bigint =>
      (call(...values) as bigint | null) ?? 0n;
  };
  return {
    pageBytes: number("int getpagesize()")(),
    ...bindMapping(koffi, constants, number, address),
    ...bindFiles(koffi, constants, number),
  };
}

type Bind<T> = (prototype: string) => (...values: readonly (number | bigint | string | null)[]) => T;

function bindMapping(
  koffi: Koffi,
  constants: Constants,
  number: Bind<number>,
  address: Bind<bigint>,
): Pick<Libc, "reserve" | "unreserve" | "mapOver" | "drop" | "remove" | "sbrk" | "sync"> {
  const mmap = address("void *mmap(void *, size_t, int, int, int, int64_t)");
  const page = number("int getpagesize()")();
  const mprotect = number("int mprotect(void *, size_t, int)");
  const munmap = number("int munmap(void *, size_t)");
  const madvise = number("int madvise(void *, size_t, int)");
  const msync = number("int msync(void *, size_t, int)");
  const sbrk = address("void *sbrk(intptr_t)");
  const empty = MAP_PRIVATE | constants.mapAnonymous | constants.mapNoReserve;
  const map = (
    at: bigint | null,
    bytes: number,
    flags: number,
    descriptor: number,
    offset: number,
  ): bigint => {
    const got = mmap(at, bytes, READ_WRITE, flags, descriptor, offset);
    if (got === FAILED) throw refused(`mmap of ${bytes} bytes`, koffi.errno());
    return got;
  };
  return {
    reserve: (bytes) => {
      const first = map(null, bytes + 2 * page, empty, -1, 0);
      const at = first + BigInt(page);
      for (const guard of [first, at + BigInt(bytes)]) {
        if (mprotect(guard, page, NO_ACCESS) === 0) continue;
        const error = refused("mprotect", koffi.errno());
        munmap(first, bytes + 2 * page);
        throw error;
      }
      return at;
    },
    unreserve: (at, bytes) => {
      munmap(at - BigInt(page), bytes + 2 * page);
    },
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
      if (msync(at, bytes, constants.syncNow) !== 0) throw refused(`msync of ${bytes} bytes`, koffi.errno());
    },
  };
}

function bindFiles(
  koffi: Koffi,
  constants: Constants,
  number: Bind<number>,
): Pick<Libc, "allocate" | "lock" | "unlock" | "openShared" | "unlinkShared"> {
  const flock = number("int flock(int, int)");
  // Not on macOS, where files have holes and a full disk shows when it is written.
  const fallocate =
    process.platform === "linux" ? number("int posix_fallocate(int, int64_t, int64_t)") : undefined;
  const shmOpen = number("int shm_open(const char *, int, uint32_t)");
  const shmUnlink = number("int shm_unlink(const char *)");
  return {
    allocate: (descriptor, offset, bytes) => {
      if (fallocate === undefined) return true;
      let status = fallocate(descriptor, offset, bytes);
      while (status === EINTR) status = fallocate(descriptor, offset, bytes);
      return status === 0;
    },
    lock: (descriptor, wait) => {
      const operation = LOCK_EXCLUSIVE | (wait ? 0 : LOCK_NO_WAIT);
      while (flock(descriptor, operation) !== 0) {
        const errno = koffi.errno();
        if (errno === constants.wouldBlock) return false;
        if (errno !== EINTR) throw refused("flock", errno);
      }
      return true;
    },
    unlock: (descriptor) => {
      flock(descriptor, LOCK_RELEASE);
    },
    openShared: (name, create) => {
      const flags = OPEN_READ_WRITE | (create ? constants.openCreate | constants.openExclusive : 0);
      const descriptor = shmOpen(name, flags, OWNER_ONLY);
      if (descriptor >= 0) return descriptor;
      const error = refused(`shm_open of ${name}`, koffi.errno());
      if (error.code === (create ? "EEXIST" : "ENOENT")) return undefined;
      throw error;
    },
    unlinkShared: (name) => {
      if (shmUnlink(name) === 0) return true;
      const error = refused(`shm_unlink of ${name}`, koffi.errno());
      if (error.code === "ENOENT") return false;
      throw error;
    },
  };
}
