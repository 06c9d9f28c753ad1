// Errors: what an OffsetAllocator throws, and the sentences in it.
//
// Owns:  the error classes.
// Needs: the memory's errors.

import { CorruptError, FormatError, MisuseError } from "../memory/errors.ts";

export type OffsetMisuseCode = "not-a-handle" | "foreign" | "never-given" | "double-free" | "stale";

/** A call was given a handle that is not a live allocation's. Nothing has been changed. */
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

/** The state contradicts itself. Callers cannot cause that: it is a defect of the allocator, or its memory failed. */
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

export type OffsetFormatReason = "length" | "magic" | "version" | "checksum" | "contents";

/** The bytes that were to be loaded are not what `save` makes. */
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
