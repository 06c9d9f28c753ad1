// Errors: what the heap throws, and how the kernel's codes become words.
//
// Owns:  the error classes, and what is added to the sentences of abi/codes.ts.
// Needs: the table of codes; the engine, and what it says of addresses and images.

import { MISUSE, type MisuseCode } from "../abi/codes.ts";
import type { Base } from "../kernel/address.ts";
import { engine } from "../kernel/design.ts";
import type { FormatReason, Mismatch } from "../kernel/engine.ts";
import type { Machine } from "../kernel/machine.ts";
import { hex } from "../memory/arguments.ts";
import { CorruptError, FormatError, MisuseError } from "../memory/errors.ts";

export type { MisuseCode };

/**
 * A call was given an address that is not a live block's, or a wrong size for it. Nothing has been changed.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const ptr = heap.malloc(8);
 * heap.free(ptr);
 * try {
 *   heap.free(ptr);
 * } catch (error) {
 *   console.log(error instanceof HeapMisuseError && error.code); // double-free
 * }
 * ```
 */
export class HeapMisuseError extends MisuseError<MisuseCode> {
  override readonly name = "HeapMisuseError";
  /** The address that was given. */
  readonly address: number;

  constructor(code: MisuseCode, address: number, message: string) {
    super(code, message);
    this.address = address;
  }
}

/**
 * What the allocator had written has been overwritten: a write after free, or past a block's end.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * try {
 *   heap.check(); // O(chunks)
 * } catch (error) {
 *   if (error instanceof HeapCorruptError) console.log(error.invariant, error.address);
 * }
 * ```
 */
export class HeapCorruptError extends CorruptError {
  override readonly name = "HeapCorruptError";
  /** "C1" … "T3"; "link" when a list led astray in a call; "file" for a word that only a file's opening looks at. */
  declare readonly invariant: string;
  /** Where it shows. */
  readonly address: number;

  constructor(invariant: string, address: number, message: string) {
    super(invariant, message);
    this.address = address;
  }
}

export type { FormatReason };

/**
 * The bytes that were to be attached to are not a heap of this format at that base.
 *
 * @example
 *
 * ```ts
 * try {
 *   Heap.attach(new ArrayBuffer(65_536), 16);
 * } catch (error) {
 *   console.log(error instanceof HeapFormatError && error.base); // 16
 * }
 * ```
 */
export class HeapFormatError extends FormatError<FormatReason> {
  override readonly name = "HeapFormatError";
  /** The address at which a heap was expected. */
  readonly base: number;

  constructor(reason: FormatReason, base: number, message: string) {
    super(reason, message);
    this.base = base;
  }
}

const misuseBy = new Map(Object.values(MISUSE).map((misuse) => [misuse.number, misuse]));

/** Throws what a kernel's code means. */
export function refuse(m: Machine, heap: Base, refused: number, address: number): never {
  const misuse = misuseBy.get(refused);
  if (misuse !== undefined) {
    const { is, words, byHeader } = misuse;
    const { sentence, sure } = engine.evidence(m, heap, refused, address);
    const found = sentence === "" ? "" : `; ${sentence}`;
    const says = sure ? words : (byHeader ?? words);
    throw new HeapMisuseError(is, address, `${hex(address)}: ${says}${found} (${is})`);
  }
  const { invariant, sentence } = engine.breach(refused) ?? {
    invariant: "?",
    sentence: `unknown code ${refused}`,
  };
  throw new HeapCorruptError(
    invariant,
    address,
    `heap corrupted at ${hex(address)}: ${sentence} (${invariant})`,
  );
}

/** For a call that would leave the memory, which WebAssembly stops, or was given what is no block: an address of the heap's own was overwritten. */
export function ledAstray(base: number, cause?: unknown): HeapCorruptError {
  const sentence = "an address that it keeps has been overwritten, and led a call astray";
  const error = new HeapCorruptError("link", base, `heap corrupted at ${hex(base)}: ${sentence} (link)`);
  if (cause !== undefined) error.cause = cause;
  return error;
}

/** Throws that no heap of this format lies at a base, and why. */
export function refuseImage(base: number, { reason, sentence }: Mismatch): never {
  throw new HeapFormatError(reason, base, `no heap to attach to at ${hex(base)}: ${sentence}`);
}
