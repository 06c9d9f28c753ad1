// Errors: what an OffsetAllocator throws, and the sentences in it.
//
// Owns:  the error classes.
// Needs: the memory's errors.

import { CorruptError, FormatError, MisuseError } from "../memory/errors.ts";

/** What was wrong with a handle: see OffsetMisuseError.code. */
export type OffsetMisuseCode = "not-a-handle" | "foreign" | "never-given" | "double-free" | "stale";

/**
 * A call was given a handle that is not a live allocation's. Nothing has been changed.
 *
 * @example
 *
 * ```ts
 * const ranges = new OffsetAllocator(100);
 * const range = ranges.allocate(10)!;
 * ranges.free(range);
 * try {
 *   ranges.free(range);
 * } catch (error) {
 *   console.log(error instanceof OffsetMisuseError && error.code); // double-free
 * }
 * ```
 */
export class OffsetMisuseError extends MisuseError<OffsetMisuseCode> {
  override readonly name = "OffsetMisuseError";
  /**
   * "double-free": freed again. "stale": used after it was freed. "foreign": of another allocator. "never-given": of this
   * one by its tag, but never handed out. "not-a-handle": not a number that could be one.
   */
  declare readonly code: OffsetMisuseCode;
  /** What was given. */
  readonly handle: unknown;

  constructor(code: OffsetMisuseCode, handle: unknown, message: string) {
    super(code, message);
    this.handle = handle;
  }
}

/**
 * The state contradicts itself. Callers cannot cause that: it is a defect of the allocator, or its memory failed.
 *
 * @example
 *
 * ```ts
 * const ranges = new OffsetAllocator(100);
 * try {
 *   ranges.check(); // O(slots)
 * } catch (error) {
 *   if (error instanceof OffsetCorruptError) console.log(error.invariant, error.slot);
 * }
 * ```
 */
export class OffsetCorruptError extends CorruptError {
  override readonly name = "OffsetCorruptError";
  /** "R1" … "C1", as in the sources. */
  declare readonly invariant: string;
  /** The slot where it shows. */
  readonly slot: number;

  constructor(invariant: string, slot: number, message: string) {
    super(invariant, `slot ${slot}: ${message} (${invariant})`);
    this.slot = slot;
  }
}

/** What of the bytes is not what `save` makes. */
export type OffsetFormatReason = "length" | "magic" | "version" | "checksum" | "contents";

/**
 * The bytes that were to be loaded are not what `save` makes.
 *
 * @example
 *
 * ```ts
 * try {
 *   OffsetAllocator.load(new Uint8Array(3));
 * } catch (error) {
 *   console.log(error instanceof OffsetFormatError && error.reason); // length
 * }
 * ```
 */
export class OffsetFormatError extends FormatError<OffsetFormatReason> {
  override readonly name = "OffsetFormatError";
}

/** Any value, short, for a message. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
