// Errors: what any allocator may have to say: a call was wrong, what it keeps is not sound, bytes are none of its.
//
// Owns:  what such errors have in common.
// Needs: nothing.

/** A call was given what is not a live allocation's. Nothing has been changed. */
export abstract class MisuseError<Code extends string> extends Error {
  /** What was wrong with it. */
  readonly code: Code;

  constructor(code: Code, message: string) {
    super(message);
    this.code = code;
  }
}

/** What an allocator keeps contradicts itself. */
export abstract class CorruptError extends Error {
  /** The invariant that does not hold, as in the sources. */
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(message);
    this.invariant = invariant;
  }
}

/** Bytes that were to be taken over are not what an allocator leaves. */
export abstract class FormatError<Reason extends string> extends Error {
  /** What of the bytes is wrong. */
  readonly reason: Reason;

  constructor(reason: Reason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}
