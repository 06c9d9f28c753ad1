// Roles: which functions a malloc family has, how they are called, and what takes their place.
//
// Owns:  the table of names, signatures and kernel functions.
// Needs: nothing.

export interface Role {
  /** What it is called in reports: C's name. */
  readonly name: string;
  /** Parameters and results, as Signature.text has them. */
  readonly signature: string;
  /** Other names of the same, in wasi-libc, Emscripten and Lea's source. A leading underscore is ignored. */
  readonly aliases: readonly string[];
  /** The kernel's function that does its work; undefined: it answers with a constant, or calls several (mallinfo). */
  readonly kernel: string | undefined;
  /** What it answers when there is no memory, or, without a kernel function, always. */
  readonly failure: number;
  /** Its first argument may be a block: then nothing is to be done while no heap has begun, or the block is 0. */
  readonly takesBlock: boolean;
  /** It answers with an error number, which the kernel gives in its own numbers, Linux's. */
  readonly givesErrno: boolean;
}

const WORD_TO_WORD = "i32 -> i32";
const TWO_TO_WORD = "i32 i32 -> i32";
const THREE_TO_WORD = "i32 i32 i32 -> i32";
/** C's ENOMEM in WASI and Emscripten. */
const ENOMEM = 48;
/** The kernel's error numbers, and what they are in WASI and Emscripten. */
export const ERRNOS: readonly (readonly [number, number])[] = [
  [22, 28], // EINVAL
  [12, ENOMEM],
];

function role(
  name: string,
  signature: string,
  aliases: readonly string[],
  more: Partial<Pick<Role, "kernel" | "failure" | "takesBlock" | "givesErrno">> = {},
): Role {
  const { failure = 0, takesBlock = false, givesErrno = false } = more;
  return {
    name,
    signature,
    aliases,
    kernel: "kernel" in more ? more.kernel : `mc_${name}`,
    failure,
    takesBlock,
    givesErrno,
  };
}

export const MALLOC = role("malloc", WORD_TO_WORD, [
  "dlmalloc",
  "__libc_malloc",
  "emscripten_builtin_malloc",
]);
export const FREE = role("free", "i32 ->", ["dlfree", "__libc_free", "emscripten_builtin_free", "cfree"], {
  takesBlock: true,
});
export const CALLOC = role("calloc", TWO_TO_WORD, ["dlcalloc", "__libc_calloc", "emscripten_builtin_calloc"]);
export const REALLOC = role("realloc", TWO_TO_WORD, [
  "dlrealloc",
  "__libc_realloc",
  "emscripten_builtin_realloc",
]);
export const MEMALIGN = role("memalign", TWO_TO_WORD, [
  "dlmemalign",
  "internal_memalign",
  "emscripten_builtin_memalign",
  "__libc_memalign",
  "aligned_alloc",
]);
export const USABLE_SIZE = role("malloc_usable_size", WORD_TO_WORD, ["dlmalloc_usable_size"], {
  takesBlock: true,
});

/** Its result is a struct, whose address is its argument; mallinfo.ts has what it does. */
export const MALLINFO = role("mallinfo", "i32 ->", ["dlmallinfo"], { kernel: undefined });

/** All that can be replaced. mallopt's answer 0 means "not changed". */
export const ROLES: readonly Role[] = [
  MALLOC,
  FREE,
  CALLOC,
  REALLOC,
  MEMALIGN,
  USABLE_SIZE,
  role("posix_memalign", THREE_TO_WORD, ["dlposix_memalign"], { failure: ENOMEM, givesErrno: true }),
  role("realloc_in_place", TWO_TO_WORD, ["dlrealloc_in_place"], { takesBlock: true }),
  role("malloc_trim", WORD_TO_WORD, ["dlmalloc_trim"]),
  role("malloc_footprint", "-> i32", ["dlmalloc_footprint"]),
  role("malloc_max_footprint", "-> i32", ["dlmalloc_max_footprint"]),
  role("malloc_footprint_limit", "-> i32", ["dlmalloc_footprint_limit"]),
  role("malloc_set_footprint_limit", WORD_TO_WORD, ["dlmalloc_set_footprint_limit"]),
  role("independent_calloc", THREE_TO_WORD, ["dlindependent_calloc"]),
  role("independent_comalloc", THREE_TO_WORD, ["dlindependent_comalloc"]),
  role("bulk_free", TWO_TO_WORD, ["dlbulk_free"]),
  MALLINFO,
  role("mallopt", TWO_TO_WORD, ["dlmallopt"], { kernel: undefined }),
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
