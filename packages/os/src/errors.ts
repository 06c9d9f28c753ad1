// Errors: what the operating system refused, in words.
//
// Owns:  the error class; which of the system's error numbers have names here.
// Needs: nothing.

import { isError } from "morecore/engine";

/** Why an operating system's memory cannot be had, or cannot be used. docs/OS.md has a table of them. */
export type OsErrorCode =
  | "NO_KOFFI"
  | "NOT_ALLOWED"
  | "PLATFORM"
  | "ENOMEM"
  | "ENOSPC"
  | "EEXIST"
  | "ENOENT"
  | "EACCES"
  | "IN_USE"
  | "NOT_A_HEAP"
  | "OTHER_SIZE"
  | "TRUNCATED"
  | "BEYOND_REPAIR"
  | "CLOSED"
  | "OTHER";

/**
 * The operating system gave no memory, or a file or shared memory cannot be a heap. The message says which,
 * and why.
 *
 * @example
 *
 * ```ts
 * try {
 *   mmapMemory({ reserve: 4 * 2 ** 30 });
 * } catch (error) {
 *   if (error instanceof OsError) console.log(error.code);
 * }
 * ```
 */
export class OsError extends Error {
  override readonly name = "OsError";
  /** Why: docs/OS.md has a table of the codes. */
  readonly code: OsErrorCode;

  constructor(code: OsErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** The error for a heap of which too little is left. */
export function beyondRepair(why: string, cause?: unknown): OsError {
  return new OsError("BEYOND_REPAIR", `beyond repair: ${why}`, cause);
}

/** Whether a runtime has refused something for want of a permission: in Node's words, or in Deno's. */
export function isDenial(error: unknown): boolean {
  if (!isError(error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return error.name === "NotCapable" || code === "ERR_ACCESS_DENIED" || code === "ERR_DLOPEN_DISABLED";
}

/** Those that mean the same on Linux and macOS. */
const NAMES: Readonly<Record<number, readonly [OsErrorCode, string]>> = {
  2: ["ENOENT", "there is nothing of that name (ENOENT)"],
  12: ["ENOMEM", "the system has no more memory, or a limit (RLIMIT_AS, RLIMIT_DATA) forbids it (ENOMEM)"],
  13: ["EACCES", "permission denied (EACCES)"],
  17: ["EEXIST", "it is there already (EEXIST)"],
  28: ["ENOSPC", "the device has no more room (ENOSPC)"],
};

/** The error for a call of the system that failed with an error number. */
export function refused(what: string, errno: number): OsError {
  const [code, sentence] = NAMES[errno] ?? ["OTHER", `the system's error ${errno}`];
  return new OsError(code, `${what}: ${sentence}`);
}
