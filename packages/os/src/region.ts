// Region: a stretch of the process's address space, as an ArrayBuffer.
//
// Owns:  the reservation, until nobody can reach its buffer any more; addresses inside and their offsets.
// Needs: libc.
//
// The buffer covers the whole reservation from the beginning, and is never another. V8 cannot be told to
// forget a buffer that it does not own. So what is mapped there is never taken away. It is only replaced by
// zero pages, and given up when the buffer has been collected. No view can lead to memory that is not there:
// but for a file that somebody else has made shorter since it was mapped.

import { type Memory } from "morecore";
import { ADDRESS_END, describe, MEMORY_UNIT, refuseWord } from "morecore/engine";
import { OsError } from "./errors.ts";
import { libc } from "./libc.ts";
import { foreign } from "./way.ts";

/** The largest reservation: 4 GiB, what 32-bit addresses reach. */
export const MAX_RESERVE = 2 ** 32;
/** Where halving ends when the system will not give as much as was hoped for, and no more is needed. */
export const LEAST_RESERVE = 64 * 1024 * 1024;

/** A memory of the operating system's: its buffer lies at an address that C functions can be given. */
export interface OsMemory extends Memory {
  /** All that can ever be had; bytes from `size` on are not there to be used. */
  readonly buffer: ArrayBuffer;
  /** Bytes that can be used now; the buffer's are those that can ever be. */
  readonly size: number;
  /** Where the buffer's first byte lies in the process. */
  readonly address: bigint;
  /** Blocks above this many bytes give their pages back when they are freed; Infinity: none do. */
  readonly mmapThreshold: number | "dynamic";
  /** Bytes of an OS page. */
  readonly pageBytes: number;
}

const DEFAULT_THRESHOLD = "dynamic";

/** Throws unless an option is a threshold. */
export function thresholdOf(value: unknown): number | "dynamic" {
  if (value === undefined) return DEFAULT_THRESHOLD;
  if (value === "dynamic" || (typeof value === "number" && value >= 0)) return value;
  const message = `mmapThreshold: expected a number of bytes, Infinity or "dynamic", got ${describe(value)}`;
  throw typeof value === "number" ? new RangeError(message) : new TypeError(message);
}

/** Throws unless a number of bytes can be reserved. Undefined: the most, or less where the system will not give it. */
export function checkReserve(name: string, bytes: number): number {
  if (typeof bytes !== "number") refuseWord(name, bytes);
  if (Number.isInteger(bytes) && bytes >= MEMORY_UNIT && bytes <= MAX_RESERVE)
    return Math.ceil(bytes / MEMORY_UNIT) * MEMORY_UNIT;
  const hint = bytes === 0 ? " (in JavaScript, 4 << 30 is 0: write 4 * 2 ** 30)" : "";
  throw new RangeError(`${name}: expected ${MEMORY_UNIT} to ${MAX_RESERVE} bytes, got ${bytes}${hint}`);
}

const unreachable = new FinalizationRegistry<{ address: bigint; bytes: number }>(({ address, bytes }) => {
  libc().unreserve(address, bytes);
});

/**
 * An ArrayBuffer over so many reserved zero pages, and its address; over a half, a quarter … where the system will not give
 * as much, but never less than `least`. Throws an OsError when there is no room.
 */
export function reserveRegion(bytes: number, least: number): { address: bigint; buffer: ArrayBuffer } {
  let wanted = bytes;
  let address: bigint | undefined;
  while (address === undefined) {
    try {
      address = libc().reserve(wanted);
    } catch (error) {
      if (wanted === least || !(error instanceof OsError)) throw error;
      wanted = Math.max(least, Math.floor(wanted / 2 / MEMORY_UNIT) * MEMORY_UNIT);
    }
  }
  const buffer = foreign().view(address, wanted);
  unreachable.register(buffer, { address, bytes: wanted });
  return { address, buffer };
}

/** Calls back with the whole pages of a range of offsets, if it has any. */
export function wholePages(
  memory: OsMemory,
  from: number,
  to: number,
  give: (address: bigint, bytes: number) => void,
): void {
  const page = memory.pageBytes;
  const first = Math.ceil(from / page) * page;
  const past = Math.floor(Math.min(to, memory.size) / page) * page;
  if (first < past) give(memory.address + BigInt(first), past - first);
}

/** How far a heap can ever reach in a buffer. */
export function reachOf(buffer: ArrayBuffer): number {
  return Math.min(buffer.byteLength, ADDRESS_END);
}
