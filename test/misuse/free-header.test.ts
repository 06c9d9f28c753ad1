import { it } from "vitest";
import { expectMisuse, expectOneTop, FIRST, filled, smallHeap } from "./refusal.ts";

it("the base and every other address in the heap's header are refused", () => {
  const heap = smallHeap();
  const ptr = filled(heap, 100);
  for (let address = heap.base; address < FIRST; address += 16)
    expectMisuse(heap, () => heap.free(address), "outside", address);
  expectOneTop(heap, ptr);
});

it("the address behind top's header, which is no block yet, is refused as freed or never taken", () => {
  const heap = smallHeap();
  const size = heap.mallinfo().keepcost;
  const word = `0x${(size | 1).toString(16).padStart(8, "0")}`;
  expectMisuse(
    heap,
    () => heap.free(FIRST),
    "double-free",
    FIRST,
    `${word}: size ${size}, free, previous in use`,
  );
  expectMisuse(heap, () => heap.free(FIRST + 16), "not-a-block", FIRST + 16, "0x00000000: size 0, free");
  expectOneTop(heap);
});
