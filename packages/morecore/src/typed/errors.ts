// Errors: what the typed layers throw.
//
// Owns:  the error classes and the sentences in them.
// Needs: nothing.

/**
 * There is no memory for what was to be made. Nothing has been changed.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create({ memory: new ArrayBuffer(65_536) });
 * try {
 *   heap.newArray(f64, 100_000);
 * } catch (error) {
 *   console.log(error instanceof OutOfMemoryError && error.bytes); // 800000
 * }
 * ```
 */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  /** What was asked for. */
  readonly bytes: number;

  constructor(bytes: number, what: string) {
    super(`no memory for ${what}: ${bytes} bytes`);
    this.bytes = bytes;
  }
}

/**
 * A reference was used after its scope or arena had ended, or after what it refers to was deleted.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create({ checking: true });
 * const point = heap.new(struct({ x: f64 }));
 * heap.delete(point);
 * try {
 *   point.x = 1;
 * } catch (error) {
 *   console.log(error instanceof UseAfterFreeError); // true
 * }
 * ```
 */
export class UseAfterFreeError extends Error {
  override readonly name = "UseAfterFreeError";
  /** The type's name. */
  readonly type: string;
  /** Where it lay. */
  readonly address: number;
  /** What it lived in. */
  readonly scope: string;

  constructor(type: string, address: number, scope: string, end: string) {
    super(`${type} at 0x${address.toString(16)}: used after ${scope} ${end}`);
    this.type = type;
    this.address = address;
    this.scope = scope;
  }
}

/**
 * What is wrong with a raw pointer: it is null, not aligned, leads out of the memory, or lies in no live
 * block.
 */
export type PointerFault = "null" | "misaligned" | "outside" | "not-live";

/**
 * A raw pointer was to become a reference, or to be read or written through, and does not lead to such a thing.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * try {
 *   heap.read(f64, cast(f64, NULL));
 * } catch (error) {
 *   console.log(error instanceof PointerError && error.code); // null
 * }
 * ```
 */
export class PointerError extends Error {
  override readonly name = "PointerError";
  /** What is wrong with it. */
  readonly code: PointerFault;
  /** The address that was given. */
  readonly address: number;

  constructor(code: PointerFault, type: string, address: number, sentence: string) {
    super(`pointer to ${type}: ${sentence}`);
    this.code = code;
    this.address = address;
  }
}
