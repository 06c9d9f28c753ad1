// Threads: programs in C whose threads share a memory, linked with each allocator, without a C library.
//
// Owns:  how such a module is compiled and linked; the sources of dlmalloc.
// Needs: clang with wasi-libc's headers; the sources of dlmalloc and mimalloc, fetched or to be fetched; the kernels in dist/.
//
// Debian's wasi-libc was built for one thread, so nothing of it can be linked here. Each thread is an instance of the module. The
// host gives it the memory, a stack and room for what is the thread's alone: c/threads/threads.c says where.

import path from "node:path";
import { MIMALLOC, type Origin } from "./catalog.ts";
import { compileFiles } from "./compile.ts";
import { fetched, fetchSources } from "./fetch.ts";
import { linkFile, merge, optimize, STUB, type ToLink } from "./link.ts";
import { OWN } from "./places.ts";

export const THREAD_ALLOCATORS = ["dlmalloc", "mimalloc", "merged"] as const;
export type ThreadAllocator = (typeof THREAD_ALLOCATORS)[number];

/** Of the memory of every program: what a host must make. */
export const THREAD_PAGES = 16_384;
/** The patterns; each is exported as it is, and with _checked behind it. */
export const THREAD_FUNCTIONS = [
  "own_small",
  "own_chunks",
  "larson",
  "xmalloc_64",
  "xmalloc_mixed",
  "mstress",
  "rptest",
  "rptest_exponential",
] as const;
export type ThreadFunction = (typeof THREAD_FUNCTIONS)[number];

/** As wasi-libc has it, in the version that Debian has. */
const DLMALLOC = {
  origin: { from: "debian", name: "wasi-libc" },
  folder: "dlmalloc/src",
} as const satisfies { readonly origin: Origin } & Record<string, unknown>;

/** Clang 14 knows thread-local variables for WASI only so. */
const THREADS_FLAGS = ["-matomics", "-mbulk-memory", "-mmutable-globals", "-ftls-model=local-exec"];
const NO_LIBC = ["-nostdlib", "-Wl,--no-entry"];
const SHARED_MEMORY = [
  "-Wl,--import-memory",
  "-Wl,--shared-memory",
  `-Wl,--max-memory=${THREAD_PAGES * 65_536}`,
];
const SOURCES = ["threads", "own", "larson", "xmalloc", "mstress", "rptest"];
const EXPORTS = [
  ...["malloc", "free", "prepare", "finish", "stack_of", "locals_of"],
  ...["__stack_pointer", "__wasm_init_tls", "__tls_size", "__wasm_call_ctors"],
  ...THREAD_FUNCTIONS.flatMap((name) => [name, `${name}_checked`]),
];

/**
 * The module with all patterns. "nothing": a malloc that gives one block again and again. Throws with the words of what could
 * not be fetched, compiled or linked.
 */
export async function linkThreads(allocator: ThreadAllocator | "nothing"): Promise<string> {
  const files = SOURCES.map((name) => ownFile(name));
  const objects = compileFiles("threads", files, [...THREADS_FLAGS, "-fno-builtin"]);
  return await linkWith(allocator, { name: "threads", objects, options: exported(EXPORTS) });
}

/** A caller of c/, as in parts.ts, with the kernel for threads or with the ordinary one: for one thread alone. */
export async function linkOneThread(
  caller: string,
  exports: readonly string[],
  isShared: boolean,
): Promise<string> {
  const name = isShared ? `shared-${caller}` : `alone-${caller}`;
  const files = [caller, "reserve"].map((file) => path.join(OWN, "c", `${file}.c`));
  const flags = ["-fno-builtin", ...(isShared ? THREADS_FLAGS : [])];
  const memory = isShared ? SHARED_MEMORY : [];
  const options = [...NO_LIBC, ...memory, ...exported(["reserve", ...exports])];
  const objects = [...compileFiles(name, files, flags), ...stub(isShared)];
  return await merge(name, { app: linkFile({ name, objects, options }, "app", [], (bytes) => bytes) });
}

async function linkWith(allocator: ThreadAllocator | "nothing", program: ToLink): Promise<string> {
  const toLink = { ...program, options: [...NO_LIBC, ...SHARED_MEMORY, ...program.options] };
  switch (allocator) {
    case "dlmalloc":
      return linkFile(toLink, allocator, dlmallocObjects(), optimize);
    case "mimalloc":
      return linkFile(toLink, allocator, [...mimallocObjects(), ...exported(["thread_leave"])], optimize);
    case "nothing":
      return linkFile(toLink, allocator, nothingObjects(), optimize);
    case "merged":
      return await merge(program.name, { app: linkFile(toLink, "app", stub(true), (bytes) => bytes) });
  }
}

function nothingObjects(): string[] {
  return compileFiles(
    "threads-nothing",
    [path.join(OWN, "c", "no-malloc.c")],
    [...THREADS_FLAGS, "-fno-builtin"],
  );
}

/** The folder of dlmalloc's sources, if they have been fetched. */
export function fetchedDlmalloc(): string | undefined {
  const sources = fetched(DLMALLOC.origin);
  return sources === undefined ? undefined : path.join(sources, DLMALLOC.folder);
}

/** The same, fetched now if need be. Throws when that cannot be done. */
export function fetchDlmalloc(): string {
  return path.join(fetchSources(DLMALLOC.origin), DLMALLOC.folder);
}

function dlmallocObjects(): string[] {
  const sources = fetchDlmalloc();
  return compileFiles("threads-dlmalloc", [ownFile("dlmalloc")], [...THREADS_FLAGS, `-I${sources}`]);
}

function mimallocObjects(): string[] {
  const sources = fetchSources(MIMALLOC.origin);
  const flags = MIMALLOC.flags.map((flag) => flag.replace("{package}", sources));
  return [
    ...compileFiles("threads-mimalloc-libc", [ownFile("mimalloc")], [...THREADS_FLAGS, "-fno-builtin"]),
    ...compileFiles("threads-mimalloc", [path.join(sources, MIMALLOC.source)], [...flags, ...THREADS_FLAGS]),
  ];
}

/** C's malloc family over the kernel, without a C library. */
function stub(isShared: boolean): string[] {
  const flags = ["-DMORECORE_NO_LIBC", "-fno-builtin", ...(isShared ? THREADS_FLAGS : [])];
  return compileFiles(isShared ? "threads-stub" : "alone-stub", [STUB], flags);
}

function exported(names: readonly string[]): string[] {
  return names.map((name) => `-Wl,--export=${name}`);
}

function ownFile(name: string): string {
  return path.join(OWN, "c", "threads", `${name}.c`);
}
