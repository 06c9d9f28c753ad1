// Types as a compiler keeps them: one struct for each type, referring to others, also in cycles, all in one arena.
//
// Types that are written alike are one and the same, so comparing them is comparing addresses. A struct is its name: it is
// declared first and gets its fields later, which is what lets it refer to itself.

import { type Bump, pointer, type Ref, same, struct, text, u8, u32 } from "morecore";

const KIND = { basic: 0, pointer: 1, array: 2, func: 3, struct: 4 };

/** A field of a struct, or a parameter of a function; `next` is the one after it. */
const Part = struct({ name: text, type: pointer(() => Type), next: pointer(() => Part) }, { name: "Part" });

const Type = struct(
  { kind: u8, name: text, target: pointer(() => Type), count: u32, parts: pointer(() => Part), id: u32 },
  { name: "Type" },
);

export type TypeRef = Ref<typeof Type>;
export type PartRef = Ref<typeof Part>;
/** What a type is made from, but for its number and its parts, which are made only if it is new. */
interface Made {
  readonly kind: number;
  readonly name?: string;
  readonly target?: TypeRef;
  readonly count?: number;
}

const BASIC_BYTES: Readonly<Record<string, number>> = { i32: 4, f64: 8, u8: 1, void: 0 };

export class Types {
  readonly #arena: Bump;
  /** What has been made, by what it is made of: "*7" is a pointer to type 7. */
  readonly #known = new Map<string, TypeRef>();

  constructor(arena: Bump) {
    this.#arena = arena;
  }

  get size(): number {
    return this.#known.size;
  }

  basic(name: string): TypeRef {
    return this.#intern(name, { kind: KIND.basic, name });
  }

  pointerTo(target: TypeRef): TypeRef {
    return this.#intern(`*${target.id}`, { kind: KIND.pointer, target });
  }

  arrayOf(target: TypeRef, count: number): TypeRef {
    return this.#intern(`[${count}]${target.id}`, { kind: KIND.array, target, count });
  }

  func(parameters: readonly TypeRef[], result: TypeRef): TypeRef {
    const key = `(${parameters.map(({ id }) => id).join()})${result.id}`;
    return this.#intern(key, { kind: KIND.func, target: result }, () =>
      this.#parts(parameters.map((type) => ["", type] as const)),
    );
  }

  /** Without fields yet: enough for a pointer to it. */
  declare(name: string): TypeRef {
    return this.#intern(`struct ${name}`, { kind: KIND.struct, name });
  }

  define(declared: TypeRef, fields: Readonly<Record<string, TypeRef>>): TypeRef {
    if (declared.parts !== null) throw new Error(`struct ${declared.name} has its fields already`);
    declared.parts = this.#parts(Object.entries(fields));
    return declared;
  }

  /** As in a declaration. A struct is its name only, so this ends, whatever refers to what. */
  print(type: TypeRef | null): string {
    if (type === null) throw new Error("a type that refers to none");
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
  printAll(type: TypeRef): { lines: string[]; reached: number } {
    const seen = new Set<number>();
    const lines: string[] = [];
    const visit = (at: TypeRef | null): void => {
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
  sizeOf(type: TypeRef | null, within: readonly TypeRef[] = []): number {
    if (type === null) throw new Error("a type that refers to none");
    switch (type.kind) {
      case KIND.basic:
        return BASIC_BYTES[type.name] ?? 0;
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

  #intern(key: string, fields: Made, parts?: () => PartRef | null): TypeRef {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = this.#arena.new(Type, { ...fields, parts: parts?.() ?? null, id: this.#known.size });
    this.#known.set(key, made);
    return made;
  }

  #parts(entries: readonly (readonly [name: string, type: TypeRef])[]): PartRef | null {
    let next: PartRef | null = null;
    for (const [name, type] of entries.toReversed()) next = this.#arena.new(Part, { name, type, next });
    return next;
  }
}

export function* partsOf(type: TypeRef): Generator<PartRef> {
  for (let part = type.parts; part !== null; part = part.next) yield part;
}
