// Catalog: the programs, where each comes from, and what clang is told.
//
// Owns:  names, versions, flags.
// Needs: nothing. Paths of sources are relative to the package's folder, of own ones to bench/programs.
// Note:  nothing of the packages is kept in this repository; fetch.ts gets them into build/.

export type Origin =
  /** A package of npm's registry, by `npm pack`: it is no dependency, and nothing of it is run. */
  | { readonly from: "npm"; readonly name: string; readonly version: string }
  /** A source package of the Debian that this machine runs, in the version that it has. */
  | { readonly from: "debian"; readonly name: string };

export interface Program {
  readonly name: string;
  readonly origin: Origin;
  /** C files of the package. `folder/*.c` stands for all of a folder. */
  readonly sources: readonly string[];
  readonly leftOut?: readonly string[];
  /** C files of our own, compiled with the same flags. */
  readonly ownSources: readonly string[];
  readonly flags: readonly string[];
  readonly libraries: readonly string[];
  /** In packages/wasm/test/programs/workloads. */
  readonly workload: string;
}

/** wasi-libc has no setjmp; clang makes exceptions of WebAssembly of it, and c/setjmp.c is their other half. */
const SETJMP_FLAGS = ["-mexception-handling", "-mllvm", "-wasm-enable-sjlj"];

export const PROGRAMS: readonly Program[] = [
  {
    name: "lua",
    origin: { from: "debian", name: "lua5.4" },
    sources: ["src/*.c"],
    leftOut: ["src/luac.c"],
    ownSources: ["c/setjmp.c"],
    flags: [
      ...SETJMP_FLAGS,
      "-include",
      "lua-without-system.h",
      "-D_WASI_EMULATED_SIGNAL",
      "-D_WASI_EMULATED_PROCESS_CLOCKS",
    ],
    libraries: ["wasi-emulated-signal", "wasi-emulated-process-clocks"],
    workload: "lua.lua",
  },
  {
    name: "mujs",
    origin: { from: "debian", name: "mujs" },
    sources: ["one.c", "main.c"],
    ownSources: ["c/setjmp.c"],
    flags: SETJMP_FLAGS,
    libraries: [],
    workload: "javascript.js",
  },
  {
    name: "duktape",
    origin: { from: "npm", name: "duktape", version: "0.3.0" },
    sources: ["lib/duktape/src/duktape.c"],
    ownSources: ["c/setjmp.c", "c/duktape-main.c"],
    flags: [...SETJMP_FLAGS, "-I{package}/lib/duktape/src"],
    libraries: [],
    workload: "javascript.js",
  },
  {
    name: "sqlite",
    origin: { from: "npm", name: "better-sqlite3", version: "12.11.1" },
    sources: ["deps/sqlite3/sqlite3.c"],
    ownSources: ["c/sqlite-main.c"],
    flags: [
      "-I{package}/deps/sqlite3",
      "-DSQLITE_THREADSAFE=0",
      "-DSQLITE_OMIT_LOAD_EXTENSION",
      "-DSQLITE_OMIT_WAL",
      "-DSQLITE_MAX_MMAP_SIZE=0",
      "-DLONGDOUBLE_TYPE=double",
      // Temporary tables in memory: there is no file to write.
      "-DSQLITE_TEMP_STORE=3",
    ],
    libraries: [],
    workload: "sqlite.sql",
  },
];

/** A peer, for all of them and for itself. */
export const MIMALLOC = {
  origin: { from: "debian", name: "mimalloc" },
  /** All of it. */
  source: "src/static.c",
  /** As mimalloc's own build has them for a release. */
  flags: [
    ...["-O3", "-DNDEBUG", "-DMI_MALLOC_OVERRIDE", "-fno-builtin-malloc", "-fvisibility=hidden"],
    ...["-D_WASI_EMULATED_PROCESS_CLOCKS", "-I{package}/include"],
    // As glibc's headers say it: else it leaves aligned_alloc out, and with the C library's comes all of the C library's malloc.
    "-D__USE_ISOC11",
  ],
  /** The clock that its port to WASI asks for. */
  library: "-lwasi-emulated-process-clocks",
} as const satisfies { readonly origin: Origin } & Record<string, unknown>;

/** What is compiled for `-O` of any program: as programs are shipped, and then through wasm-opt's -O3 (link.ts). */
export const COMMON_FLAGS = ["--target=wasm32-wasi", "-O2", "-w"];

/** Debian's, for the programs. */
export const APT_PACKAGES = ["clang", "lld", "wasi-libc", "libclang-rt-dev-wasm32", "dpkg-dev"] as const;
/** What the tests in C++ need besides. */
export const CXX_PACKAGES = ["libc++-dev-wasm32"] as const;
/** What libmorecore.so is built with, and what its tests run and compare. */
export const NATIVE_PACKAGES = [
  ...["wabt", "gcc", "g++", "libc6-dev", "zlib1g-dev", "libmimalloc2.0", "libjemalloc2"],
  ...["git", "perl", "python3", "sqlite3", "xz-utils"],
  // For the tests on ARM, which is emulated.
  ...["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user"],
] as const;
