// mimalloc is compiled from what the user has of it. Here that is a few lines with its names, which ask for what it does
// of its surroundings: a clock of WASI's, no environment, and to be started once.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { buildMimalloc } from "../peers/build-mimalloc.ts";
import { create } from "../peers/wasm.ts";

const folder = mkdtempSync(join(tmpdir(), "morecore-mimalloc-"));
afterAll(() => rmSync(folder, { recursive: true }));

const HEADER = "#define MI_MALLOC_VERSION 20417\n";
const SOURCE = `
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include "mimalloc.h"

static volatile int starts;
static int reserved;
static char block[64];
__attribute__((constructor)) static void start(void) { starts++; }

int mi_reserve_os_memory(size_t bytes, bool commit, bool allow_large) {
  reserved = (int)bytes;
  return 0;
}

/* 1: started once; 2: the clock goes; 4: no environment; and what was reserved. */
void *malloc(size_t bytes) {
  struct timespec now = {0, 0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  int found = (starts == 1) + 2 * (now.tv_sec + now.tv_nsec > 0) + 4 * (getenv("PATH") == NULL);
  return (void *)(found + reserved);
}

void *calloc(size_t count, size_t bytes) { return block; }
void *realloc(void *ptr, size_t bytes) { return block; }
void free(void *ptr) {}
void *aligned_alloc(size_t alignment, size_t bytes) { return block; }
`;

const hasClang = spawnSync("clang", ["--print-targets"], { encoding: "utf8" }).stdout?.includes("wasm32");

test.skipIf(!hasClang)(
  "is started once, has a clock and no environment, and its room before it is used",
  () => {
    const sources = join(folder, "sources");
    for (const inside of ["src", "include"]) mkdirSync(join(sources, inside), { recursive: true });
    writeFileSync(join(sources, "src/static.c"), SOURCE);
    writeFileSync(join(sources, "include/mimalloc.h"), HEADER);
    const built = buildMimalloc(join(folder, "built"), sources);
    if (typeof built === "string") throw new Error(built);
    expect(built.version).toBe("2.4.17");
    const peer = create({ module: new WebAssembly.Module(readFileSync(built.file)), reserveBytes: 1600 });
    expect(peer.malloc(1)).toBe(1600 + 1 + 2 + 4);
  },
);

test("where it is, is not known: says how to get it and name its folder", () => {
  expect(buildMimalloc(folder, undefined)).toMatch(/github\.com.*--mimalloc$/);
  expect(buildMimalloc(folder, join(folder, "nowhere"))).toMatch(/^there is no src.static\.c in .*nowhere/);
});
