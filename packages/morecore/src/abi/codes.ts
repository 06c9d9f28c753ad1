// Codes: what the kernel refuses a call with, and the states of a piece, in the words of each language.
//
// Owns:  the sentences. The numbers are the kernel's own (kernel/codes.ts, kernel/walk.ts), named here once.
// Needs: the kernel's codes and states. C gets all of this by `npm run abi -- --write` and `npm run build:native`.

import * as code from "../kernel/codes.ts";
import { CACHED, FREE, LIVE, OVERHEAD, TOP } from "../kernel/walk.ts";

export const PIECE_STATES = { LIVE, CACHED, FREE, TOP, OVERHEAD } as const;

type CodeName = keyof typeof code;
/** What check() finds, and CORRUPTED, which any call may: the heap is broken. All others: the call is wrong. */
type BrokenName = Extract<CodeName, `BROKEN_${string}`> | "CORRUPTED";
export type MisuseName = Exclude<CodeName, BrokenName>;

/** HeapMisuseError's code. */
export type MisuseCode =
  | "misaligned"
  | "outside"
  | "double-free"
  | "not-a-block"
  | "size-mismatch"
  | "alignment-mismatch"
  | "listed-twice"
  | "taken-back";

export interface Misuse {
  readonly number: number;
  readonly is: MisuseCode;
  readonly words: string;
  /** What is said where headers alone tell so: they may have been overwritten. */
  readonly byHeader?: string;
}

export const MISUSE: Readonly<Record<MisuseName, Misuse>> = {
  MISALIGNED: {
    number: code.MISALIGNED,
    is: "misaligned",
    words: "expected a multiple of 16, as every block's address is",
  },
  OUTSIDE: { number: code.OUTSIDE, is: "outside", words: "expected an address inside this heap" },
  DOUBLE_FREE: {
    number: code.DOUBLE_FREE,
    is: "double-free",
    words: "expected a live block, found one that was freed before",
    byHeader:
      "expected a live block, found a header that says free: it was freed before, or overwritten from the block before it",
  },
  NOT_A_BLOCK: {
    number: code.NOT_A_BLOCK,
    is: "not-a-block",
    words: "expected a live block, found no block that begins here",
    byHeader:
      "expected a live block, found no header of one: no block begins here, or it or the next header was overwritten",
  },
  SIZE_MISMATCH: {
    number: code.SIZE_MISMATCH,
    is: "size-mismatch",
    words: "expected the size that the block was asked for with, found a block of another",
  },
  ALIGNMENT_MISMATCH: {
    number: code.ALIGNMENT_MISMATCH,
    is: "alignment-mismatch",
    words: "expected a power of two that divides the address",
  },
  LISTED_TWICE: {
    number: code.LISTED_TWICE,
    is: "listed-twice",
    words: "expected each block once, found it twice in one list",
  },
  TAKEN_BACK: {
    number: code.TAKEN_BACK,
    is: "taken-back",
    words: "this thread was not heard of, and its place in the shared heap has been taken back; attach anew",
  },
};

/** What C's builds print, behind the call and the address. */
export const WORDS_IN_C: Readonly<Record<MisuseName | "CORRUPTED", { words: string; sure?: string }>> = {
  MISALIGNED: { words: "no block's address, for it is no multiple of 16" },
  OUTSIDE: { words: "no block's address, for it is outside the heap" },
  DOUBLE_FREE: {
    words: "the block was freed before, or its header was overwritten",
    // What the native library says once it has looked at what lies around the block.
    sure: "the block was freed before",
  },
  NOT_A_BLOCK: { words: "no block begins there, or its header was overwritten" },
  SIZE_MISMATCH: { words: "the block has another size" },
  ALIGNMENT_MISMATCH: { words: "the block has another alignment" },
  CORRUPTED: { words: "heap corrupted there, by a write after free or past a block's end" },
  LISTED_TWICE: { words: "the list has the block twice" },
  TAKEN_BACK: { words: "the thread was not heard of, and its place in the heap has been taken back" },
};

/** The codes that C's programs are told, by the kernel's names: misuse, and CORRUPTED. In the order of their numbers. */
export function codesForC(): readonly (readonly [name: keyof typeof WORDS_IN_C, number: number])[] {
  const codes = Object.keys(WORDS_IN_C).map((name) => {
    // The keys are those of the record: nothing has been added to it.
    const known = name as keyof typeof WORDS_IN_C;
    return [known, known === "CORRUPTED" ? code.CORRUPTED : MISUSE[known].number] as const;
  });
  return codes.sort(([, one], [, other]) => one - other);
}
