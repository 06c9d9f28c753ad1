import { it } from "vitest";
import { expectMisuse, expectOneTop, filled, hex, smallHeap } from "./refusal.ts";

it("a double free is refused after the block has become the beginning of top", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const a = filled(heap, 100);
  const b = filled(heap, 100);
  heap.free(b);
  const size = heap.mallinfo().keepcost;
  expectMisuse(
    heap,
    () => heap.free(b),
    "double-free",
    b,
    `${hex(size | 1)}: size ${size}, free, previous in use`,
  );
  expectOneTop(heap, a);
});

it("a double free is refused after the block has become the inside of top", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const a = filled(heap, 100);
  const b = filled(heap, 100);
  const c = filled(heap, 100);
  heap.free(a);
  heap.free(b);
  heap.free(c);
  expectMisuse(heap, () => heap.free(b), "double-free", b, "0x00000070: size 112, free");
  expectMisuse(heap, () => heap.free(c), "double-free", c, "0x00000070: size 112, free");
  expectOneTop(heap);
});
