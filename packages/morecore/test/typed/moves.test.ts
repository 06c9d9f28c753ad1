// A place in a container, and the life that a word of memory ends.

import { describe, expect, it } from "vitest";
import { Heap, i32, struct, wasmMemory } from "../../src/index.ts";
import { Moves } from "../../src/typed/moves.ts";
import { LIFE, refAt, SPACE } from "../../src/typed/ref.ts";

const Point = struct({ x: i32 }, { name: "Point" });

function setUp() {
  const heap = Heap.create({ memory: wasmMemory(new WebAssembly.Memory({ initial: 2 })), checking: true });
  const word = heap.calloc(1, 16);
  const moves = new Moves("its place", heap[LIFE], {}, heap[SPACE], word);
  return { heap, word, moves, lend: () => refAt(heap[SPACE], Point, word + 4, moves.life) };
}

describe("a reference that a place lent", () => {
  it("is good until the place moves, and a new one is good then", () => {
    const { moves, lend } = setUp();
    const ref = lend() as unknown as { x: number };
    ref.x = 5;
    expect(ref.x).toBe(5);
    moves.record();
    expect(() => ref.x).toThrow(/used after its place had ended/);
    expect((lend() as unknown as { x: number }).x).toBe(5);
  });

  it("ends when another window changes the word, and does not come back with the old one", () => {
    const { heap, word, lend } = setUp();
    const ref = lend() as unknown as { x: number };
    heap.u32(word, 1)[0] = 7;
    expect(() => ref.x).toThrow(/used after/);
    heap.u32(word, 1)[0] = 0;
    expect(() => ref.x).toThrow(/used after/);
  });

  it("is good after the memory has grown", () => {
    const { heap, lend } = setUp();
    const ref = lend() as unknown as { x: number };
    ref.x = 9;
    heap.malloc(1 << 20);
    expect(ref.x).toBe(9);
  });

  it("ends with what the container lives in", () => {
    const { heap, word } = setUp();
    const arena = heap.bump();
    const moves = new Moves("its place", arena[LIFE], {}, heap[SPACE], word);
    const ref = refAt(heap[SPACE], Point, word + 4, moves.life) as unknown as { x: number };
    expect(ref.x).toBe(0);
    arena.dispose();
    expect(() => ref.x).toThrow(/used after/);
  });

  it("is counted on from another number where another container lay", () => {
    const { heap, word } = setUp();
    const space = heap[SPACE];
    const first = Moves.first(space, word);
    heap.u32(word, 1)[0] = first + 3;
    expect(Moves.first(space, word)).not.toBe(first);
  });
});
