// SlotMap: keys, their end, and the state that is saved and loaded with the heap.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { liveBlocks } from "../../../../test/support/allocator-conformance.ts";
import { MAKERS } from "../../../../test/support/memories.ts";
import { hasOs, OS_MAKERS } from "../../../../test/support/os.ts";
import {
  f64,
  Heap,
  i32,
  type Key,
  keyType,
  OutOfMemoryError,
  type Ref,
  SlotMap,
  SlotMapFormatError,
  struct,
  text,
  UseAfterFreeError,
  u8,
} from "../../src/index.ts";

const Player = struct({ name: text, score: i32 }, { name: "Player" });
const Point = struct({ x: f64, y: f64 }, { name: "Point" });

/** "SLOT" */
const MAGIC = 0x544f_4c53;

/** The parts of a key. */
function parts(key: number): { index: number; version: number; id: number } {
  const tag = Math.floor(key / 2 ** 26);
  return { index: key % 2 ** 26, version: tag % 2 ** 19, id: Math.floor(tag / 2 ** 19) };
}

/** A heap in other memory, with the same bytes at the same addresses. */
function saveAndLoad(heap: Heap): Heap {
  const loaded = new WebAssembly.Memory({ initial: heap.memory.buffer.byteLength / 65_536 });
  new Uint8Array(loaded.buffer).set(new Uint8Array(heap.memory.buffer));
  const attached = Heap.attach(loaded, heap.base);
  attached.checking = heap.checking;
  return attached;
}

describe.each([...MAKERS, ...(hasOs ? OS_MAKERS : [])])("in $name", ({ make, grows }) => {
  test("values are found by their keys, and everything is given back at the end", () => {
    const heap = make();
    const before = liveBlocks(heap);
    const map = new SlotMap(heap, Player);
    const keys = Array.from({ length: 500 }, (_, score) => map.insert({ name: `player ${score}`, score }));
    if (grows) heap.free(heap.malloc(1_000_000));
    for (const [score, key] of keys.entries()) expect(map.get(key)?.name).toBe(`player ${score}`);
    for (const key of keys.slice(0, 250)) expect(map.remove(key)).toBe(true);
    map.check();
    expect(map.size).toBe(250);
    map.dispose();
    map.dispose();
    expect(liveBlocks(heap)).toEqual(before);
    heap.check();
  });

  test("without memory, insert throws, and nothing has changed", () => {
    const heap = make();
    const before = liveBlocks(heap);
    heap.footprintLimit = heap.footprint + 16_384;
    const map = new SlotMap(heap, Player);
    const keys: Key<typeof Player>[] = [];
    const fill = (): void => {
      for (;;) keys.push(map.insert({ name: `this is player ${keys.length}`, score: keys.length }));
    };
    expect(fill).toThrow(OutOfMemoryError);
    const size = keys.length;
    expect(size).toBeGreaterThan(10);
    expect(fill).toThrow(OutOfMemoryError);
    expect(map.size).toBe(size);
    map.check();
    for (const [score, key] of keys.entries()) expect(map.get(key)?.name).toBe(`this is player ${score}`);
    heap.footprintLimit = Number.POSITIVE_INFINITY;
    if (grows) expect(map.get(map.insert({ name: "one more" }))?.name).toBe("one more");
    map.dispose();
    expect(liveBlocks(heap)).toEqual(before);
  });
});

