import { describe, expect, it } from "vitest";
import { CopyingMemory } from "../../../../test/support/memories.ts";
import { Heap } from "../../src/index.ts";
import { asBase } from "../../src/kernel/address.ts";
import { AT_ADVANCE_LOG2, AT_LIMIT, MEMORY_UNIT, NO_ADVANCE } from "../../src/kernel/layout.ts";
import { Machine } from "../../src/kernel/machine.ts";
import { beginHeap, placeFor } from "../../src/kernel/program.ts";

const PAGES = 4 * MEMORY_UNIT;

function machineOver(memory: CopyingMemory): Machine {
  return new Machine(memory, (code, address) => {
    throw new Error(`refused with ${code} at ${address}`);
  });
}

/** A program's memory, its data in the first thousand bytes, and the heap that begins where placeFor says. */
function begun(from: number, memory = new CopyingMemory(MEMORY_UNIT)) {
  const m = machineOver(memory);
  const base = placeFor(m, from);
  beginHeap(m, base, from);
  return { memory, base, heap: Heap.attach(memory, base) };
}

describe("the heap of a program", () => {
  it("begins where the program's data ends, at the next granule, and takes the rest of the memory", () => {
    const { base, heap, memory } = begun(1001);
    expect(base).toBe(1008);
    expect(memory.buffer.byteLength).toBe(MEMORY_UNIT);
    expect(heap.memorySize).toBe(MEMORY_UNIT - 1008);
    heap.check();
    expect(heap.malloc(10)).toBeGreaterThan(base);
  });

  it("begins in memory of its own if nobody says where, and leaves what is there alone", () => {
    const { base, heap, memory } = begun(0);
    expect(base).toBe(MEMORY_UNIT);
    expect(memory.buffer.byteLength).toBe(2 * MEMORY_UNIT);
    expect(heap.memorySize).toBe(MEMORY_UNIT);
    heap.check();
  });

  it("gets memory where what is there ends too soon", () => {
    const { base, heap, memory } = begun(MEMORY_UNIT - 100);
    expect(base).toBe(MEMORY_UNIT - 96);
    expect(memory.buffer.byteLength).toBe(2 * MEMORY_UNIT);
    expect(heap.memorySize).toBe(MEMORY_UNIT + 96);
    heap.check();
  });

  it("has no place if that memory is refused, or does not follow", () => {
    const full = new CopyingMemory(MEMORY_UNIT, MEMORY_UNIT);
    expect(placeFor(machineOver(full), MEMORY_UNIT - 100)).toBe(0);
    expect(placeFor(machineOver(full), 0)).toBe(0);
    const shared = new CopyingMemory(MEMORY_UNIT, PAGES);
    const grow = shared.grow.bind(shared);
    shared.grow = (bytes) => grow(bytes) + grow(bytes) - MEMORY_UNIT;
    expect(placeFor(machineOver(shared), MEMORY_UNIT - 100)).toBe(0);
  });

  it("asks for no memory in advance, since the program counts on it too", () => {
    const { memory, base, heap } = begun(1001);
    expect(machineOver(memory).load32(asBase(base) + AT_ADVANCE_LOG2)).toBe(NO_ADVANCE);
    expect(heap.options.advance).toBe(0);
    expect(heap.malloc(2 * MEMORY_UNIT)).not.toBe(0);
    expect(memory.buffer.byteLength).toBe(machineOver(memory).load32(base + AT_LIMIT));
    expect(memory.buffer.byteLength).toBeLessThanOrEqual(PAGES);
    heap.check();
  });
});
