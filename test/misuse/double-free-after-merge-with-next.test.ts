import { it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it("a double free is refused after the block was merged with a free one behind it", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const a = filled(heap, 100);
  const b = filled(heap, 100);
  const guard = filled(heap, 100);
  heap.free(b);
  heap.free(a);
  expectMisuse(
    heap,
    () => heap.free(a),
    "double-free",
    a,
    "0x000000e1: size 224, free, previous in use",
    true,
  );
  expectMisuse(heap, () => heap.free(b), "double-free", b, "0x00000071: size 112, free, previous in use");
  expectOneTop(heap, guard);
});

it("a double free is refused after a realloc of the block before took the free one", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const a = filled(heap, 100);
  const b = filled(heap, 100);
  const guard = filled(heap, 100);
  heap.free(b);
  const grown = heap.realloc(a, 200);
  expectMisuse(heap, () => heap.free(b), "double-free", b, "0x00000071: size 112, free, previous in use");
  expectOneTop(heap, grown, guard);
});
