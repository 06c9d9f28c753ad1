// Types as a compiler keeps them: one struct for each type, referring to others, also in cycles, all in one arena.
//
// Types that are written alike are one and the same, so comparing them is comparing addresses. A struct is its name: it is
// declared first and gets its fields later, which is what lets it refer to itself.

import { pointer, same, struct, text, u8, u32 } from "morecore";

const KIND = { basic: 0, pointer: 1, array: 2, func: 3, struct: 4 };

/** A field of a struct, or a parameter of a function; `next` is the one after it. */
const Part = struct({ name: text, type: pointer(() => Type), next: pointer(() => Part) }, { name: "Part" });

const Type = struct(
  { kind: u8, name: text, target: pointer(() => Type), count: u32, parts: pointer(() => Part), id: u32 },
  { name: "Type" },
);

export class Types {
  #arena;
  /** What has been made, by what it is made of: "*7" is a pointer to type 7. */
  #known = new Map();

  constructor(arena) {
    this.#arena = arena;
  }

  get size() {
    return this.#known.size;
  }

  basic(name) {
    return this.#intern(name, { kind: KIND.basic, name });
  }

  pointerTo(target) {
    return this.#intern(`*${target.id}`, { kind: KIND.pointer, target });
  }

  arrayOf(target, count) {
    return this.#intern(`[${count}]${target.id}`, { kind: KIND.array, target, count });
  }

  func(parameters, result) {
    const key = `(${parameters.map(({ id }) => id).join()})${result.id}`;
    return this.#intern(key, { kind: KIND.func, target: result }, () =>
      this.#parts(parameters.map((type) => ["", type])),
    );
  }

  /** Without fields yet: enough for a pointer to it. */
  declare(name) {
    return this.#intern(`struct ${name}`, { kind: KIND.struct, name });
  }

  define(declared, fields) {
    if (declared.parts !== null) throw new Error(`struct ${declared.name} has its fields already`);
    declared.parts = this.#parts(Object.entries(fields));
    return declared;
  }

  /** As in a declaration. A struct is its name only, so this ends, whatever refers to what. */
  print(type) {
    switch (type.kind) {
      case KIND.pointer:
        return `*${this.print(type.target)}`;
      case KIND.array:
        return `[${type.count}]${this.print(type.target)}`;
      case KIND.func:
        return `func(${[...partsOf(type)].map((part) => this.print(part.type)).join(", ")}) ${this.print(type.target)}`;
      default:
        return type.name;
    }
  }

  /** The definitions of all structs that a type leads to, each once. */
  printAll(type) {
    const seen = new Set();
    const lines = [];
    const visit = (at) => {
      if (at === null || seen.has(at.ptr)) return;
      seen.add(at.ptr);
      if (at.kind === KIND.struct) {
        const fields = [...partsOf(at)].map((part) => `${part.name}: ${this.print(part.type)}`);
        lines.push(`struct ${at.name} { ${fields.join("; ")} }`);
      }
      visit(at.target);
      for (const part of partsOf(at)) visit(part.type);
    };
    visit(type);
    return { lines, reached: seen.size };
  }

  /** Bytes of a value, or why there are none: a struct that contains itself has no size. */
  sizeOf(type, within = []) {
    switch (type.kind) {
      case KIND.basic:
        return { i32: 4, f64: 8, u8: 1, void: 0 }[type.name];
      case KIND.pointer:
      case KIND.func:
        return 4;
      case KIND.array:
        return type.count * this.sizeOf(type.target, within);
      default: {
        if (within.some((outer) => same(outer, type)))
          throw new Error(
            `struct ${type.name} contains itself: ${[...within, type].map(({ name }) => name).join(" > ")}`,
          );
        let sum = 0;
        for (const part of partsOf(type)) sum += this.sizeOf(part.type, [...within, type]);
        return sum;
      }
    }
  }

  #intern(key, fields, parts) {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = this.#arena.new(Type, { ...fields, parts: parts?.() ?? null, id: this.#known.size });
    this.#known.set(key, made);
    return made;
  }

  #parts(entries) {
    return entries.reduceRight((next, [name, type]) => this.#arena.new(Part, { name, type, next }), null);
  }
}

export function* partsOf(type) {
  for (let part = type.parts; part !== null; part = part.next) yield part;
}
