// A container was attached by an allocator that it does not lie in. What it got from there was let go of
// before it was, or freed by one who never gave it. No test attached by anything but the allocator that had
// made the container.

import { Columns, HashMap, Heap, i32, SlotMap, struct, text, Vec } from "morecore";
import { expect, it } from "vitest";

const Named = struct({ name: text, n: i32 }, { name: "Named" });

it("a container is attached by the allocator that it lies in only, while checking", () => {
  const memory = new WebAssembly.Memory({ initial: 4 });
  const heap = Heap.create({ memory, base: 16, size: 131_072, checking: true });
  const other = Heap.create({ memory, base: 131_088, size: 65_536, checking: true });
  const made = {
    vec: new Vec(heap, Named),
    columns: new Columns(heap, Named),
    map: new HashMap(heap, i32, Named),
    slots: new SlotMap(heap, Named),
  };
  const attaches = [
    (by: Heap) => Vec.attach(by, Named, made.vec.ptr),
    (by: Heap) => Columns.attach(by, Named, made.columns.ptr),
    (by: Heap) => HashMap.attach(by, i32, Named, made.map.ptr),
    (by: Heap) => SlotMap.attach(by, Named, made.slots.ptr),
  ];
  const arena = heap.bump();
  const rule = /it was not made by this allocator/;
  for (const attach of attaches) {
    expect(() => attach(other)).toThrow(rule);
    expect(() => attach(arena as unknown as Heap)).toThrow(rule);
    attach(heap);
    attach(Heap.attach(memory, heap.base));
  }
  const inArena = new Vec(arena, Named);
  expect(() => Vec.attach(heap, Named, inArena.ptr)).toThrow(rule);
  Vec.attach(arena, Named, inArena.ptr).push({ n: 1 });
  expect(inArena.get(0).n).toBe(1);
});
