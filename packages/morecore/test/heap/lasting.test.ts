import { describe, expect, it } from "vitest";
import {
  CopyingMemory,
  growableMemory,
  refusingMemory,
  resizableMemory,
} from "../../../../test/support/memories.ts";
import { Heap } from "../../src/index.ts";

describe("the option views", () => {
  const wasm = new WebAssembly.Memory({ initial: 1 });

  it("is refused unless it is one of the two", () => {
    expect(() => Heap.create({ views: "forever" as never })).toThrow(
      new RangeError('views: expected "until-growth" or "lasting", got "forever"'),
    );
    expect(() => Heap.create({ views: true as never })).toThrow(
      new TypeError('views: expected "until-growth" or "lasting", got true'),
    );
  });

  it("can be lasting where views last anyway, and a heap says so", () => {
    for (const memory of [
      new ArrayBuffer(65_536),
      new SharedArrayBuffer(65_536),
      new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true }),
      resizableMemory(65_536),
      growableMemory(65_536),
      { ...refusingMemory(new ArrayBuffer(65_536)), fixed: true },
    ])
      expect(Heap.create({ memory, views: "lasting" }).views).toBe("lasting");
    expect(Heap.create({ views: "until-growth" }).views).toBe("until-growth");
    expect(Heap.create({ memory: wasm }).views).toBe("until-growth");
  });

  it("cannot be lasting in a Memory of which nothing is known", () => {
    expect(() => Heap.create({ memory: new CopyingMemory(65_536), views: "lasting" })).toThrow(
      /^views: "lasting" cannot be had in this Memory/,
    );
  });

  it.skipIf("toResizableBuffer" in wasm)(
    "is refused by an engine that cannot, before anything is done",
    () => {
      const { byteLength } = wasm.buffer;
      for (const memory of [wasm, undefined])
        expect(() => Heap.create({ ...(memory && { memory }), views: "lasting" })).toThrow(
          /^views: "lasting" needs WebAssembly.Memory.prototype.toResizableBuffer/,
        );
      expect(wasm.buffer.byteLength).toBe(byteLength);
    },
  );
});
