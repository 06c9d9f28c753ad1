// SlotMap.attach reserved room for what the header said was retired, before it had looked whether that was so. With a wrong
// count it ran out of memory, and then gave the whole map back. Now it is refused, and its bytes are as they were.

import { Heap, SlotMap, SlotMapFormatError, u32 } from "morecore";
import { expect, test } from "vitest";

/** The word of the header that counts the retired slots. */
const AT_RETIRED = 15;

test("attach refuses a map with a wrong count of retired slots, and changes nothing", () => {
  const memory = new ArrayBuffer(1 << 15);
  const heap = Heap.create({ memory });
  const made = new SlotMap(heap, u32);
  for (let value = 0; value < 30; value++) made.insert(value);
  new Uint32Array(memory)[(made.ptr >>> 2) + AT_RETIRED] = 2 ** 26;
  const before = new Uint8Array(memory).slice();
  expect(() => SlotMap.attach(heap, u32, made.ptr)).toThrow(SlotMapFormatError);
  expect(new Uint8Array(memory)).toEqual(before);
  heap.check();
});
