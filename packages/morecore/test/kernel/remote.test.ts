import { beforeEach, describe, expect, it } from "vitest";
import { asPtr, type Base, type Ptr } from "../../src/kernel/address.ts";
import { DOUBLE_FREE, MISALIGNED, NOT_A_BLOCK, OUTSIDE, SIZE_MISMATCH } from "../../src/kernel/codes.ts";
import { walk } from "../../src/kernel/describe.ts";
import { bulkFree, freeSized, realloc, reallocInPlace, usableSize } from "../../src/kernel/family.ts";
import * as at from "../../src/kernel/layout.ts";
import { isMarked } from "../../src/kernel/live.ts";
import { collect, hasMail, isTold, leaveFull, readChunkMail } from "../../src/kernel/remote.ts";
import { firstBlock, indexOf, isFull } from "../../src/kernel/slab.ts";
import { collectListed, readMail } from "../../src/kernel/slab-mail.ts";
import { slabOf } from "../../src/kernel/slab-map.ts";
import { COMMON, Crew, refusalOf } from "./crew.ts";

const BYTES = 100;
const CLASS_7 = at.AT_CLASSES + 7 * 32;

let crew: Crew;
let a: Base;
let b: Base;
let c: Base;

function begin(): void {
  crew = new Crew({ threads: 3 });
  [a, b, c] = crew.heaps as [Base, Base, Base];
}

beforeEach(begin);

const slabOfPtr = (ptr: number): number => slabOf(crew.m, a, ptr);

/** The bits of a block: free by its own thread's word, freed by another. */
function bitsOf(ptr: number): [free: number, remote: number] {
  const slab = slabOfPtr(ptr);
  const index = indexOf(crew.m.words, slab, asPtr(ptr));
  const word = (index >>> 5) << 2;
  const bit = (row: number): number => (crew.word(slab + row + word) >>> (index & 31)) & 1;
  return [bit(at.SLAB_BITS), bit(at.SLAB_REMOTE)];
}

/** What the map says of a slab, besides its descriptor. */
const stateOf = (slab: number): number => crew.unit(firstBlock(crew.m, slab)) - slab;
const isListed = (slab: number): boolean => (crew.word(slab + at.SLAB_SHAPE) & at.SLAB_LISTED) !== 0;
const isCurrent = (slab: number): boolean => crew.word(a + CLASS_7 + at.CLASS_SLAB) === slab;
const mail = (): number[] => crew.list(a - at.MAIL_SLABS, at.SLAB_MAIL);
const chunkMail = (): number[] => crew.list(a - at.MAIL_CHUNKS, at.MAIL_NEXT);

/** Blocks of a's, slab by slab: the last one's is the current slab, those before it are full. */
function fullSlabs(count: number): number[][] {
  const slabs: number[][] = [];
  let last = 0;
  for (;;) {
    const ptr = crew.malloc(a, BYTES);
    const slab = slabOfPtr(ptr);
    if (slab !== last) slabs.push([]);
    last = slab;
    slabs.at(-1)?.push(ptr);
    if (slabs.length > count) return slabs;
  }
}

/** One full slab of a's, and its blocks. */
function fullSlab(): { slab: number; blocks: number[]; first: number; second: number; third: number } {
  const [blocks = []] = fullSlabs(1);
  const [first, second, third] = blocks as [number, number, number];
  const slab = slabOfPtr(first);
  expect(stateOf(slab)).toBe(at.SLAB_FULL);
  return { slab, blocks, first, second, third };
}

/** Expects a call to be refused with a code, and to have changed nothing. */
function expectRefused(call: () => unknown, code: number, address: number): void {
  const before = crew.bytes();
  expect(refusalOf(call)).toEqual([code, address]);
  expect(Buffer.compare(crew.bytes(), before), "nothing has changed").toBe(0);
}

