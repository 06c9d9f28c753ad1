// Programs with threads for the tests, in C: compiled by Debian's clang without a C library, since Debian's has no threads.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { hasCommand, ROOT } from "./c-program.ts";

/** What has to be installed for it. */
export const THREADS_PACKAGES = "clang lld";
/** Whether it can be compiled here. */
export const hasThreads: boolean = hasCommand("clang") && hasCommand("wasm-ld");

const MORECORE = join(ROOT, "packages/wasm/c/lib/morecore.c");
const SOURCES = join(ROOT, "packages/wasm/test/threads");
const TARGET = ["--target=wasm32-unknown-unknown", "-ffreestanding", "-fno-builtin", "-nostdlib"];
const INCLUDES = [`-isystem${join(SOURCES, "headers")}`, `-I${join(ROOT, "packages/wasm/c/include")}`];
const PAGE = 65_536;
/** The size and the most of its memory, in wasm pages. */
export const THREADS_PAGES = { initial: 4, maximum: 1024 } as const;

const FOR_THREADS: readonly string[] = ["-pthread"];

export interface ThreadsBuild {
  /** Names of files in packages/wasm/test/threads. */
  readonly sources: readonly string[];
  /** How morecore.c is compiled; default: as all others, for threads. */
  readonly morecore?: readonly string[];
  readonly linkFlags?: readonly string[];
}

/** A program whose memory is shared, with morecore.c. Throws what the compiler or the linker says. */
export function threadsProgram({
  sources,
  morecore = FOR_THREADS,
  linkFlags = [],
}: ThreadsBuild): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), "morecore-threads-"));
  try {
    const output = join(folder, "program.wasm");
    const clang = (...flags: string[]) =>
      execFileSync("clang", [...TARGET, ...flags], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    const objects = [...sources.map((name) => join(SOURCES, name)), MORECORE].map((file) => {
      const object = `${basename(file)}.o`;
      const own = file === MORECORE ? morecore : FOR_THREADS;
      const flags = file.endsWith(".s") ? [] : ["-O2", "-Wall", "-Wextra", "-Werror", ...INCLUDES];
      clang(...flags, ...own, "-c", file, "-o", object);
      return object;
    });
    const sizes = [
      `--initial-memory=${THREADS_PAGES.initial * PAGE}`,
      `--max-memory=${THREADS_PAGES.maximum * PAGE}`,
    ];
    const links = ["--shared-memory", "--import-memory", "--no-entry", "--export=__heap_base", ...sizes];
    // Not with -O: that would have wasm-opt, where it is installed, drop the names.
    clang(...objects, ...[...links, ...linkFlags].map((flag) => `-Wl,${flag}`), "-o", output);
    return Uint8Array.from(readFileSync(output));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the compiler says of morecore.c by itself, with these flags. */
export function compilerOn(flags: readonly string[]): {
  readonly status: number | null;
  readonly said: string;
} {
  const all = [...TARGET, ...INCLUDES, ...flags, "-fsyntax-only", MORECORE];
  const { status, stderr } = spawnSync("clang", all, { encoding: "utf8" });
  return { status, said: stderr };
}
