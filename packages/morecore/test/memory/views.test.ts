import { describe, expect, it } from "vitest";
import { CopyingMemory, growableMemory, resizableMemory } from "../../../../test/support/memories.ts";
import { Heap, i32, type Memory, struct } from "../../src/index.ts";
import { Machine } from "../../src/kernel/machine.ts";

const refuse = (): never => {
  throw new Error("refused");
};

describe("views of a memory", () => {
  it.each([
    ["a resizable buffer", () => resizableMemory(65_536)],
    ["a growable buffer", () => growableMemory(65_536)],
    ["a memory that leaves its buffer behind", () => new CopyingMemory(65_536)],
  ])("over %s are stale as soon as it has another size", (_, make: () => Memory) => {
    const memory = make();
    const machine = new Machine(memory, refuse);
    expect(machine.stale).toBe(false);
    memory.grow(65_536);
    expect(machine.stale).toBe(true);
    machine.refresh();
    expect([machine.stale, machine.u8.length, machine.words.length]).toEqual([false, 131_072, 32_768]);
  });

  it("have a fixed length over a buffer that can be resized: V8 is many times as slow with others", () => {
    const memory = growableMemory(65_536);
    const machine = new Machine(memory, refuse);
    memory.grow(65_536);
    expect([machine.u8.length, machine.words.length]).toEqual([65_536, 16_384]);
  });

  it("ask a memory that says that it is fixed, or a reservation, nothing", () => {
    let asked = 0;
    const shared = new SharedArrayBuffer(65_536);
    const about = { grow: () => 0, untouched: 0 };
    const buffer = {
      get buffer() {
        asked++;
        return shared;
      },
    };
    for (const memory of [
      Object.defineProperties({ ...about, fixed: true }, Object.getOwnPropertyDescriptors(buffer)),
      Object.defineProperties({ ...about, size: 65_536 }, Object.getOwnPropertyDescriptors(buffer)),
    ] as unknown as Memory[]) {
      const machine = new Machine(memory, refuse);
      asked = 0;
      expect([machine.stale, asked]).toEqual([false, 0]);
    }
  });
});

describe("a Memory that goes on in another buffer and leaves the old one as it was", () => {
  /** What anyone would write first: old references would read and write bytes that nobody looks at any more. */
  class Forgetful extends CopyingMemory {
    override grow(bytes: number): number {
      const from = this.buffer.byteLength;
      const larger = new ArrayBuffer(from + bytes);
      new Uint8Array(larger).set(new Uint8Array(this.buffer));
      this.buffer = larger;
      return from;
    }
  }

  it("is refused when it grows, with the heap as it was", () => {
    const heap = Heap.create({ memory: new Forgetful(65_536) });
    const ref = heap.new(struct({ a: i32 }), { a: 5 });
    expect(() => heap.malloc(1_000_000)).toThrow(
      /^memory: expected a buffer that has been left for another to be detached, found one of 65536 bytes/,
    );
    expect(ref.a).toBe(5);
  });
});
