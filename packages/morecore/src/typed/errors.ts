// Errors: what the typed layers throw.
//
// Owns:  the error classes and the sentences in them.
// Needs: nothing.

/** There is no memory for what was to be made. Nothing has been changed. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  /** What was asked for. */
  readonly bytes: number;

  constructor(bytes: number, what: string) {
    super(`no memory for ${what}: ${bytes} bytes`);
    this.bytes = bytes;
  }
}

/** A reference was used after its scope or arena had ended, or after what it refers to was deleted. */
export class UseAfterFreeError extends Error {
  override readonly name = "UseAfterFreeError";
  /** The type's name. */
  readonly type: string;
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

export type PointerFault = "null" | "misaligned" | "outside" | "not-live";

/** A raw pointer was to become a reference, or to be read or written through, and does not lead to such a thing. */
export class PointerError extends Error {
  override readonly name = "PointerError";
  readonly code: PointerFault;
  readonly address: number;

  constructor(code: PointerFault, type: string, address: number, sentence: string) {
    super(`pointer to ${type}: ${sentence}`);
    this.code = code;
    this.address = address;
  }
}
