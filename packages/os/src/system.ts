// System: what is asked of the operating system, and the numbers that Linux and macOS give their flags.
//
// Owns:  the calls' meanings; constants. macOS: written by its headers, not tested.
// Needs: nothing.

import { OsError } from "./errors.ts";

export interface Constants {
  readonly mapAnonymous: number;
  readonly mapNoReserve: number;
  /** Pages lose what they hold, and are zero again: what private memory is told. */
  readonly adviseDrop: number;
  /** The same for the pages of shared memory; undefined where there is no such thing. */
  readonly adviseRemove: number | undefined;
  readonly syncNow: number;
  readonly openCreate: number;
  readonly openExclusive: number;
  /** The descriptor is not left to programs that the process starts. */
  readonly openOwn: number;
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
  openOwn: 0o2000000,
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
  openOwn: 0x1000000,
  wouldBlock: 35,
};

/** From where in which file something is mapped. */
export interface FilePart {
  readonly descriptor: number;
  readonly offset: number;
  readonly copied?: boolean;
}

/** The process's address space. */
export interface MappingCalls {
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
}

/** Files, and memory that has a name. Of any length or place in a file, a number is exact: below 2 ** 53. */
export interface FileCalls {
  /** Opens a file that is there, to read and write. Throws an OsError. */
  open(path: string): number;
  /** The file's lock is let go with it, even if something else still leads to the file. */
  close(descriptor: number): void;
  /** How many bytes it has. Throws an OsError. */
  length(descriptor: number): number;
  /** Makes it shorter, or longer by zeros. Throws an OsError. */
  setLength(descriptor: number, bytes: number): void;
  /** Reads from a place in it: how many bytes, less than `bytes` has only where it ends. Throws an OsError. */
  read(descriptor: number, bytes: Uint8Array, from: number): number;
  /** Writes all of the bytes to a place in it. Throws an OsError. */
  write(descriptor: number, bytes: Uint8Array, to: number): void;
  /** Waits until the disk has all that was written. Throws an OsError. */
  flush(descriptor: number): void;
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

export interface Libc extends MappingCalls, FileCalls {
  readonly pageBytes: number;
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
