// Roles: which functions a malloc family has, how they are called, and what takes their place.
//
// Owns:  the names by which they are found, and what is to be done around the kernel's.
// Needs: the family's table, for the signatures.

import { type CName, callNamed, type ExportName, PREFIX, signatureOf } from "morecore/engine";

export interface KernelFunction {
  readonly name: ExportName;
  readonly signature: string;
  /** What is called for the answer, where the kernel's function gives none and C's does; undefined: the answer is 0. */
  readonly answeredBy?: ExportName;
}

export interface Role {
  /** What it is called in reports: C's name. */
  readonly name: string;
  /** Parameters and results, as Signature.text has them. */
  readonly signature: string;
  /** Other names of the same, in wasi-libc, Emscripten and Lea's source. A leading underscore is ignored. */
  readonly aliases: readonly string[];
  /** The kernel's function that does its work; undefined: it answers with a constant, or calls several (mallinfo). */
  readonly kernel?: KernelFunction;
  /** What it answers when there is no memory, or, without a kernel function, always. */
  readonly failure: number;
  /** Its first argument may be a block: then nothing is to be done while no heap has begun, or the block is 0. */
  readonly takesBlock: boolean;
  /** It answers with an error number, which the kernel gives in its own numbers, Linux's. */
  readonly givesErrno: boolean;
}

/** C's ENOMEM in WASI and Emscripten. */
const ENOMEM = 48;
/** The kernel's error numbers, and what they are in WASI and Emscripten. */
export const ERRNOS: readonly (readonly [number, number])[] = [
  [22, 28], // EINVAL
  [12, ENOMEM],
];

/** A call of the family, which the kernel has under the same name. */
function role(
  name: CName,
  aliases: readonly string[],
  {
    takesBlock = false,
    answeredBy,
  }: { readonly takesBlock?: boolean; readonly answeredBy?: ExportName } = {},
): Role {
  const call = callNamed(name);
  const givesErrno = call.answer === "errno";
  return {
    name,
    signature: signatureOf(call, call.answerInC),
    aliases,
    kernel: {
      name: `${PREFIX}${name}`,
      signature: signatureOf(call),
      ...(answeredBy === undefined ? {} : { answeredBy }),
    },
    failure: givesErrno ? ENOMEM : 0,
    takesBlock,
    givesErrno,
  };
}

/** A function that the kernel has not. */
function otherRole(name: string, signature: string, aliases: readonly string[]): Role {
  return { name, signature, aliases, failure: 0, takesBlock: false, givesErrno: false };
}

export const MALLOC = role("malloc", ["dlmalloc", "__libc_malloc", "emscripten_builtin_malloc"]);
export const FREE = role("free", ["dlfree", "__libc_free", "emscripten_builtin_free", "cfree"], {
  takesBlock: true,
});
export const CALLOC = role("calloc", ["dlcalloc", "__libc_calloc", "emscripten_builtin_calloc"]);
export const REALLOC = role("realloc", ["dlrealloc", "__libc_realloc", "emscripten_builtin_realloc"]);
export const MEMALIGN = role("memalign", [
  "dlmemalign",
  "internal_memalign",
  "emscripten_builtin_memalign",
  "__libc_memalign",
  "aligned_alloc",
]);
export const USABLE_SIZE = role("malloc_usable_size", ["dlmalloc_usable_size"], {
  takesBlock: true,
});

/** Its result is a struct, whose address is its argument; mallinfo.ts has what it does. */
export const MALLINFO = otherRole("mallinfo", "i32 ->", ["dlmallinfo"]);

/** All that can be replaced. mallopt's answer 0 means "not changed". */
export const ROLES: readonly Role[] = [
  MALLOC,
  FREE,
  CALLOC,
  REALLOC,
  MEMALIGN,
  USABLE_SIZE,
  role("posix_memalign", ["dlposix_memalign"]),
  role("realloc_in_place", ["dlrealloc_in_place"], { takesBlock: true }),
  role("malloc_trim", ["dlmalloc_trim"]),
  role("malloc_footprint", ["dlmalloc_footprint"]),
  role("malloc_max_footprint", ["dlmalloc_max_footprint"]),
  role("malloc_footprint_limit", ["dlmalloc_footprint_limit"]),
  role("malloc_set_footprint_limit", ["dlmalloc_set_footprint_limit"], {
    answeredBy: "mc_malloc_footprint_limit",
  }),
  role("independent_calloc", ["dlindependent_calloc"]),
  role("independent_comalloc", ["dlindependent_comalloc"]),
  role("bulk_free", ["dlbulk_free"]),
  MALLINFO,
  otherRole("mallopt", "i32 i32 -> i32", ["dlmallopt"]),
];

const byName = new Map<string, Role>();
for (const each of ROLES) for (const name of [each.name, ...each.aliases]) byName.set(name, each);

/** The role that a function of that name has. */
export function roleNamed(name: string): Role | undefined {
  return byName.get(name) ?? byName.get(name.replace(/^_/, ""));
}

export const SBRK_NAMES: ReadonlySet<string> = new Set(["sbrk", "_sbrk"]);

/** Names that only other allocators have. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/^emmalloc|^prev_region|^validate_memory_regions/, "emmalloc"],
  [/^_?mi_(malloc|free|heap)/, "mimalloc"],
  [/wee_alloc/, "wee_alloc"],
  [/^__rust_alloc$|^__rdl_alloc$|dlmalloc\.\.dlmalloc|8dlmalloc/, "Rust's dlmalloc"],
  [/^(je_|jemalloc)/, "jemalloc"],
];

/** The allocator that a name gives away; undefined for most names. */
export function otherAllocator(name: string): string | undefined {
  return OTHERS.find(([pattern]) => pattern.test(name))?.[1];
}