describe("a slot map", () => {
  let heap: Heap;
  beforeEach(() => {
    heap = Heap.create({ checking: true });
  });
  afterEach(() => {
    expect(liveBlocks(heap)).toEqual([]);
    heap.check();
  });

  test("gives keys of its id, the slot's index and how many keys the slot has given", () => {
    using map = new SlotMap(heap, f64, { id: 7 });
    const first = map.insert(1);
    expect(parts(first)).toEqual({ index: 0, version: 1, id: 7 });
    expect(parts(map.insert(2))).toEqual({ index: 1, version: 1, id: 7 });
    map.remove(first);
    expect(parts(map.insert(3))).toEqual({ index: 0, version: 2, id: 7 });
  });

  test("keys are exact numbers, also the largest one", () => {
    const largest = (255 * 2 ** 19 + 2 ** 19 - 1) * 2 ** 26 + 2 ** 26 - 1;
    expect(largest).toBe(Number.MAX_SAFE_INTEGER);
    using map = new SlotMap(heap, f64, { id: 255 });
    // One of this map by its id; its slot was never used.
    expect(map.get(largest as Key<typeof f64>)).toBe(undefined);
  });

  test("knows nothing by a key whose value was removed, whatever lies in its slot now", () => {
    using map = new SlotMap(heap, Player);
    const old = map.insert({ name: "old" });
    expect(map.remove(old)).toBe(true);
    const key = map.insert({ name: "new" });
    expect(parts(key).index).toBe(parts(old).index);
    expect(map.get(old)).toBe(undefined);
    expect(map.has(old)).toBe(false);
    expect(map.ptrOf(old)).toBe(0);
    expect(map.set(old, { name: "no" })).toBe(false);
    expect(map.take(old)).toBe(undefined);
    expect(map.remove(old)).toBe(false);
    expect(map.get(key)?.name).toBe("new");
  });

  test("refuses keys of another map at run time", () => {
    using map = new SlotMap(heap, f64, { name: "lengths" });
    using other = new SlotMap(heap, f64, { name: "widths" });
    const key = other.insert(1);
    map.insert(1);
    for (const call of ["get", "has", "remove", "take", "ptrOf"] as const)
      expect(() => map[call](key)).toThrow(
        `${call}: expected a key of lengths, whose id is ${map.id}; got one of a map with id ${other.id}`,
      );
    expect(() => map.set(key, 2)).toThrow(TypeError);
  });

  test("refuses keys of another map at compile time, by the type of the values or by a name", () => {
    using players = new SlotMap(heap, Player);
    using points = new SlotMap(heap, Point);
    const Red = keyType("Red");
    using red = new SlotMap(heap, Point, { key: Red });
    using blue = new SlotMap(heap, Point, { key: keyType("Blue") });
    const key = red.insert({ x: 1 });
    // @ts-expect-error: a key of points
    expect(() => players.get(points.insert({ x: 1 }))).toThrow(TypeError);
    // @ts-expect-error: a key of "Red"
    expect(() => blue.get(key)).toThrow(TypeError);
    // @ts-expect-error: a number
    expect(() => red.get(5)).toThrow(TypeError);
    const named: Key<"Red"> = key;
    expect(red.get(named)?.x).toBe(1);
  });

  test("keeps keys in fields of structs, where none is 0", () => {
    const PlayerKey = keyType("Player");
    using players = new SlotMap(heap, Player, { key: PlayerKey });
    const Team = struct({ captain: PlayerKey, size: u8 });
    const team = heap.new(Team);
    expect(team.captain).toBe(PlayerKey.none);
    expect(players.get(team.captain)).toBe(undefined);
    team.captain = players.insert({ name: "Ann" });
    expect(players.get(team.captain)?.name).toBe("Ann");
    heap.delete(team);
  });

  test("what is no key at all is refused", () => {
    using map = new SlotMap(heap, f64);
    const good = map.insert(5);
    for (const key of [-1, String(good), 0.5, Number.NaN, 2 ** 53, "1", undefined, 1n])
      expect(() => map.get(key as never), String(key)).toThrow(/get: expected a key, got/);
  });

  test("a slot that has given all its keys is retired, and its keys are never good again", () => {
    using map = new SlotMap(heap, i32, { versionLimit: 3 });
    const keys = new Set<number>();
    const old: Key<typeof i32>[] = [];
    for (let index = 0; index < 12; index++) {
      const key = map.insert(index);
      expect(keys.has(key)).toBe(false);
      keys.add(key);
      old.push(key);
      expect(parts(key)).toMatchObject({ index: Math.floor(index / 3), version: 1 + (index % 3) });
      map.remove(key);
      map.check();
    }
    expect(map.retired).toBe(4);
    for (const key of old) expect(map.has(key)).toBe(false);
    map.reserve(100);
    expect(map.capacity).toBe(100);
  });

  test("the versions of a slot end where the bits for them do", () => {
    using map = new SlotMap(heap, u8, { capacity: 1 });
    for (let count = 0; count < 2 ** 19 - 1; count++) map.remove(map.insert(0));
    expect(map.retired).toBe(1);
    expect(parts(map.insert(0))).toMatchObject({ index: 1, version: 1 });
    map.check();
  });

  test("the slot that was freed last is used next", () => {
    using map = new SlotMap(heap, i32);
    const keys = [0, 1, 2, 3].map((value) => map.insert(value));
    for (const index of [2, 0, 3]) map.remove(keys[index] as Key<typeof i32>);
    expect([1, 2, 3, 4].map((value) => parts(map.insert(value)).index)).toEqual([3, 0, 2, 4]);
  });

  test("clear frees from the last to the first, so that what is inserted then has the slots in order", () => {
    using map = new SlotMap(heap, i32);
    const old = [0, 1, 2].map((value) => map.insert(value));
    map.clear();
    expect(map.size).toBe(0);
    for (const key of old) expect(map.has(key)).toBe(false);
    expect([0, 1, 2, 3].map((value) => parts(map.insert(value)).index)).toEqual([0, 1, 2, 3]);
    map.check();
  });

  test("values lie side by side in the order of insertion; a remove puts the last one in the gap", () => {
    using map = new SlotMap(heap, f64);
    const keys = [10, 20, 30, 40, 50].map((value) => map.insert(value));
    map.remove(keys[1] as Key<typeof f64>);
    expect([...map.values()]).toEqual([10, 50, 30, 40]);
    expect([...map.keys()]).toEqual([keys[0], keys[4], keys[2], keys[3]]);
    expect(map.dense().view()).toEqual(new Float64Array([10, 50, 30, 40]));
    expect([...map]).toEqual([...map.keys()].map((key) => [key, map.get(key)]));
  });

  test("the value at hand may be removed while they are gone through, and new ones come, too", () => {
    using map = new SlotMap(heap, Player);
    for (let score = 0; score < 10; score++) map.insert({ name: `${score}`, score });
    const seen: number[] = [];
    for (const [key, player] of map) {
      seen.push(player.score);
      if (player.score === 3) map.insert({ name: "new", score: 100 });
      if (player.score % 2 === 0) map.remove(key);
    }
    expect(seen.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100]);
    expect([...map.values()].map(({ score }) => score).sort((a, b) => a - b)).toEqual([1, 3, 5, 7, 9]);
    const each: number[] = [];
    map.forEach((player, key) => {
      each.push(player.score);
      if (player.score > 4) map.remove(key);
    });
    expect(each.sort((a, b) => a - b)).toEqual([1, 3, 5, 7, 9]);
    expect(map.size).toBe(2);
  });

  test("set writes the fields that are given; take gives a copy of what it removes", () => {
    using map = new SlotMap(heap, Player);
    const key = map.insert({ name: "Ann", score: 1 });
    expect(map.set(key, { score: 2 })).toBe(true);
    expect(map.take(key)).toEqual({ name: "Ann", score: 2 });
    expect(map.size).toBe(0);
  });

  test("a value that cannot be made changes nothing, and loses nothing", () => {
    using map = new SlotMap(heap, Player, { capacity: 4 });
    const blocks = liveBlocks(heap);
    expect(() => map.insert({ name: "a name", score: 1n as never })).toThrow(TypeError);
    expect(() => map.insert({ name: "a name", points: 1 } as never)).toThrow(/no field "points"/);
    expect(liveBlocks(heap)).toEqual(blocks);
    expect(map.size).toBe(0);
    expect(parts(map.insert({ name: "Ann" }))).toMatchObject({ index: 0, version: 1 });
  });

  test("a reference is good until values move, and throws then", () => {
    using map = new SlotMap(heap, Point, { capacity: 3 });
    const key = map.insert({ x: 1 });
    const other = map.insert({ x: 2 });
    const first = map.get(key);
    map.insert({ x: 3 });
    expect(first?.x).toBe(1);
    map.remove(other);
    expect(() => first?.x).toThrow(/Point at 0x[0-9a-f]+: used after its place in slot map \d+ had ended/);
    const kept = map.get(key);
    map.insert({ x: 4 });
    const ballast = heap.malloc(100);
    map.insert({ x: 5 });
    expect(() => kept?.x).toThrow(UseAfterFreeError);
    expect(map.get(key)?.x).toBe(1);
    const cursors: Ref<typeof Point>[] = [];
    map.forEach((point) => {
      cursors.push(point);
    });
    expect(() => cursors[0]?.x).toThrow(UseAfterFreeError);
    heap.free(ballast);
  });

  test("when memory is short, it grows by less than twice", () => {
    using map = new SlotMap(heap, Point);
    for (let index = 0; index < 4096; index++) map.insert({ x: index });
    expect(map.capacity).toBe(4096);
    heap.footprintLimit = heap.footprint;
    const rest: number[] = [];
    for (let ptr = heap.malloc(8192); ptr !== 0; ptr = heap.malloc(8192)) rest.push(ptr);
    heap.footprintLimit = heap.footprint + 180_000;
    map.insert({ x: 4096 });
    expect(map.capacity).toBeGreaterThan(4200);
    expect(map.capacity).toBeLessThan(8192);
    heap.bulkFree(rest);
  });

  test("ends with the arena that it lies in, and is of no use after its end", () => {
    const out: { map?: SlotMap<typeof Point> } = {};
    heap.scope((scope) => {
      const map = new SlotMap(scope, Point);
      out.map = map as unknown as SlotMap<typeof Point>;
      expect(map.get(map.insert({ x: 2 }))?.x).toBe(2);
    });
    expect(() => out.map?.size).toThrow(UseAfterFreeError);
    out.map?.dispose();
    const map = new SlotMap(heap, f64);
    const key = map.insert(1);
    map.dispose();
    for (const call of [() => map.get(key), () => map.insert(1), () => map.size, () => map.clear()])
      expect(call).toThrow(UseAfterFreeError);
  });

  test("refuses bad options by name, and gives back what it took when there is no room", () => {
    expect(() => new SlotMap(heap, f64, { id: 0 })).toThrow(/id: expected an integer from 1 to 255, got 0/);
    expect(() => new SlotMap(heap, f64, { key: "a" as never })).toThrow(/key: expected a type/);
    expect(() => new SlotMap(heap, f64, { versions: 1 } as never)).toThrow(/unknown option "versions"/);
    heap.footprintLimit = heap.footprint + 4096;
    expect(() => new SlotMap(heap, f64, { capacity: 1_000_000 })).toThrow(OutOfMemoryError);
  });
});

