import { describe, expect, it } from "vitest";
import { wasmMemory } from "../../src/index.ts";
import { Machine } from "../../src/kernel/machine.ts";
import { bufferMemory } from "../../src/memory/buffer.ts";

function refuse(code: number, address: number): never {
  throw new Error(`${code} at ${address}`);
}

function numbered(bytes: number): Machine {
  const machine = new Machine(bufferMemory(new ArrayBuffer(bytes)), refuse);
  for (let at = 0; at < bytes; at += 4) machine.store32(at, at + 1);
  return machine;
}

describe("load32 and store32", () => {
  it("keep all 32 bits, unsigned", () => {
    const machine = numbered(64);
    for (const value of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      machine.store32(8, value);
      expect(machine.load32(8)).toBe(value);
    }
    machine.store32(8, -1);
    expect(machine.load32(8)).toBe(0xffff_ffff);
    machine.store32(8, 1 << 31);
    expect(machine.load32(8)).toBe(0x8000_0000);
  });

  it("read and write the word at a byte address, little-endian", () => {
    const machine = numbered(64);
    machine.store32(4, 0x0403_0201);
    expect(Array.from(machine.u8.subarray(4, 8))).toEqual([1, 2, 3, 4]);
  });
});

describe("copy", () => {
  const SIZES = [0, 4, 16, 508, 512, 516, 1024, 2000];

  it.each(SIZES)("moves %i bytes upwards, where they do not overlap", (bytes) => {
    const machine = numbered(8192);
    machine.copy(4096, 16, bytes);
    for (let off = 0; off < bytes; off += 4) expect(machine.load32(4096 + off)).toBe(16 + off + 1);
    expect(machine.load32(4096 + bytes)).toBe(4096 + bytes + 1);
    expect(machine.load32(4092)).toBe(4093);
  });

  it.each(SIZES)("moves %i bytes downwards, also where they overlap", (bytes) => {
    for (const distance of [4, 16, 256, 2048]) {
      const machine = numbered(8192);
      const [to, from] = [2064, 2064 + distance];
      machine.copy(to, from, bytes);
      for (let off = 0; off < bytes; off += 4) expect(machine.load32(to + off)).toBe(from + off + 1);
      expect(machine.load32(to - 4)).toBe(to - 3);
    }
  });
});

describe("zero", () => {
  it.each([0, 4, 12, 508, 512, 516, 4000])("clears %i bytes and not one more", (bytes) => {
    const machine = numbered(8192);
    machine.zero(1024, bytes);
    for (let off = 0; off < bytes; off += 4) expect(machine.load32(1024 + off)).toBe(0);
    expect(machine.load32(1020)).toBe(1021);
    expect(machine.load32(1024 + bytes)).toBe(1024 + bytes + 1);
  });
});

describe("clz and ctz", () => {
  it("count the zeros on either side of every single bit", () => {
    const machine = numbered(16);
    for (let bit = 0; bit < 32; bit++) {
      const word = (1 << bit) >>> 0;
      expect(machine.ctz(word)).toBe(bit);
      expect(machine.clz(word)).toBe(31 - bit);
    }
  });

  it("count them in words of many bits", () => {
    const machine = numbered(16);
    expect(machine.clz(0)).toBe(32);
    expect(machine.ctz(0xffff_ffff)).toBe(0);
    expect(machine.ctz(0xffff_fff0)).toBe(4);
    expect(machine.ctz(0xc000_0000)).toBe(30);
    expect(machine.clz(0x00f0_0000)).toBe(8);
  });
});

describe("divide", () => {
  it("rounds down, over the whole range of words", () => {
    const machine = numbered(16);
    for (const [dividend, divisor, quotient] of [
      [0, 1, 0],
      [7, 2, 3],
      [0x7fff_ffff, 3, 715_827_882],
      [0xffff_ffff, 1, 0xffff_ffff],
      [0xffff_ffff, 0xffff_ffff, 1],
      [0xffff_fffe, 0xffff_ffff, 0],
      [0x8000_0000, 0x4000_0001, 1],
      [0xffff_ffff, 65_537, 65_535],
    ] as const)
      expect(machine.divide(dividend, divisor)).toBe(quotient);
  });
});

describe("a memory that grows", () => {
  it("leaves the views of the machine that grew it fresh, and others' stale until refreshed", () => {
    const memory = wasmMemory();
    const [one, two] = [new Machine(memory, refuse), new Machine(memory, refuse)];
    two.store32(16, 7);
    expect(one.grow(65_536)).toBe(65_536);
    expect(one.stale).toBe(false);
    expect(one.size()).toBe(131_072);
    expect(two.stale).toBe(true);
    two.refresh();
    expect(two.stale).toBe(false);
    expect(two.load32(16)).toBe(7);
    expect(two.size()).toBe(131_072);
  });

  it("answers 0 when it will not", () => {
    const machine = new Machine(wasmMemory(new WebAssembly.Memory({ initial: 1, maximum: 1 })), refuse);
    expect(machine.grow(65_536)).toBe(0);
    expect(machine.size()).toBe(65_536);
    expect(numbered(64).grow(65_536)).toBe(0);
  });

  it("shared, is seen to have grown through any machine", () => {
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
    const [one, two] = [new Machine(wasmMemory(shared), refuse), new Machine(wasmMemory(shared), refuse)];
    one.grow(65_536);
    expect(two.stale).toBe(true);
    two.refresh();
    expect(two.stale).toBe(false);
    one.store32(65_536, 9);
    expect(two.load32(65_536)).toBe(9);
  });
});

describe("a machine", () => {
  it("covers the whole words of a buffer of any length", () => {
    const machine = new Machine(bufferMemory(new ArrayBuffer(67)), refuse);
    expect(machine.size()).toBe(67);
    machine.store32(60, 5);
    expect(machine.load32(60)).toBe(5);
    machine.store32(64, 5);
    expect(machine.load32(64) ?? 0).toBe(0);
  });

  it("hands what the kernel refuses to its owner", () => {
    expect(() => numbered(16).abort(3, 0x8000_0000)).toThrow("3 at 2147483648");
  });

  it("tells a memory that wants to know what is not needed, and no other", () => {
    const told: number[][] = [];
    const buffer = new ArrayBuffer(64);
    const machine = new Machine(
      { buffer, grow: () => 0, untouched: 0, release: (from, to) => told.push([from, to]) },
      refuse,
    );
    machine.release(16, 32);
    expect(told).toEqual([[16, 32]]);
    numbered(64).release(16, 32);
  });
});
