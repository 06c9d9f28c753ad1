// TypedArena: elements in order, that stay where they are, and may refer to each other.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { liveBlocks } from "../../../../test/support/allocator-conformance.ts";
import { MAKERS } from "../../../../test/support/memories.ts";
import { hasOs, OS_MAKERS } from "../../../../test/support/os.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import {
  f64,
  Heap,
  i32,
  OutOfMemoryError,
  type Ptr,
  pointer,
  type Ref,
  struct,
  TypedArena,
  text,
  UseAfterFreeError,
  u8,
} from "../../src/index.ts";

const Person = struct({ age: i32, friend: pointer(() => Person) }, { name: "Person" });
const Named = struct({ name: text, age: u8 }, { name: "Named" });
const Point = struct({ x: f64, y: f64 }, { name: "Point" });

const seed = seedOf("typed arenas");

describe.each([...MAKERS, ...(hasOs ? OS_MAKERS : [])])("in $name", ({ make, grows }) => {
  test("elements stay where they are and what they are, in the order in which they were made", () => {
    const heap = make();
    const before = liveBlocks(heap);
    const arena = new TypedArena(heap, Point);
    const count = grows ? 20_000 : 5000;
    const first = arena.new({ x: -1 });
    const { ptr } = first;
    for (let index = 1; index < count; index++) arena.new({ x: index, y: -index });
    expect(first.ptr).toBe(ptr);
    expect(first.x).toBe(-1);
    expect(arena.length).toBe(count);
    let index = 0;
    arena.forEach((point, at) => {
      if (point.x !== (index === 0 ? -1 : index) || at !== index)
        throw new Error(`element ${index} is ${point.x}`);
      index++;
    });
    expect(index).toBe(count);
    arena.dispose();
    expect(liveBlocks(heap)).toEqual(before);
    heap.check();
  });

  test("without memory, new throws, and nothing has changed", () => {
    const heap = make();
    const before = liveBlocks(heap);
    heap.footprintLimit = heap.footprint + 8192;
    const arena = new TypedArena(heap, Point);
    let made = 0;
    const fill = (): void => {
      for (;;) {
        arena.new({ x: made });
        made++;
      }
    };
    expect(fill).toThrow(OutOfMemoryError);
    expect(made).toBeGreaterThan(0);
    const blocks = liveBlocks(heap);
    expect(fill).toThrow(OutOfMemoryError);
    expect(liveBlocks(heap)).toEqual(blocks);
    expect(arena.length).toBe(made);
    expect([...arena].every((point, index) => point.x === index)).toBe(true);
    heap.footprintLimit = Number.POSITIVE_INFINITY;
    if (grows) expect(arena.new({ x: 5 }).x).toBe(5);
    arena.dispose();
    expect(liveBlocks(heap)).toEqual(before);
  });
});

