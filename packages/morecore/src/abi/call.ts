// Call: what is said of a call of the malloc family, and what follows from that alone.
//
// Owns:  the kinds of parameters, of answers and of calls.
// Not here: the calls themselves (family.ts).

/** What a parameter is. To the kernel all are words of 32 bits. */
export type ParameterKind =
  | "bytes"
  | "count"
  | "alignment"
  /** The address of a block; 0 is none. */
  | "block"
  /** Where an address is to be stored. */
  | "place"
  /** Where an array of blocks is to be stored; 0: in a block of its own, as calls from JavaScript always ask. */
  | "array?"
  /** The address of an array of sizes. */
  | "sizes"
  /** The address of an array of blocks, which is cleared. */
  | "blocks"
  /** A piece of the walk: the address of a chunk, or of a slab's block. */
  | "piece"
  /** One of PIECE_STATES. */
  | "state"
  /** Any address. */
  | "address";

/** What a call answers with. */
export type Answer =
  | "nothing"
  /** The address of a block; 0: no memory, and nothing has changed. */
  | "block"
  /** The address of an array of blocks; 0: no memory, and nothing has changed. */
  | "blocks"
  | "bytes"
  | "count"
  /** Whether it did something. */
  | "changed"
  /** 0, or an error number: Linux's. */
  | "errno"
  | "piece"
  | "state"
  | "address";

/** Where a call comes from, or what it is for. Those for threads only the kernel of heaps that threads share has. */
export type Group = "C" | "BSD" | "dlmalloc" | "walk" | "program" | "threads";

/** What a trace has a call as. */
export type TracedKind = "malloc" | "calloc" | "realloc" | "aligned" | "free";

export interface Call {
  readonly group: Group;
  /** C's name. The kernel exports it, and modules import it, as mc_ and this. */
  readonly c: string;
  /** The file of src/kernel that has the function; undefined: tools/bind.ts makes it, of the functions in `of`. */
  readonly in?: string;
  readonly of?: Readonly<Record<string, string>>;
  readonly parameters: readonly (readonly [name: string, kind: ParameterKind])[];
  readonly answer: Answer;
  /** What C's function answers with where the kernel's says nothing. */
  readonly answerInC?: Answer;
  /** C's function does more than call the kernel's: it is written by hand in lib/morecore.c. */
  readonly ownInC?: true;
  /** C's <stdlib.h> declares it, in any version. */
  readonly inStdlib?: true;
  /** A Heap calls it in JavaScript, on the same bytes, also where it has the kernel in wasm: it is called seldom. */
  readonly seldom?: true;
  readonly traced?: TracedKind;
  /** What C's function does. Beside what the head of morecore.h says for all of them. */
  readonly does: string;
}

/** A call's type in WebAssembly: "i32 i32 -> i32". With `own`, that of a function which answers in another way. */
export function signatureOf({ parameters, answer }: Call, own: Answer = answer): string {
  return [...parameters.map(() => "i32"), "->", ...(own === "nothing" ? [] : ["i32"])].join(" ");
}
