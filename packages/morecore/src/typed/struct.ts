// Struct: fields side by side, laid out as clang lays them out for wasm32.
//
// Owns:  the layout rules; what a struct's value can be made from.
// Needs: ref, type, bits.
// Invariants: S1  offsets, size and alignment are those of clang --target=wasm32 for the same fields, packed or not
//
// Each field lies at the next multiple of its alignment; the size is a multiple of the largest one. Bit fields share the units
// of their declared type as the System V ABI says: one that would cross the end of a unit begins the next.

import { describe } from "../memory/arguments.ts";
import { cut, listed, printing } from "../memory/printed.ts";
import type { Life } from "./life.ts";
import { AT, INDEX, innerRefAt, isRef, LIFE, SPACE, TYPE } from "./ref.ts";
import type { Space } from "./space.ts";
import {
  type BitsType,
  type Field,
  type Fields,
  isType,
  looseOf,
  printedType,
  type StructType,
  type Type,
} from "./type.ts";

/** What a struct can be told when it is declared. */
export interface StructOptions {
  /** As messages show it. Default: the names of the fields. */
  readonly name?: string;
  /** No padding, and alignment 1: C's `__attribute__((packed))`. */
  readonly packed?: boolean;
}

/** What a reference has besides its fields. */
const RESERVED = new Set(["ptr", AT, LIFE, "constructor", "toJSON", "__proto__"]);
let structCount = 0;

/**
 * A struct of these fields, in this order: `struct({ x: f64, y: f64 })`. `size`, `align` and `offsets` are clang's for wasm32.
 * Throws a TypeError for what is no type, and for a name that references use themselves.
 *
 * @example
 *
 * ```ts
 * const Point = struct({ x: f64, y: f64 }, { name: "Point" });
 * const point = Heap.create().new(Point, { x: 1 });
 * point.y = 2;
 * console.log(Point.size, point.x + point.y); // 16 3
 * ```
 */
export function struct<F extends Fields>(fields: F, options: StructOptions = {}): StructType<F> {
  checkOptions(options);
  if (typeof fields !== "object" || fields === null)
    throw new TypeError(`struct: expected fields in an object, got ${describe(fields)}`);
  const names = Object.keys(fields);
  for (const name of names) {
    if (RESERVED.has(name)) throw new TypeError(`struct: a field cannot be named ${describe(name)}`);
    if (/^\d+$/.test(name))
      throw new TypeError(`struct: a field's name cannot be a number, got ${describe(name)}`);
    if (!isType(fields[name]))
      throw new TypeError(`struct: field ${describe(name)}: expected a type, got ${describe(fields[name])}`);
  }
  const packed = options.packed === true;
  const laid = layOut(
    names.map((name) => [name, fields[name] as Type]),
    packed,
  );
  // A copy, for it is what tells one struct from another: see isRef.
  return makeStruct({ ...fields }, options.name ?? `struct { ${names.join(", ")} }`, laid);
}

function checkOptions(options: StructOptions): void {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`struct: expected options in an object, got ${describe(options)}`);
  for (const [key, value] of Object.entries(options)) {
    const rule = OPTIONS.get(key);
    if (rule === undefined)
      throw new TypeError(`struct: unknown option ${describe(key)}; known are name, packed`);
    if (value !== undefined && typeof value !== rule)
      throw new TypeError(`struct: ${key}: expected a ${rule}, got ${describe(value)}`);
  }
}

const OPTIONS: ReadonlyMap<string, "string" | "boolean"> = new Map([
  ["name", "string"],
  ["packed", "boolean"],
]);

interface Laid {
  list: Field[];
  size: number;
  align: number;
}

function makeStruct<F>(fields: F, name: string, { list, size, align }: Laid): StructType<F> {
  const indices = new Map(list.map((field, index) => [field.name, index]));
  const owners = list.filter(({ type }) => type.drop !== undefined);
  const offsets = Object.fromEntries(list.map((field) => [field.name, field.offset]));
  structCount += 1;
  const type: StructType<F> = {
    kind: "struct",
    name,
    size,
    align,
    fields,
    offsets: offsets as StructType<F>["offsets"],
    id: structCount,
    ...structPrinting(),
    list,
    load: (space, at, life) => (at + size <= space.u8.length ? innerRefAt(space, type, at, life) : undefined),
    read: (space, value) => readFields(type, indices, space, value),
    store: (space, at, given: ReadFields, life) =>
      at + size <= space.u8.length && storeFields(list, space, at, given, life),
    copy: (space, at) =>
      Object.fromEntries(list.map((field) => [field.name, field.type.copy(space, at + field.offset)])),
    ...(owners.length > 0 && {
      drop: (space: Space, at: number, life: Life) => {
        for (const owner of owners) owner.type.drop?.(space, at + owner.offset, life);
      },
    }),
    ...(align > 1 && { unaligned: () => loosened(type) }),
  };
  return type;
}

function structPrinting(): object {
  return printing(function (this: StructType<unknown>) {
    const { list } = this;
    const field = (index: number): string => `${cut(list[index]?.name ?? "")}: ${list[index]?.type.name}`;
    return `${printedType(this)} ${listed(list.length, field, "{}")}`;
  });
}

/** The same struct at any address: for one inside a packed one. */
function loosened<F>(type: StructType<F>): StructType<F> {
  const list = type.list.map((field) => ({ ...field, type: unalignedOf(field.type) }));
  return makeStruct(type.fields, type.name, { list, size: type.size, align: 1 });
}

/** What is given for a struct: of each field what its type has read, or undefined; or all bytes at once. */
export type ReadFields = readonly unknown[] | Uint8Array;

