import { HeapMisuseError } from "morecore";
import { describe, expect, it } from "vitest";
import { expectCorrupt, filled, hex, smallHeap, thrownBy } from "./refusal.ts";

describe.each([0, 16, 0x70 + 16, 0x4141_4140, 0xffff_fff0, 0x71].map((word) => [hex(word), word] as const))(
  "a free chunk's footer that was overwritten with %s",
  (_name, word) => {
    it("is found by check, as C3", () => {
      const heap = smallHeap({ smallLimit: 0 });
      const ptr = filled(heap, 100);
      filled(heap, 100);
      heap.free(ptr);
      heap.u32(ptr, 27)[26] = word;
      expectCorrupt(heap, () => heap.check(), "C3", ptr - 4);
    });

    it("is found by every call with the block behind it", () => {
      const heap = smallHeap({ smallLimit: 0 });
      const ptr = filled(heap, 100);
      const next = filled(heap, 100);
      heap.free(ptr);
      heap.u32(ptr, 27)[26] = word;
      for (const call of [
        () => heap.free(next),
        () => heap.realloc(next, 500),
        () => heap.bulkFree([next]),
        () => heap.usableSize(next),
      ]) {
        const error = thrownBy(heap, call);
        expect(error).toBeInstanceOf(HeapMisuseError);
        expect(String(error)).toContain(`${hex(next)}: expected a live block`);
      }
    });
  },
);