describe("a block that another thread frees", () => {
  it("in the current slab is a bit of the second row, and its thread is not told", () => {
    const ptr = crew.malloc(a, BYTES);
    crew.malloc(a, BYTES);
    crew.free(b, ptr);
    expect(bitsOf(ptr)).toEqual([0, 1]);
    expect([stateOf(slabOfPtr(ptr)), mail(), hasMail(crew.m, a)]).toEqual([0, [], false]);
    crew.check();
  });

  it("in a listed slab is that, too", () => {
    const { slab, first, second } = fullSlab();
    crew.free(a, first);
    expect([stateOf(slab), isListed(slab)]).toEqual([0, true]);
    crew.free(b, second);
    expect([bitsOf(second), stateOf(slab), mail()]).toEqual([[0, 1], 0, []]);
    crew.check();
  });

  it("in a full slab makes it TOLD and puts it into its thread's mail, once", () => {
    const { slab, first, second, third } = fullSlab();
    for (const [heap, ptr] of [
      [b, first],
      [c, second],
      [b, third],
    ] as const) {
      crew.free(heap, ptr);
      expect([bitsOf(ptr), stateOf(slab), mail()]).toEqual([[0, 1], at.SLAB_TOLD, [slab]]);
      expect([isListed(slab), isTold(crew.m, a, slab), hasMail(crew.m, a)]).toEqual([false, true, true]);
      crew.check();
    }
  });

  it("is put before those that others have told of before", () => {
    const slabs = fullSlabs(3);
    const told = slabs.slice(0, 3).map(([ptr]) => ptr as number);
    for (const ptr of told) crew.free(b, ptr);
    expect(mail()).toEqual(told.map(slabOfPtr).reverse());
    crew.check();
    readMail(crew.m, a);
    expect(mail()).toEqual([]);
    for (const ptr of told) {
      expect([bitsOf(ptr), stateOf(slabOfPtr(ptr)), isListed(slabOfPtr(ptr))]).toEqual([[1, 0], 0, true]);
    }
    crew.check();
  });

  it("is malloc's again when its thread reads the mail, which it does before it begins a slab", () => {
    const { slab, first, second } = fullSlab();
    crew.free(b, first);
    crew.free(c, second);
    const got: number[] = [];
    while (!got.includes(first)) got.push(crew.malloc(a, BYTES));
    expect(got.filter((ptr) => slabOfPtr(ptr) !== slab).every((ptr) => isFull(crew.m, slabOfPtr(ptr)))).toBe(
      true,
    );
    expect(crew.malloc(a, BYTES)).toBe(second);
    crew.check();
  });

  it("is malloc's again from the current slab, when that has nothing else", () => {
    const [, current = []] = fullSlabs(1);
    const slab = slabOfPtr(current[0] as number);
    const blocks = [...current];
    while (!isFull(crew.m, slab)) blocks.push(crew.malloc(a, BYTES));
    const [first, second] = blocks as [number, number];
    crew.free(b, second);
    crew.free(b, first);
    expect([stateOf(slab), isCurrent(slab)]).toEqual([0, true]);
    expect([crew.malloc(a, BYTES), crew.malloc(a, BYTES)]).toEqual([first, second]);
    expect(isCurrent(slab)).toBe(true);
    crew.check();
  });

  it("is malloc's again from a listed slab, as soon as that is taken from", () => {
    const { slab, first, second } = fullSlab();
    crew.free(a, first);
    crew.free(b, second);
    const got: number[] = [];
    while (!got.includes(second)) got.push(crew.malloc(a, BYTES));
    expect(isCurrent(slab)).toBe(true);
    expect(bitsOf(second)).toEqual([0, 0]);
    crew.check();
  });

  it("lets the slab end, if it was the last one, when the mail is read", () => {
    const { slab, blocks } = fullSlab();
    const slabs = crew.word(a + at.AT_SLAB_COUNT);
    for (const [index, ptr] of blocks.entries()) crew.free(index % 2 === 0 ? b : c, ptr);
    expect([stateOf(slab), mail(), crew.word(a + at.AT_SLAB_COUNT)]).toEqual([at.SLAB_TOLD, [slab], slabs]);
    crew.check();
    readMail(crew.m, a);
    expect(crew.word(a + at.AT_SLAB_COUNT)).toBe(slabs - 1);
    crew.check();
  });

  it("lets a listed slab end, if it was the last one, when its thread looks through them", () => {
    const { blocks, first } = fullSlab();
    const slabs = crew.word(a + at.AT_SLAB_COUNT);
    crew.free(a, first);
    for (const ptr of blocks.slice(1)) crew.free(b, ptr);
    expect(crew.word(a + at.AT_SLAB_COUNT)).toBe(slabs);
    crew.check();
    collectListed(crew.m, a);
    expect(crew.word(a + at.AT_SLAB_COUNT)).toBe(slabs - 1);
    crew.check();
  });
});