/** Reads the fields that are given: of a plain object, or of another struct of the type. */
function readFields(
  type: StructType<unknown>,
  indices: ReadonlyMap<string, number>,
  space: Space,
  value: unknown,
): ReadFields {
  if (typeof value !== "object" || value === null)
    throw new TypeError(
      `${type.name}: expected its fields in an object, or a reference, got ${describe(value)}`,
    );
  const { list } = type;
  const viewed = (value as { readonly [TYPE]?: StructType<unknown> })[TYPE];
  if (viewed !== undefined) return readView(type, viewed, space, value);
  // With holes, which read as undefined: a loop that fills it first costs as much as all the rest.
  const given = new Array<unknown>(list.length);
  let turn = 0;
  for (const key in value) {
    // Mostly all of them are given, in their order; looking a name up costs as much as writing a number.
    const index = list[turn]?.name === key ? turn : (indices.get(key) ?? refuseField(type, key));
    const one: unknown = value[key as keyof typeof value];
    if (one !== undefined) given[index] = (list[index] as Field).type.read(space, one);
    turn = index + 1;
  }
  if (!isPlain(value)) readInherited(type, space, value, given);
  return given;
}

/** Whether all that an object has are its own properties: it is no instance of a class. */
function isPlain(value: object): boolean {
  const parent: unknown = Object.getPrototypeOf(value);
  // Also that of another realm: there is nothing above Object.prototype.
  return parent === Object.prototype || parent === null || Object.getPrototypeOf(parent) === null;
}

/** Reads what an object has from its class, as getters, which a loop over names does not see. Something of the struct must be there. */
function readInherited(type: StructType<unknown>, space: Space, value: object, given: unknown[]): void {
  let found = false;
  type.list.forEach(({ name, type: field }, index) => {
    if (!(name in value)) return;
    found = true;
    if (given[index] !== undefined) return;
    const one: unknown = value[name as keyof typeof value];
    if (one !== undefined) given[index] = field.read(space, one);
  });
  if (!found && type.list.length > 0)
    throw new TypeError(
      `${type.name}: expected its fields in an object, or a reference, got ${describe(value)} that has none of them`,
    );
}

/** Reads a struct through something that has its fields as properties: a reference, or a row of columns. */
function readView(
  type: StructType<unknown>,
  viewed: StructType<unknown>,
  space: Space,
  value: object,
): ReadFields {
  if (viewed.fields !== type.fields)
    throw new TypeError(`${type.name}: expected a reference to it, got ${describe(value)}`);
  // All bytes at once. From another memory, field by field: the addresses in its pointers mean nothing in this one.
  if (isRef(value) && type.drop === undefined && value[SPACE].memory === space.memory) {
    const from = value.ptr;
    if (!space.reaches(from + type.size))
      throw new RangeError(`${type.name}: the reference leads beyond the memory`);
    return space.u8.slice(from, from + type.size);
  }
  return type.list.map(({ name, type: field }) => field.read(space, value[name as keyof typeof value]));
}

function refuseField(type: StructType<unknown>, key: string): never {
  if (key === AT || key === LIFE || key === INDEX)
    throw new TypeError(
      `${type.name}: a reference's fields are not copied by spreading it or by Object.assign; spread fieldsOf(reference)`,
    );
  throw new TypeError(
    `${type.name}: no field ${describe(key)}; it has ${type.list.map(({ name }) => name).join(", ")}`,
  );
}

/** Writes the fields that are given. */
function storeFields(
  list: readonly Field[],
  space: Space,
  at: number,
  given: ReadFields,
  life: Life,
): boolean {
  if (!Array.isArray(given)) {
    space.u8.set(given as Uint8Array, at);
    return true;
  }
  for (let index = 0; index < given.length; index++) {
    const value = given[index] as never;
    if (value === undefined) continue;
    const { type, offset } = list[index] as Field;
    // An owned string needs memory, and getting it can replace the arrays: each store then looks for itself.
    if (type.store(space, at + offset, value, life)) continue;
    space.refresh();
    if (!type.store(space, at + offset, value, life)) return false;
  }
  return true;
}

function layOut(fields: readonly (readonly [string, Type])[], packed: boolean): Laid {
  const list: Field[] = [];
  let align = 1;
  let bit = 0;
  for (const [name, declared] of fields) {
    const type = packed ? unalignedOf(declared) : declared;
    if (isBits(type)) {
      const unit = type.unitBytes * 8;
      if (type.width === 0 || (!packed && (bit % unit) + type.width > unit)) bit = upTo(bit, unit);
      if (!packed && type.width > 0) align = Math.max(align, type.unitBytes);
      // A width of 0 is no field: it only ends the unit.
      if (type.width > 0) list.push({ name, type: type.at(bit % 8), offset: Math.floor(bit / 8) });
      bit += type.width;
      continue;
    }
    const offset = upTo(upTo(bit, 8) / 8, type.align);
    list.push({ name, type, offset });
    align = Math.max(align, type.align);
    bit = (offset + type.size) * 8;
  }
  const size = upTo(upTo(bit, 8) / 8, align);
  if (size > MAX_SIZE) throw new RangeError(`struct: expected at most ${MAX_SIZE} bytes, got ${size}`);
  return { list, size, align };
}

/** So that an address within a struct never leaves 32 bits unseen. */
const MAX_SIZE = 2 ** 30;

function unalignedOf(type: Type): Type {
  if (type.align === 1 || isBits(type)) return type;
  const loose = looseOf(type);
  if (loose === undefined)
    throw new TypeError(`struct: a packed one cannot have a field of type ${type.name}`);
  return loose;
}

function isBits(type: Type): type is BitsType<unknown> {
  return type.kind === "bits";
}

function upTo(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
