// Family: the one table of the malloc family's calls. Every list of them is made from it, by `npm run abi -- --write`, or
// takes its types from it; docs/FAMILY.md says which, and how a call is added.
//
// Owns:  each call's names, parameters and answer.
// Needs: call, the prefix of exports. What a call does is the kernel's: src/kernel/<in>.ts has the function of the entry's name.

import { type Call, signatureOf } from "./call.ts";
import { PREFIX } from "./prefix.ts";

export {
  type Answer,
  type Call,
  type Group,
  type ParameterKind,
  signatureOf,
  type TracedKind,
} from "./call.ts";
export { PREFIX };

export const FAMILY = {
  malloc: {
    group: "C",
    c: "malloc",
    in: "malloc",
    parameters: [["bytes", "bytes"]],
    answer: "block",
    inStdlib: true,
    traced: "malloc",
    ownInC: true,
    does: "A block of at least so many bytes; malloc(0) is one, too.",
  },
  free: {
    group: "C",
    c: "free",
    in: "free",
    parameters: [["ptr", "block"]],
    answer: "nothing",
    inStdlib: true,
    traced: "free",
    ownInC: true,
    does: "Gives a block back; errno is left alone.",
  },
  calloc: {
    group: "C",
    c: "calloc",
    in: "malloc",
    parameters: [
      ["count", "count"],
      ["bytes", "bytes"],
    ],
    answer: "block",
    inStdlib: true,
    traced: "calloc",
    does: "A block of count * bytes, zeroed. No memory, too, when that overflows.",
  },
  realloc: {
    group: "C",
    c: "realloc",
    in: "realloc",
    parameters: [
      ["ptr", "block"],
      ["bytes", "bytes"],
    ],
    answer: "block",
    inStdlib: true,
    traced: "realloc",
    does: "The block with another size, perhaps elsewhere. Of NULL it is malloc; to 0 bytes it gives a smallest block, as in BSD and musl.",
  },
  reallocarray: {
    group: "C",
    c: "reallocarray",
    in: "realloc",
    parameters: [
      ["ptr", "block"],
      ["count", "count"],
      ["bytes", "bytes"],
    ],
    answer: "block",
    traced: "realloc",
    does: "realloc to count * bytes; NULL with errno ENOMEM, and the block as it was, also when that overflows.",
  },
  alignedAlloc: {
    group: "C",
    c: "aligned_alloc",
    in: "align",
    parameters: [
      ["alignment", "alignment"],
      ["bytes", "bytes"],
    ],
    answer: "block",
    traced: "aligned",
    ownInC: true,
    does: "NULL with errno EINVAL when the alignment is no power of two. Any size will do, as in C23.",
  },
  posixMemalign: {
    group: "C",
    c: "posix_memalign",
    in: "align",
    parameters: [
      ["result", "place"],
      ["alignment", "alignment"],
      ["bytes", "bytes"],
    ],
    answer: "errno",
    traced: "aligned",
    ownInC: true,
    does: "0, or EINVAL (no power of two, or less than a pointer's size) or ENOMEM with *result as it was. errno is left alone.",
  },
  freeSized: {
    group: "C",
    c: "free_sized",
    in: "free",
    parameters: [
      ["ptr", "block"],
      ["bytes", "bytes"],
    ],
    answer: "nothing",
    traced: "free",
    does: "free, of a block that was asked for with this size. Another size is misuse.",
  },
  freeAlignedSized: {
    group: "C",
    c: "free_aligned_sized",
    in: "free",
    parameters: [
      ["ptr", "block"],
      ["alignment", "alignment"],
      ["bytes", "bytes"],
    ],
    answer: "nothing",
    traced: "free",
    does: "free_sized, and the address must have the alignment.",
  },
  memalign: {
    group: "BSD",
    c: "memalign",
    in: "align",
    parameters: [
      ["alignment", "alignment"],
      ["bytes", "bytes"],
    ],
    answer: "block",
    traced: "aligned",
    ownInC: true,
    does: "An alignment that is no power of two is rounded up to one. Above 2^31: NULL with errno EINVAL.",
  },
  usableSize: {
    group: "BSD",
    c: "malloc_usable_size",
    in: "free",
    parameters: [["ptr", "block"]],
    answer: "bytes",
    does: "Bytes that may be used at `ptr`, at least those asked for; 0 for NULL.",
  },
  goodSize: {
    group: "BSD",
    c: "malloc_good_size",
    in: "info",
    parameters: [["bytes", "bytes"]],
    answer: "bytes",
    seldom: true,
    does: "The usable size that malloc(bytes) will give; 0 if it never can.",
  },
  trim: {
    group: "BSD",
    c: "malloc_trim",
    in: "info",
    parameters: [["pad", "bytes"]],
    answer: "changed",
    does: "Lowers the footprint as far as the blocks allow, but for `pad` bytes: 1 if it could. The memory itself cannot shrink.",
  },
  footprint: {
    group: "dlmalloc",
    c: "malloc_footprint",
    in: "info",
    parameters: [],
    answer: "bytes",
    seldom: true,
    does: "Bytes got from the memory now.",
  },
  maxFootprint: {
    group: "dlmalloc",
    c: "malloc_max_footprint",
    in: "info",
    parameters: [],
    answer: "bytes",
    seldom: true,
    does: "Bytes got from the memory at most since the beginning.",
  },
  footprintLimit: {
    group: "dlmalloc",
    c: "malloc_footprint_limit",
    in: "options",
    parameters: [],
    answer: "bytes",
    seldom: true,
    does: "The bound on the footprint; SIZE_MAX: none; 0: it never grows.",
  },
  setFootprintLimit: {
    group: "dlmalloc",
    c: "malloc_set_footprint_limit",
    in: "options",
    parameters: [["bytes", "bytes"]],
    answer: "nothing",
    answerInC: "bytes",
    seldom: true,
    ownInC: true,
    does: "Sets that bound; answers with what it is now.",
  },
  reallocInPlace: {
    group: "dlmalloc",
    c: "realloc_in_place",
    in: "realloc",
    parameters: [
      ["ptr", "block"],
      ["bytes", "bytes"],
    ],
    answer: "block",
    traced: "realloc",
    ownInC: true,
    does: "`ptr` if the block could get the size where it lies; else NULL with errno ENOMEM, and it is as it was. NULL for NULL.",
  },
  independentCalloc: {
    group: "dlmalloc",
    c: "independent_calloc",
    in: "bulk",
    parameters: [
      ["count", "count"],
      ["bytes", "bytes"],
      ["chunks", "array?"],
    ],
    answer: "blocks",
    does: "Blocks side by side, zeroed, each to be freed on its own. Their addresses are stored in `chunks`, or, if that is NULL, in a block of its own, to be freed too; answers with that array.",
  },
  independentComalloc: {
    group: "dlmalloc",
    c: "independent_comalloc",
    in: "bulk",
    parameters: [
      ["count", "count"],
      ["sizes", "sizes"],
      ["chunks", "array?"],
    ],
    answer: "blocks",
    does: "The same, not zeroed, each block with a size of its own.",
  },
  bulkFree: {
    group: "dlmalloc",
    c: "bulk_free",
    in: "bulk",
    parameters: [
      ["array", "blocks"],
      ["count", "count"],
    ],
    answer: "nothing",
    answerInC: "count",
    seldom: true,
    ownInC: true,
    does: "Frees all in the array, and clears it; NULLs are skipped. Answers with how many were not freed: 0.",
  },
  countOf: {
    group: "walk",
    c: "count_of",
    in: "info",
    parameters: [["state", "state"]],
    answer: "count",
    does: "How many pieces of the heap are in a state.",
  },
  bytesOf: {
    group: "walk",
    c: "bytes_of",
    in: "info",
    parameters: [["state", "state"]],
    answer: "bytes",
    does: "How many bytes the pieces in a state have.",
  },
  firstPiece: {
    group: "walk",
    c: "first_piece",
    in: "walk",
    parameters: [],
    answer: "piece",
    does: "The heap's first piece.",
  },
  nextPiece: {
    group: "walk",
    c: "next_piece",
    in: "walk",
    parameters: [["at", "piece"]],
    answer: "piece",
    does: "The piece behind one; 0: it was the last.",
  },
  pieceState: {
    group: "walk",
    c: "piece_state",
    in: "walk",
    parameters: [["at", "piece"]],
    answer: "state",
    does: "A piece's state.",
  },
  pieceBytes: {
    group: "walk",
    c: "piece_bytes",
    in: "walk",
    parameters: [["at", "piece"]],
    answer: "bytes",
    does: "A piece's bytes, with its header.",
  },
  attach: {
    group: "program",
    c: "attach",
    of: {},
    parameters: [["heap", "address"]],
    answer: "nothing",
    does: "Makes the heap at an address the one that all others serve.",
  },
  begin: {
    group: "program",
    c: "begin",
    of: { placeFor: "program", beginHeap: "program" },
    parameters: [["start", "address"]],
    answer: "address",
    does: "Begins a heap, and attaches to it: where memory is zero from an address to its end, or, given 0, in new memory. 0: no memory.",
  },
  share: {
    group: "threads",
    c: "share",
    of: { placeToShare: "program", settleIn: "common" },
    parameters: [
      ["start", "address"],
      ["most", "address"],
    ],
    answer: "address",
    does: "Begins a heap that threads share where memory is zero from an address to its end, and may grow up to another; or, where one is, joins it. Attaches to this thread's heap in it. 0: no memory.",
  },
  leave: {
    group: "threads",
    c: "leave",
    of: { leaveHeap: "common" },
    parameters: [],
    answer: "nothing",
    does: "Leaves this thread's heap to the next thread that comes, with the blocks that live in it.",
  },
} as const satisfies Readonly<Record<string, Call>>;

