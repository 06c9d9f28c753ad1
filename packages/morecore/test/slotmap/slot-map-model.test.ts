// Any program of calls to slot maps and their secondary maps, beside a Map; and once more after save and load, in between.

import fc from "fast-check";
import { expect, test } from "vitest";
import { liveBlocks } from "../../../../test/support/allocator-conformance.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import {
  f64,
  Heap,
  type Key,
  SecondaryColumn,
  SecondaryMap,
  SlotMap,
  struct,
  text,
  u32,
} from "../../src/index.ts";

const seed = seedOf("slot maps");
const Item = struct({ name: text, number: u32 }, { name: "Item" });
type ItemKey = Key<typeof Item>;

type Call =
  | { readonly do: "insert"; readonly number: number }
  | { readonly do: "remove" | "set" | "take" | "tell" | "forget"; readonly which: number }
  | { readonly do: "clear" | "prune" | "reserve" | "save" };

const which = fc.nat(1000);
const RARE = ["clear", "prune", "reserve", "save", "save"] as const;
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant("insert"), number: fc.nat(1_000_000) } as const) },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constantFrom("remove", "remove", "take", "set", "tell", "tell", "forget"),
      which,
    } as const),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom(...RARE) } as const) },
);

/** What a heap has in it, as bytes in another memory. */
function loaded(heap: Heap): Heap {
  const memory = new WebAssembly.Memory({ initial: heap.memory.buffer.byteLength / 65_536 });
  new Uint8Array(memory.buffer).set(new Uint8Array(heap.memory.buffer));
  const again = Heap.attach(memory, heap.base);
  again.checking = heap.checking;
  return again;
}

/** A slot map with what belongs to it, and what must be in them. */
class Program {
  private heap: Heap;
  private map: SlotMap<typeof Item>;
  private secondary: SecondaryMap<string, typeof Item>;
  private column: SecondaryColumn<typeof Item, typeof Item>;
  private readonly model = new Map<ItemKey, string>();
  private readonly told = new Map<ItemKey, string>();
  private readonly dead: ItemKey[] = [];
  private order: ItemKey[] = [];
  /** The same calls on a map that is never saved. */
  private readonly twinHeap = Heap.create();
  private readonly twin: SlotMap<typeof Item>;

  constructor(checking: boolean, versionLimit: number) {
    this.heap = Heap.create({ checking });
    this.map = new SlotMap(this.heap, Item, { versionLimit });
    this.twin = new SlotMap(this.twinHeap, Item, { versionLimit, id: this.map.id });
    this.secondary = new SecondaryMap(this.map);
    this.column = new SecondaryColumn(this.map, this.heap, Item);
  }

  run(calls: readonly Call[]): void {
    for (const each of calls) this.perform(each);
    this.expectAgreement();
    this.column.dispose();
    this.map.dispose();
    expect(liveBlocks(this.heap)).toEqual([]);
    this.heap.check();
  }

  private perform(each: Call): void {
    switch (each.do) {
      case "insert":
        this.insert(each.number);
        return;
      case "clear":
        this.map.clear();
        this.twin.clear();
        this.dead.push(...this.model.keys());
        this.order = [];
        this.model.clear();
        this.told.clear();
        return;
      case "prune":
        this.secondary.prune();
        this.column.prune();
        return;
      case "reserve":
        this.map.reserve(this.map.size + 20);
        return;
      case "save":
        this.save();
        return;
      default:
        this.use(each.do, each.which);
    }
  }

  private insert(number: number): void {
    const value = { name: `item ${number}`, number };
    const key = this.map.insert(value);
    expect(this.model.has(key) || this.dead.includes(key), "a key is new").toBe(false);
    expect(this.twin.insert(value), "as in the map that was never saved").toBe(key);
    this.model.set(key, value.name);
    this.order.push(key);
  }

