// A program that has dlmalloc's mallinfo. Debian's wasi-libc is built without, so one is added that reads dlmalloc's state as
// dlmalloc's own does: the address is known once the program without it has been looked at.

import { describe, expect, it } from "vitest";
import { hasC } from "../../../../test/support/c-program.ts";
import { findHeap, replacedIn } from "../../../../test/support/swap.ts";
import { runWasi } from "../../../../test/support/wasi.ts";
import { cProgram, WITHOUT_C } from "../../../../test/support/wasm-program.ts";
import { inspectModule, swapModule } from "../../src/swap/index.ts";

const SOURCE = `
#include <stdio.h>
#include <stdlib.h>
struct mallinfo { int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost; };
#define WORD(offset) (*(int *)(STATE + offset))
__attribute__((noinline)) struct mallinfo mallinfo(void) {
  struct mallinfo all = {0};
  all.keepcost = WORD(12);
  all.arena = all.usmblks = WORD(432);
  all.fordblks = WORD(8) + WORD(12);
  all.uordblks = all.arena - all.fordblks;
  return all;
}
int main(int argc, char **argv) {
  struct mallinfo early = mallinfo();
  char *volatile p = malloc(argc * 3000);
  struct mallinfo all = mallinfo();
  free(p);
  struct mallinfo late = mallinfo();
  printf("%d %d %d %d %d %d\\n", early.arena < 100000, all.arena, all.uordblks, all.fordblks, all.keepcost,
    late.uordblks);
  return 0;
}`;

const program = (state: number) =>
  cProgram(`#define STATE ${state}\n${SOURCE}`, { malloc: "own", flags: ["-Wl,--export=mallinfo"] });

describe.skipIf(!hasC)(`a program with mallinfo${WITHOUT_C}`, () => {
  // The numbers do not change the layout: only a constant in the code does.
  const known = hasC ? (inspectModule(program(4_000_000)).stateBlock?.address ?? 0) : 0;

  it("is told the figures of our heap", async () => {
    const bytes = program(known);
    expect(inspectModule(bytes).stateBlock?.address).toBe(known);
    const { bytes: swapped, report } = await swapModule(bytes);
    expect(Object.keys(replacedIn(report))).toContain("mallinfo");
    const { stdout, exitCode, instance } = runWasi(new WebAssembly.Module(swapped as BufferSource));
    expect(exitCode).toBe(0);
    const [early, arena = 0, used = 0, free = 0, keep = 0, late = 0] = stdout.split(" ").map(Number);
    const heap = findHeap(instance?.exports["memory"] as WebAssembly.Memory);
    heap?.check();
    expect(early).toBe(1);
    expect(used + free).toBe(arena);
    expect(keep).toBeGreaterThan(0);
    expect(keep).toBeLessThanOrEqual(free);
    expect(used - late).toBeGreaterThanOrEqual(3000);
    expect(used - late).toBeLessThan(3100);
    expect(heap?.maxFootprint).toBeGreaterThanOrEqual(arena);
  });

  it("is refused if the function that uses the state has no name to know it by", async () => {
    const stripped = cProgram(`#define STATE ${known}\n${SOURCE}`, {
      malloc: "own",
      flags: ["-Wl,--strip-all"],
    });
    const { refusals } = inspectModule(stripped);
    expect(refusals.join()).toMatch(/is none of the family's that can be replaced, but uses 3 words/);
  });
});