describe("the thread of a slab", () => {
  it("that frees in it when it is FULL lists it, and nobody needs to tell any more", () => {
    const { slab, first, second } = fullSlab();
    crew.free(a, first);
    expect([stateOf(slab), isListed(slab)]).toEqual([0, true]);
    crew.free(b, second);
    expect(mail()).toEqual([]);
    crew.check();
  });

  it("that frees in it when it is TOLD lists it, and it stays in the mail", () => {
    const { slab, first, second } = fullSlab();
    crew.free(b, first);
    crew.free(a, second);
    expect([stateOf(slab), isListed(slab), mail()]).toEqual([at.SLAB_TOLD, true, [slab]]);
    crew.check();
    readMail(crew.m, a);
    expect([stateOf(slab), isListed(slab), mail()]).toEqual([0, true, []]);
    expect([bitsOf(first), bitsOf(second)]).toEqual([
      [1, 0],
      [1, 0],
    ]);
    crew.check();
  });

  it("that frees all the rest of it when it is TOLD does not end it before the mail is read", () => {
    const { slab, blocks, first } = fullSlab();
    const slabs = crew.word(a + at.AT_SLAB_COUNT);
    crew.free(b, first);
    for (const ptr of blocks.slice(1)) crew.free(a, ptr);
    collectListed(crew.m, a);
    expect([stateOf(slab), isListed(slab), crew.word(a + at.AT_SLAB_COUNT)]).toEqual([
      at.SLAB_TOLD,
      true,
      slabs,
    ]);
    crew.check();
    readMail(crew.m, a);
    expect(crew.word(a + at.AT_SLAB_COUNT)).toBe(slabs - 1);
    crew.check();
  });

  it("that goes away from a full one finds what others have freed meanwhile", () => {
    const { slab, first } = fullSlab();
    // As if a had just used its last block.
    crew.pokeUnit(firstBlock(crew.m, slab), slab);
    crew.free(b, first);
    expect(bitsOf(first)).toEqual([0, 1]);
    expect(leaveFull(crew.m, a, slab)).toBe(false);
    expect([bitsOf(first), stateOf(slab)]).toEqual([[1, 0], 0]);
  });

  it("that goes away from one in which there is nothing says so in the map", () => {
    const { slab } = fullSlab();
    crew.pokeUnit(firstBlock(crew.m, slab), slab);
    expect([leaveFull(crew.m, a, slab), stateOf(slab)]).toEqual([true, at.SLAB_FULL]);
  });

  it("that goes away from one that is still in the mail leaves it TOLD", () => {
    const { slab, first } = fullSlab();
    crew.free(b, first);
    collect(crew.m, slab);
    expect([leaveFull(crew.m, a, slab), stateOf(slab)]).toEqual([true, at.SLAB_TOLD]);
  });

  it("takes back just what others have freed", () => {
    const { slab, first, second, third } = fullSlab();
    expect(collect(crew.m, slab)).toBe(false);
    crew.free(b, first);
    crew.free(b, third);
    expect(collect(crew.m, slab)).toBe(true);
    expect([bitsOf(first), bitsOf(second), bitsOf(third)]).toEqual([
      [1, 0],
      [0, 0],
      [1, 0],
    ]);
    expect(collect(crew.m, slab)).toBe(false);
  });
});

describe("a chunk that another thread frees", () => {
  it("is marked and put into its thread's mail, before those that were there", () => {
    const [first, second] = [crew.malloc(a, 1000), crew.malloc(a, 2000)];
    crew.free(b, first);
    expect([chunkMail(), isMarked(crew.m, asPtr(first)), hasMail(crew.m, a)]).toEqual([[first], true, true]);
    crew.free(c, second);
    expect(chunkMail()).toEqual([second, first]);
    crew.check();
  });

  it("is free when its thread reads the mail, and merged with its neighbours", () => {
    crew.malloc(a, 1000);
    const [first, second] = [crew.malloc(a, 1000), crew.malloc(a, 1000)];
    crew.malloc(a, 1000);
    const merges = crew.word(a + at.AT_COALESCE_COUNT);
    crew.free(b, first);
    crew.free(b, second);
    readChunkMail(crew.m, a);
    expect(chunkMail()).toEqual([]);
    expect(crew.word(a + at.AT_COALESCE_COUNT)).toBe(merges + 1);
    expect(crew.word(first - 4)).toBe(2016 | at.PREVIOUS_IN_USE);
    crew.check();
    expect(crew.malloc(a, 2000)).toBe(first);
    crew.check();
  });

  it("may be the smallest there is", () => {
    for (const heap of crew.heaps) crew.poke(heap + at.AT_SMALL_LIMIT, 0);
    const ptr = crew.malloc(a, 1);
    crew.malloc(a, 1);
    expect(usableSize(crew.m, a, asPtr(ptr))).toBe(12);
    crew.free(b, ptr);
    crew.check();
    readMail(crew.m, a);
    crew.check();
    expect(crew.malloc(a, 12)).toBe(ptr);
    expect(isMarked(crew.m, asPtr(ptr))).toBe(false);
  });

  it("may lie in an older segment", () => {
    const old = crew.malloc(a, 3000);
    crew.malloc(b, 100_000);
    crew.malloc(a, 100_000);
    expect(crew.word(a + at.AT_SEGMENT)).toBeGreaterThan(old);
    crew.free(b, old);
    expect(chunkMail()).toEqual([old]);
    crew.check();
    readMail(crew.m, a);
    crew.check();
    expect(crew.malloc(a, 3000)).toBe(old);
  });

  it("is taken back by the next malloc of its thread that no slab serves", () => {
    const ptr = crew.malloc(a, 5000);
    crew.malloc(a, 1000);
    crew.free(b, ptr);
    expect(crew.malloc(a, 5000)).toBe(ptr);
    crew.check();
  });

  it("is moved by a realloc of the other thread, into that thread's heap", () => {
    const ptr = crew.malloc(a, 1000);
    crew.malloc(a, 1000);
    crew.poke(ptr + 996, 0x1234_5678);
    const moved = realloc(crew.m, b, asPtr(ptr), 9000);
    expect(crew.word(moved + 996)).toBe(0x1234_5678);
    expect(crew.unit(moved)).toBe((b | at.OF_CHUNKS) >>> 0);
    expect(chunkMail()).toEqual([ptr]);
    crew.check();
  });
});

