// mimalloc is compiled from Debian's sources by `npm run programs`. Here that is a few lines with its names, which ask for
// what it does of its surroundings: a clock of WASI's, no environment, and to be started once.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type BuiltElsewhere, installedPeers } from "../peers/installed.ts";
import { create } from "../peers/wasm.ts";
import { readMade } from "../programs/cache.ts";
import { compileMimalloc } from "../programs/mimalloc.ts";

const folder = mkdtempSync(join(tmpdir(), "morecore-mimalloc-"));
afterAll(() => rmSync(folder, { recursive: true }));

const CHANGELOG = "mimalloc (2.4.17+ds-1) unstable; urgency=medium\n";
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
    for (const inside of ["src", "include", "debian"]) mkdirSync(join(sources, inside), { recursive: true });
    writeFileSync(join(sources, "src/static.c"), SOURCE);
    writeFileSync(join(sources, "include/mimalloc.h"), "");
    writeFileSync(join(sources, "debian/changelog"), CHANGELOG);
    const built = compileMimalloc(sources, "mimalloc-like");
    expect(built.version).toBe("2.4.17+ds-1");
    const peer = create({ module: new WebAssembly.Module(readFileSync(built.module)), reserveBytes: 1600 });
    expect(peer.malloc(1)).toBe(1600 + 1 + 2 + 4);
  },
);

describe("as a peer", () => {
  const made = readMade();
  const mimalloc = typeof made === "string" ? undefined : made.mimalloc;

  test.skipIf(mimalloc === undefined)(
    "Debian's gives blocks that do not overlap, takes them back and has the room that was asked for",
    () => {
      const module = new WebAssembly.Module(readFileSync(mimalloc?.module ?? ""));
      const peer = create({ module, reserveBytes: 8 << 20 });
      const before = peer.reservedBytes();
      const blocks = Array.from({ length: 1000 }, (_, index) => ({
        bytes: 1 + index,
        ptr: peer.malloc(1 + index),
      }));
      blocks.sort((a, b) => a.ptr - b.ptr);
      for (const [index, { ptr, bytes }] of blocks.entries())
        expect(ptr + bytes).toBeLessThanOrEqual(blocks[index + 1]?.ptr ?? Number.POSITIVE_INFINITY);
      for (const { ptr } of blocks) peer.free(ptr);
      expect(peer.reservedBytes()).toBe(before);
    },
  );

  test("takes part when it has been made, and is left out with the reason when not", async () => {
    const namesAndRemarks = async (given: BuiltElsewhere) => {
      const { peers, remarks } = await installedPeers(folder, given);
      return [
        peers.filter(({ name }) => name === "mimalloc"),
        remarks.filter((remark) => remark.includes("mimalloc")),
      ];
    };
    const file = join(folder, "mimalloc.wasm");
    expect(await namesAndRemarks({ file, version: "2" })).toEqual([
      [{ name: "mimalloc", version: "2", moduleFile: file }],
      [],
    ]);
    expect(await namesAndRemarks("run it")).toEqual([[], ["mimalloc is left out: run it"]]);
  });
});
