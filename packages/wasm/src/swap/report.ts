// Report: what the search for an allocator found, and what was done about it.
//
// Owns:  the names in the report, which are an interface.
// Needs: nothing.

/** `replaced` by the kernel; `dropped` because nothing calls it any more; `used` as it is; `left` in a refused module. */
export type FoundAction = "replaced" | "dropped" | "used" | "left";

/** A function of the malloc family that was found. */
export interface FoundFunction {
  /** In the module as it was. */
  readonly index: number;
  /** Its name, if the module tells. */
  readonly name: string | undefined;
  /** The names by which the module exports it. */
  readonly exportedAs: readonly string[];
  /** C's name for what it does, "helper" for dlmalloc's own parts, or "unknown". */
  readonly role: string;
  /** What becomes of it. */
  readonly action: FoundAction;
  /** By what it was recognised. */
  readonly evidence: readonly string[];
}

/** What was found in a module, and whether its malloc can be replaced. */
export interface SwapReport {
  /** What allocator it is, as far as can be told. */
  readonly allocator: string;
  /** Where dlmalloc's state lies; `relative`: it counts from __memory_base. */
  readonly stateBlock: { readonly address: number; readonly relative: boolean } | undefined;
  /** The malloc family, as it was found. */
  readonly functions: readonly FoundFunction[];
  /** How the heap gets memory. */
  readonly growth: string | undefined;
  /**
   * Where the part of the first memory begins that the malloc takes without asking, and that ends where the memory does;
   * undefined: it takes none. In shared memory: where the heap of all threads begins.
   */
  readonly room: number | undefined;
  /** The module's sbrk keeps a break of its own: no heap may grow but by it. False if it is memory.grow by another name. */
  readonly needsSbrk: boolean;
  /** Why the module is refused; empty: it is not. */
  readonly refusals: readonly string[];
  /** What a user should know though it is no reason to refuse. */
  readonly notes: readonly string[];
}

/**
 * The module cannot be swapped safely, or it cannot be told that it can.
 *
 * @example
 *
 * ```ts
 * const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
 * try {
 *   await swapModule(empty);
 * } catch (error) {
 *   console.log(error instanceof SwapRefusedError && error.report.refusals.length > 0); // true
 * }
 * ```
 */
export class SwapRefusedError extends Error {
  override readonly name = "SwapRefusedError";
  /** What was found, and why it is refused. */
  readonly report: SwapReport;

  constructor(report: SwapReport) {
    super(report.refusals.join("; "));
    this.report = report;
  }
}