describe("saved and loaded", () => {
  test("the same keys are good, and the next ones are the same", () => {
    const heap = Heap.create();
    const map = new SlotMap(heap, Player, { versionLimit: 4 });
    const keys = Array.from({ length: 40 }, (_, score) => map.insert({ name: `player ${score}`, score }));
    for (let index = 0; index < 40; index += 3) map.remove(keys[index] as Key<typeof Player>);
    const loaded = saveAndLoad(heap);
    const again = SlotMap.attach(loaded, Player, map.ptr);
    for (const [index, key] of keys.entries()) {
      const expected = index % 3 === 0 ? undefined : `player ${index}`;
      expect(again.get(key)?.name).toBe(expected);
    }
    const next = (into: typeof map): number[] =>
      Array.from({ length: 100 }, (_, score) => {
        const key = into.insert({ score });
        if (score % 3 === 0) into.remove(key);
        return key;
      });
    expect(next(again)).toEqual(next(map));
    expect([...again.keys()]).toEqual([...map.keys()]);
    again.check();
    again.dispose();
    loaded.check();
  });

  test("two windows on one map see the same; its end is seen in both", () => {
    const heap = Heap.create();
    const one = new SlotMap(heap, f64);
    const two = SlotMap.attach(heap, f64, one.ptr);
    const key = one.insert(5);
    expect(two.get(key)).toBe(5);
    for (let value = 0; value < 1000; value++) two.insert(value);
    expect(one.size).toBe(1001);
    one.check();
    one.dispose();
    expect(() => two.get(key)).toThrow(/had ended elsewhere/);
    two.dispose();
    expect(liveBlocks(heap)).toEqual([]);
  });

  describe("what is no sound slot map of such values is refused", () => {
    const heap = Heap.create({ checking: true });
    const map = new SlotMap(heap, Point);
    const keys = [1, 2, 3, 4].map((x) => map.insert({ x }));
    map.remove(keys[1] as Key<typeof Point>);
    map.remove(keys[2] as Key<typeof Point>);
    const refused = (ptr = map.ptr): (() => unknown) => {
      return () => SlotMap.attach(heap, Point, ptr);
    };
    /** Attaches with a word of the header, or of what a word of it leads to, overwritten. */
    const broken = (
      word: number,
      value: number,
      slot?: number,
      ...more: readonly [word: number, value: number][]
    ): (() => unknown) => {
      return () => {
        const header = heap.u32(map.ptr, 21);
        const words = slot === undefined ? header : heap.u32(header[word] as number, 16);
        const before = words.slice();
        words[slot ?? word] = value;
        for (const [at, other] of more) words[at] = other;
        try {
          SlotMap.attach(heap, Point, map.ptr);
        } finally {
          words.set(before);
        }
      };
    };

    test.each([
      ["null", refused(0), /expected an address that is a multiple of 4, and not 0/],
      ["an odd address", refused(map.ptr + 2), /a multiple of 4/],
      ["an address beyond the memory", refused(2 ** 32 - 64), /the memory ends before it/],
      ["no magic number", refused(map.ptr + 4), /expected the magic number 0x544f4c53, found/],
      ["another format", broken(1, 9), /it has format version 9, this is for version 2/],
      [
        "values of another size",
        broken(3, 24),
        /its values have 24 bytes, aligned to 8; a Point has 16, aligned to 8/,
      ],
      ["values of another alignment", broken(4, 4), /aligned to 4/],
      ["an id that is none", broken(2, 300), /its id is 300/],
      ["a version limit that is none", broken(5, 0), /its version limit is 0/],
      ["more slots than there can be", broken(7, 2 ** 27), /room for 134217728 slots/],
      ["more slots in use than there are", broken(8, 100), /100 slots are in use, of/],
      ["more values than there is room for", broken(13, 100), /100 (owners|values) are in use/],
      ["slots that lie elsewhere", broken(6, 2 ** 32 - 64), /slots at 0xffffffc0 cannot lie there/],
      ["values at an odd address", broken(11, 12), /values at 0xc cannot lie there/],
      ["values in the header", broken(11, map.ptr + 8), /its values at 0x[0-9a-f]+ and its header overlap/],
      ["values at an address for none", broken(12, 0), /in use, of 0|cannot lie there/],
      ["more values than keys can name", broken(12, 2 ** 31), /room for 2147483648 values/],
      ["a change that there is not", broken(0, MAGIC + 5), /expected the magic number/],
      ["a growth of no array", broken(0, MAGIC + 2, undefined, [18, 5]), /array 5 has grown, which is none/],
      [
        "a growth to nowhere",
        broken(0, MAGIC + 2, undefined, [18, 11], [19, 2 ** 32 - 16], [20, 64]),
        /64 values at 0xfffffff0 cannot lie there/,
      ],
      ["a count that does not fit", broken(13, 1), /do not belong together|slots are live/],
      ["retired slots that are not", broken(15, 1), /0 slots are retired, of 1/],
      ["a free list that is cut", broken(14, 0), /free slots are not in the free list/],
      [
        "a free list that leads to a live slot",
        broken(14, 1),
        /the free list leads to slot 0, which is not free/,
      ],
      ["a free list beyond the slots", broken(14, 99), /the free list leads to slot 98/],
      ["a slot of another map", broken(6, 5, 0), /slot 0 has the tag 0x5/],
      ["a slot whose value is another's", broken(6, 1, 1), /slot 0 and its value 1 do not belong together/],
      [
        "a free list that goes round",
        broken(6, 3, 3),
        /the free list leads to slot 2, .*a second time|not in the free list/,
      ],
    ])("%s", (_name, attach, message) => {
      expect(attach).toThrow(SlotMapFormatError);
      expect(attach).toThrow(message);
      map.check();
    });
  });
});