export type Family = typeof FAMILY;
/** A call's name in TypeScript. */
export type CallName = keyof Family;

/** The names in TypeScript of the calls in some groups. */
export type CallOf<G extends Call["group"]> = {
  [Name in CallName]: Family[Name]["group"] extends G ? Name : never;
}[CallName];

/** C's and POSIX's malloc family, and BSD's and dlmalloc's extensions, by C's names. */
export type CName = Family[CallOf<"C" | "BSD" | "dlmalloc">]["c"];
/** All that modules import of the kernel, without mc_. */
export type ImportName = CName | Family[CallOf<"walk">]["c"];
/** All that the kernel exports, but the memory. */
export type ExportName = `${typeof PREFIX}${Family[CallName]["c"]}`;

/** The table's entries, with all of their fields, in the table's order. */
export function familyCalls(): readonly (readonly [name: CallName, call: Call])[] {
  // The keys are those of the table: nothing has been added to it.
  return Object.entries(FAMILY) as [CallName, Call][];
}

/** The call that C knows by a name. */
export function callNamed(c: CName): Call {
  const found = familyCalls().find(([, call]) => call.c === c);
  if (found === undefined) throw new RangeError(`the malloc family has no ${c}`);
  return found[1];
}

/** The type in WebAssembly of one of the kernel's exports. */
export function exportSignature(name: ExportName): string {
  const found = familyCalls().find(([, { c }]) => PREFIX + c === name);
  if (found === undefined) throw new RangeError(`the kernel has no ${name}`);
  return signatureOf(found[1]);
}