describe("memory that others have freed", () => {
  it("is taken back before malloc says that there is none", () => {
    crew = new Crew({ bytes: 1 << 17 });
    [a, b] = crew.heaps as [Base, Base];
    for (const bytes of [100, 1000, 20_000]) {
      const ptrs: number[] = [];
      for (let ptr = crew.malloc(a, bytes); ptr !== 0; ptr = crew.malloc(a, bytes)) ptrs.push(ptr);
      for (const ptr of ptrs) crew.free(b, ptr);
      crew.check();
      for (let index = 0; index < ptrs.length; index++)
        expect(crew.malloc(a, bytes), `${bytes} bytes`).not.toBe(0);
      crew.check();
      for (const ptr of livePtrs()) crew.free(b, ptr);
      readMail(crew.m, a);
      crew.check();
    }
  });

  /** Live blocks of a's. */
  function livePtrs(): number[] {
    const ptrs: number[] = [];
    walk(crew.m, COMMON, ({ state, ptr }) => {
      if (state === "live") ptrs.push(ptr);
    });
    return ptrs;
  }
});

describe("a second free", () => {
  const kinds = [
    ["a block of the current slab", () => [crew.malloc(a, BYTES), crew.malloc(a, BYTES)][0] as number],
    ["a block of a full slab", () => fullSlab().second],
    [
      "a block of a listed slab",
      () => {
        const { first, second } = fullSlab();
        crew.free(a, first);
        return second;
      },
    ],
    ["a chunk", () => [crew.malloc(a, 1000), crew.malloc(a, 1000)][0] as number],
    [
      "a chunk of an older segment",
      () => {
        const [ptr] = [
          crew.malloc(a, 3000),
          crew.malloc(a, 3000),
          crew.malloc(b, 100_000),
          crew.malloc(a, 100_000),
        ];
        return ptr as number;
      },
    ],
  ] as const;
  const orders = [
    ["its own thread, then another", () => [a, b]],
    ["another, then its own thread", () => [b, a]],
    ["another, then a third", () => [b, c]],
    ["another, twice", () => [b, b]],
    ["its own thread, twice", () => [a, a]],
  ] as const;

  for (const [kind, make] of kinds) {
    it.each(orders)(`of ${kind} is refused, with nothing changed: %s`, (_, order) => {
      const ptr = make();
      const [first, second] = order() as [Base, Base];
      crew.free(first, ptr);
      crew.check();
      expectRefused(() => crew.free(second, ptr), DOUBLE_FREE, ptr);
    });

    it.each(orders)(`of ${kind} is refused when it has been taken back: %s`, (_, order) => {
      const ptr = make();
      const [first, second] = order() as [Base, Base];
      crew.free(first, ptr);
      readMail(crew.m, a);
      collectListed(crew.m, a);
      crew.check();
      expectRefused(() => crew.free(second, ptr), DOUBLE_FREE, ptr);
    });
  }

  const uses: readonly (readonly [name: string, use: (heap: Base, ptr: Ptr) => unknown])[] = [
    ["realloc", (heap, ptr) => realloc(crew.m, heap, ptr, 2000)],
    ["reallocInPlace", (heap, ptr) => reallocInPlace(crew.m, heap, ptr, 8)],
    ["usableSize", (heap, ptr) => usableSize(crew.m, heap, ptr)],
    ["freeSized", (heap, ptr) => freeSized(crew.m, heap, ptr, 8)],
    [
      "bulkFree",
      (heap, ptr) => {
        const list = crew.malloc(c, 32);
        crew.m.store32(list, ptr);
        bulkFree(crew.m, heap, asPtr(list), 1);
      },
    ],
  ];

  // A chunk in the mail still has the header of one that lives.
  it.each(uses)("is refused by %s, too, before and after it is taken back", (_, use) => {
    for (const [, make] of kinds) {
      for (const own of [true, false]) {
        begin();
        const ptr = make();
        const heap = own ? a : b;
        crew.free(b, ptr);
        expect(refusalOf(() => use(heap, asPtr(ptr)))).toEqual([DOUBLE_FREE, ptr]);
        readMail(crew.m, a);
        collectListed(crew.m, a);
        expect(refusalOf(() => use(heap, asPtr(ptr)))).toEqual([DOUBLE_FREE, ptr]);
        crew.check();
      }
    }
  });

  it("is none when the block has been handed out again", () => {
    for (const bytes of [BYTES, 1000]) {
      const ptr = crew.malloc(a, bytes);
      crew.malloc(a, bytes);
      for (let round = 0; round < 3; round++) {
        crew.free(b, ptr);
        readMail(crew.m, a);
        collectListed(crew.m, a);
        if (bytes === BYTES) collect(crew.m, slabOfPtr(ptr));
        const got: number[] = [];
        while (!got.includes(ptr)) got.push(crew.malloc(a, bytes));
      }
      crew.check();
    }
  });

  it("of two threads at once is refused for the one that comes second", () => {
    const ptr = crew.malloc(a, BYTES);
    const slab = slabOfPtr(ptr);
    const { machine } = crew;
    // b's free has found the block live; before it sets the bit, c's does so.
    const orShared = machine.orShared.bind(machine);
    machine.orShared = (address, bits) => {
      machine.orShared = orShared;
      crew.free(c, ptr);
      return orShared(address, bits);
    };
    expect(refusalOf(() => crew.free(b, ptr))).toEqual([DOUBLE_FREE, ptr]);
    expect([bitsOf(ptr), stateOf(slab)]).toEqual([[0, 1], 0]);
    crew.check();
  });
});