describe("a typed arena", () => {
  let heap: Heap;
  beforeEach(() => {
    heap = Heap.create({ checking: true });
  });
  afterEach(() => {
    expect(liveBlocks(heap)).toEqual([]);
    heap.check();
  });

  test("has elements that refer to each other in circles", () => {
    using arena = new TypedArena(heap, Person);
    const ann = arena.new({ age: 40 });
    const bob = arena.new({ age: 50, friend: ann });
    ann.friend = bob;
    ann.friend.friend = ann;
    expect([...arena].map((person) => person.friend?.friend?.age)).toEqual([40, 50]);
  });

  test("has them in a scope, too, where their references live as long as the scope", () => {
    const sum = heap.scope((scope) => {
      const arena = new TypedArena(scope, Person);
      const ann = arena.new({ age: 40 });
      const bob = arena.new({ age: 50, friend: ann });
      ann.friend = bob;
      return (ann.friend?.age ?? 0) + (bob.friend?.age ?? 0);
    });
    expect(sum).toBe(90);
  });

  test("in a scope ends with it", () => {
    const out: { ref?: Ref<typeof Person>; arena?: TypedArena<typeof Person> } = {};
    heap.scope((scope) => {
      const arena = new TypedArena(scope, Person);
      out.arena = arena as unknown as TypedArena<typeof Person>;
      out.ref = arena.new({ age: 1 }) as unknown as Ref<typeof Person>;
    });
    expect(() => out.ref?.age).toThrow(UseAfterFreeError);
    expect(() => out.arena?.new()).toThrow(UseAfterFreeError);
    out.arena?.dispose();
  });

  test("gives back what its elements own", () => {
    const arena = new TypedArena(heap, Named);
    for (let index = 0; index < 50; index++) arena.new({ name: `the name of number ${index}`, age: index });
    arena.newPtr();
    expect([...arena][7]?.name).toBe("the name of number 7");
    expect(liveBlocks(heap).length).toBeGreaterThan(50);
    arena.dispose();
    arena.dispose();
    expect(liveBlocks(heap)).toEqual([]);
    expect(() => arena.length).toThrow(UseAfterFreeError);
    expect(() => [...arena]).toThrow(UseAfterFreeError);
    expect(() => arena.new()).toThrow(UseAfterFreeError);
  });

  test("has raw pointers to its elements, which lead back to them", () => {
    using arena = new TypedArena(heap, Person);
    const ptr: Ptr<typeof Person> = arena.newPtr();
    const found = heap.ref(Person, ptr);
    found.age = 3;
    expect([...arena].map(({ age }) => age)).toEqual([3]);
    arena.dispose();
    expect(() => found.age).toThrow(UseAfterFreeError);
  });

  test("shows what is not initialised to nobody, and what could not be, never", () => {
    using arena = new TypedArena(heap, Named);
    const later = arena.alloc();
    arena.new({ name: "second" });
    expect([...arena].map(({ name }) => name)).toEqual(["second"]);
    expect(arena.length).toBe(1);
    later.init({ name: "first" });
    expect([...arena].map(({ name }) => name)).toEqual(["first", "second"]);
    expect(() =>
      arena.alloc().init((made) => {
        made.name = "outer";
        arena.new({ name: "inner" });
        throw new Error("outer");
      }),
    ).toThrow("outer");
    arena.alloc().discard();
    expect(() => arena.new({ name: 5 as never })).toThrow(TypeError);
    expect([...arena].map(({ name }) => name)).toEqual(["first", "second", "inner"]);
    const names: string[] = [];
    arena.forEach(({ name }) => {
      names.push(name);
    });
    expect(names).toEqual(["first", "second", "inner"]);
    expect(arena.length).toBe(3);
  });

  test("goes on to elements that are made meanwhile; the cursor of forEach is of no use afterwards", () => {
    using arena = new TypedArena(heap, Person);
    arena.new({ age: 3 });
    const seen: number[] = [];
    const kept: Ref<typeof Person>[] = [];
    arena.forEach((person) => {
      kept.push(person);
      seen.push(person.age);
      if (person.age > 0) arena.new({ age: person.age - 1 });
    });
    expect(seen).toEqual([3, 2, 1, 0]);
    expect(() => kept[0]?.age).toThrow(UseAfterFreeError);
  });

  test("stops being gone through when it ends meanwhile", () => {
    const arena = new TypedArena(heap, Person);
    arena.new();
    arena.new();
    const ending = (): void => {
      arena.forEach(() => {
        arena.dispose();
      });
    };
    expect(ending).toThrow(UseAfterFreeError);
  });

  test("intoVec moves the elements into one array, with what they own", () => {
    const arena = new TypedArena(heap, Named, { capacity: 2 });
    const refs = Array.from({ length: 9 }, (_, index) => arena.new({ name: `number ${index}`, age: index }));
    arena.alloc().discard();
    const array = arena.intoVec();
    expect([...array].map(({ name, age }) => `${name}/${age}`)).toEqual(
      Array.from({ length: 9 }, (_, index) => `number ${index}/${index}`),
    );
    expect(() => refs[0]?.age).toThrow(UseAfterFreeError);
    heap.delete(array);
  });

  test("intoVec of nothing is an empty array; without memory it throws and changes nothing", () => {
    heap.delete(new TypedArena(heap, Point).intoVec());
    using arena = new TypedArena(heap, Point);
    for (let index = 0; index < 1000; index++) arena.new({ x: index });
    const rest: number[] = [];
    heap.footprintLimit = heap.footprint;
    for (let ptr = heap.malloc(1000); ptr !== 0; ptr = heap.malloc(1000)) rest.push(ptr);
    expect(() => arena.intoVec()).toThrow(OutOfMemoryError);
    expect([...arena].map(({ x }) => x)).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    heap.bulkFree(rest);
  });

  test("intoVec is refused where references might lead to elements", () => {
    using arena = new TypedArena(heap, Person);
    // @ts-expect-error: the elements hold references
    expect(() => arena.intoVec()).toThrow(/intoVec: Person has references, which may lead to elements/);
  });

  test("has no more elements than its limit", () => {
    using arena = new TypedArena(heap, Point, { limit: 3, capacity: 2 });
    for (let index = 0; index < 3; index++) arena.new();
    expect(() => arena.new()).toThrow(OutOfMemoryError);
    expect(arena.length).toBe(3);
  });

  test("refuses bad options and types by name", () => {
    expect(() => new TypedArena(heap, f64 as never)).toThrow(/typed arena: expected a struct type/);
    expect(() => new TypedArena(heap, Point, { size: 3 } as never)).toThrow(/unknown option "size"/);
  });

  test("does what an array does, for any program", () => {
    const op = fc.oneof(
      { weight: 8, arbitrary: fc.record({ do: fc.constant("new"), value: fc.integer() } as const) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("alloc"), value: fc.integer() } as const) },
      { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("fail", "init", "discard") } as const) },
    );
    const property = fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(op, { maxLength: 100 }),
      (capacity, ops) => {
        using arena = new TypedArena(heap, Person, { capacity });
        const model: { value: number; shown: boolean; fill?: ReturnType<typeof arena.alloc> }[] = [];
        for (const each of ops) {
          const open = model.find(({ fill }) => fill !== undefined);
          if (each.do === "new") {
            arena.new({ age: each.value | 0 });
            model.push({ value: each.value | 0, shown: true });
          } else if (each.do === "alloc") {
            model.push({ value: each.value | 0, shown: false, fill: arena.alloc() });
          } else if (each.do === "fail") {
            expect(() => arena.new({ friend: 1 as never })).toThrow(TypeError);
          } else if (open?.fill && each.do === "init") {
            open.fill.init({ age: open.value });
            model.splice(model.indexOf(open), 1, { value: open.value, shown: true });
          } else if (open?.fill) {
            open.fill.discard();
            model.splice(model.indexOf(open), 1);
          }
          const shown = model.filter((one) => one.shown).map((one) => one.value);
          expect([...arena].map(({ age }) => age)).toEqual(shown);
          expect(arena.length).toBe(shown.length);
        }
      },
    );
    fc.assert(property, { seed, numRuns: 150 });
  });
});