  /** A call with a key: of a value that is there, or of one that was. */
  private use(what: "remove" | "set" | "take" | "tell" | "forget", at: number): void {
    const { map, twin, model, secondary, column, told } = this;
    const all = [...model.keys(), ...this.dead.slice(-5)];
    const key = all[at % Math.max(1, all.length)];
    if (key === undefined) return;
    const live = model.has(key);
    const name = `told ${at}`;
    switch (what) {
      case "remove":
        expect([map.remove(key), twin.remove(key)]).toEqual([live, live]);
        this.removed(key, live);
        return;
      case "take":
        expect(map.take(key)?.name).toBe(model.get(key));
        twin.remove(key);
        this.removed(key, live);
        return;
      case "set":
        expect(map.set(key, { name })).toBe(live);
        twin.set(key, { name });
        if (live) model.set(key, name);
        return;
      case "tell":
        expect(secondary.set(key, name)).toBe(live);
        expect(column.set(key, { name })).toBe(live);
        if (live) told.set(key, name);
        return;
      case "forget":
        expect(secondary.remove(key)).toBe(told.has(key));
        expect(column.remove(key)).toBe(told.has(key));
        told.delete(key);
    }
  }

  private removed(key: ItemKey, live: boolean): void {
    if (!live) return;
    this.model.delete(key);
    this.told.delete(key);
    this.dead.push(key);
    const gap = this.order.indexOf(key);
    const last = this.order.pop() as ItemKey;
    if (gap < this.order.length) this.order[gap] = last;
  }

  /** Goes on in another memory, as after a restart: what is beside the map is made anew. */
  private save(): void {
    this.column.dispose();
    this.heap = loaded(this.heap);
    this.map = SlotMap.attach(this.heap, Item, this.map.ptr);
    this.secondary = new SecondaryMap(this.map);
    this.column = new SecondaryColumn(this.map, this.heap, Item);
    for (const [key, name] of this.told) {
      this.secondary.set(key, name);
      this.column.set(key, { name });
    }
    this.expectAgreement();
  }

  private expectAgreement(): void {
    const { map, model, secondary, column, told } = this;
    map.check();
    expect(map.size).toBe(model.size);
    expect([...map.keys()]).toEqual(this.order);
    expect([...map.keys()]).toEqual([...this.twin.keys()]);
    expect(map.retired).toBe(this.twin.retired);
    for (const [key, name] of model) expect(map.get(key)?.name).toBe(name);
    for (const key of this.dead) {
      expect(map.has(key)).toBe(false);
      expect(secondary.get(key)).toBe(undefined);
      expect(column.get(key)).toBe(undefined);
    }
    expect(new Map(secondary)).toEqual(told);
    expect(new Map(Array.from(column, ([key, item]) => [key, item.name]))).toEqual(told);
    expect([secondary.size, column.size]).toEqual([told.size, told.size]);
  }
}

test.each([true, false])("any program does what Maps do, checking: %s", (checking) => {
  const property = fc.property(
    fc.constantFrom(1, 3, 100),
    fc.array(call, { maxLength: 150, size: "max" }),
    (limit, calls) => new Program(checking, limit).run(calls),
  );
  fc.assert(property, { seed, numRuns: 100, interruptAfterTimeLimit: 30_000 });
});

test("references from a column are good until it grows; a column ends once, with what it owned", () => {
  const heap = Heap.create({ checking: true });
  const map = new SlotMap(heap, f64);
  const column = new SecondaryColumn(map, heap, Item);
  const keys = Array.from({ length: 9 }, (_, value) => map.insert(value));
  const [first, last] = [keys[0], keys[8]] as [Key<typeof f64>, Key<typeof f64>];
  column.set(first, { name: "the first of them", number: 1 });
  const item = column.get(first);
  column.set(first, { number: 2 });
  expect([item?.name, item?.number], "set writes the whole value").toEqual(["", 2]);
  expect(() => column.set(first, { name: 3 as never })).toThrow(TypeError);
  expect(column.get(first)?.number, "what cannot be read changes nothing").toBe(2);
  column.set(last, { name: "the last of them" });
  expect(() => item?.number).toThrow(/had ended/);
  column.dispose();
  column.dispose();
  expect(() => column.get(last)).toThrow(/had ended/);
  map.dispose();
  expect(liveBlocks(heap)).toEqual([]);
});

test("secondary maps refuse keys of another map", () => {
  const heap = Heap.create();
  const [map, other] = [new SlotMap(heap, f64), new SlotMap(heap, f64)];
  const key = other.insert(1);
  const secondary = new SecondaryMap<string, typeof f64>(map);
  const column = new SecondaryColumn(map, heap, f64);
  expect(() => secondary.set(key, "a")).toThrow(/expected a key of slot map/);
  expect(() => column.get(key)).toThrow(/expected a key of slot map/);
});