describe("another thread's free", () => {
  it("refuses what is no block's address, as its own thread's would", () => {
    const block = crew.malloc(a, BYTES);
    const chunk = crew.malloc(a, 1000);
    crew.malloc(a, 1000);
    const slab = slabOfPtr(block);
    for (const heap of [a, b]) {
      for (const ptr of [block + 8, block + 1, chunk + 4])
        expectRefused(() => crew.free(heap, ptr), MISALIGNED, ptr);
      // Inside blocks, a descriptor, a header.
      for (const ptr of [block + 16, chunk + 16, slab, a])
        expectRefused(() => crew.free(heap, ptr), NOT_A_BLOCK, ptr);
      const beyond = crew.word(COMMON + at.AT_LIMIT);
      for (const ptr of [COMMON, 4096, beyond, 0xffff_fff0])
        expectRefused(() => crew.free(heap, ptr), OUTSIDE, ptr);
    }
  });

  it("refuses a wrong size", () => {
    const [block, chunk] = [crew.malloc(a, BYTES), crew.malloc(a, 1000)];
    expectRefused(() => freeSized(crew.m, b, asPtr(block), 113), SIZE_MISMATCH, block);
    expectRefused(() => freeSized(crew.m, b, asPtr(chunk), 900), SIZE_MISMATCH, chunk);
    freeSized(crew.m, b, asPtr(block), BYTES);
    freeSized(crew.m, b, asPtr(chunk), 1000);
    crew.check();
    expectRefused(() => freeSized(crew.m, b, asPtr(chunk), 1000), DOUBLE_FREE, chunk);
  });

  it.each([100, 1000])("goes by the size that another thread gave a block of %i bytes", (bytes) => {
    const [one, other] = [asPtr(crew.malloc(a, bytes)), asPtr(crew.malloc(a, bytes))];
    const smaller = bytes - 40;
    freeSized(crew.m, b, realloc(crew.m, b, one, smaller), smaller);
    const inPlace = reallocInPlace(crew.m, b, other, smaller);
    freeSized(crew.m, b, other, inPlace === 0 ? bytes : smaller);
    crew.check();
  });

  it("of 0 does nothing", () => {
    const before = crew.bytes();
    crew.free(b, 0);
    expect(Buffer.compare(crew.bytes(), before)).toBe(0);
  });
});
