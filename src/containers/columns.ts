// Columns: structs kept as one array for each field. A structure of arrays.
//
// Owns:  a header, and an array for each field, in an allocator's memory; the class of its rows.
// Needs: collection, header, allocator, struct.
// Invariants: K1  all columns have the same capacity, at least length
//             K2  what lies from length on owns nothing
//
// For loops that touch few of many fields: they then read nothing else. A row has the properties that a reference has; a column
// of scalars is also a typed array. A nested struct is one column of whole structs: nest where fields are used together.

import { describe, isWord, refuseWord } from "../memory/arguments.ts";
import type { Allocator } from "../typed/allocator.ts";
import { type ViewOf, viewAt } from "../typed/array.ts";
import { OutOfMemoryError } from "../typed/errors.ts";
import type { Ptr } from "../typed/pointer.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import { type Field, type Fields, isStruct, type StructType } from "../typed/struct.ts";
import type { GivenFields, HeldBy, HoldsRefs, InitFields, Plain, Type, Value } from "../typed/type.ts";
import { Collection } from "./collection.ts";
import {
  AT_CAPACITY,
  AT_LENGTH,
  checkBlock,
  checkHeader,
  checkIndex,
  HEADER_BYTES,
  makeHeader,
} from "./header.ts";

/** "MCOL" */
const MAGIC = 0x4c4f_434d;
const FIRST_CAPACITY = 8;
/** Each column begins where any type may lie. */
const ALIGNMENT = 16;
/** A name, not a symbol, for the reason that ref.ts gives for `$at`. */
const INDEX = "$index";

/** One struct of Columns: its fields, and where it is. Setting `index` moves it to another. */
export type Row<F, L = unknown, B = L> = { [K in keyof F]: Value<F[K], L, B> } & { index: number };

/** Where a column lies now: its rows' accessors look here. */
interface Column {
  readonly name: string;
  readonly type: Type;
  at: number;
}

abstract class AnyRow {
  $index: number;
  constructor(index: number) {
    this.$index = index;
  }
}

type RowClass = new (index: number) => AnyRow;

export class Columns<F extends Fields, L = unknown, B = L> extends Collection<L> {
  /** How long what it holds lives: for the compiler only. */
  declare protected readonly holds: HoldsRefs<StructType<F>> extends true ? (life: B) => B : unknown;
  readonly type: StructType<F>;
  private readonly columns: readonly Column[];
  private readonly makeRow: RowClass;

  /** Empty, with room for so many structs. Throws an OutOfMemoryError. */
  constructor(allocator: Allocator<L>, type: StructType<F>, capacity = 0) {
    if (!isWord(capacity)) refuseWord("capacity", capacity);
    const columns = columnsOf(type);
    const source = allocator as unknown as Allocator<never>;
    super(allocator, makeHeader(source, nameOf(type), MAGIC, rowBytes(columns), headerBytes(columns)));
    this.type = type;
    this.columns = columns;
    this.makeRow = this.defineRow();
    if (capacity === 0) return;
    try {
      this.reserve(capacity);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** The Columns whose header lies at an address. Throws a PointerError if there are none of such structs. */
  static attach<F extends Fields, L>(
    allocator: Allocator<L>,
    type: StructType<F>,
    ptr: Ptr<Columns<F>>,
  ): Columns<F, L> {
    const columns = columnsOf(type);
    const space = allocator[SPACE];
    checkHeader(space, nameOf(type), MAGIC, rowBytes(columns), ptr, headerBytes(columns));
    const made: Columns<F, L> = Object.create(Columns.prototype);
    const life = allocator[LIFE];
    Object.assign(made, { type, allocator, space, life, header: ptr, columns });
    made.findColumns();
    for (const { at, type: field } of columns)
      checkBlock(space, nameOf(type), ptr, at, made.capacity * field.size, field.align);
    return Object.assign(made, { makeRow: made.defineRow() });
  }

  /** Where its header lies: all that `attach` needs. */
  get ptr(): Ptr<Columns<F>> {
    this.check();
    return this.header as Ptr<Columns<F>>;
  }

  /** The struct at an index from 0 to length - 1, or a RangeError. */
  at(index: number): Row<F, L, B> {
    checkIndex(index, this.length);
    return new this.makeRow(index) as unknown as Row<F, L, B>;
  }

  /** A row to be moved along by setting its index: for loops that shall make no objects. It begins at 0. */
  cursor(): Row<F, L, B> {
    this.check();
    return new this.makeRow(0) as unknown as Row<F, L, B>;
  }

  /** One field of all structs, of a scalar type, as a typed array. Get it anew after anything that may allocate. */
  column<K extends keyof F & string>(name: K): ViewOf<F[K]> {
    this.check();
    const column = this.columns.find((one) => one.name === name);
    if (column === undefined)
      throw new RangeError(`column: ${this.type.name} has no field ${describe(name)}`);
    const { length } = this;
    this.space.reaches(column.at + length * column.type.size);
    return viewAt(this.space, column.type, column.at, length) as ViewOf<F[K]>;
  }

  /** Adds a struct at the end. O(fields) on average. Throws an OutOfMemoryError, and it is as it was. The new length. */
  push<I extends object = Record<never, never>>(
    fields?: GivenFields<F, I, B> & ([HeldBy<F, I, B>] extends [B] ? unknown : never),
  ): number {
    const { length } = this;
    // What is given may refer to the columns as they lie now: they are freed when it has been read.
    const full = length === this.capacity;
    const freeOld = full ? this.growTo(Math.max(FIRST_CAPACITY, 2 * length), length + 1) : undefined;
    try {
      this.storeNew(length, fields);
    } finally {
      freeOld?.();
    }
    this.setWord(AT_LENGTH, length + 1);
    return length + 1;
  }

  /** Writes the fields that are given, and leaves the others. */
  assign(index: number, fields: InitFields<F, B>): void {
    checkIndex(index, this.length);
    this.store(index, fields);
  }

  /** Takes the last struct away: a plain copy of it; undefined: there is none. */
  pop(): Plain<StructType<F>> | undefined {
    const { length } = this;
    return length === 0 ? undefined : this.swapRemove(length - 1);
  }

  /** Takes a struct away; the last one comes to its place. O(fields). */
  swapRemove(index: number): Plain<StructType<F>> {
    const { length } = this;
    checkIndex(index, length);
    const taken = this.copyAt(index);
    this.drop(index);
    const { u8 } = this.space;
    for (const { at, type } of this.columns) {
      const last = at + (length - 1) * type.size;
      u8.copyWithin(at + index * type.size, last, last + type.size);
      u8.fill(0, last, last + type.size);
    }
    this.setWord(AT_LENGTH, length - 1);
    return taken;
  }

  /** Sees to it that there is room for so many structs in all. Throws an OutOfMemoryError, and it is as it was. */
  reserve(capacity: number): void {
    if (!isWord(capacity)) refuseWord("capacity", capacity);
    if (capacity > this.capacity) this.growTo(capacity, capacity)();
  }

  *[Symbol.iterator](): Generator<Row<F, L, B>> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  /** Calls a function with each struct: one row that moves along. */
  forEach(visit: (row: Row<F, L, B>, index: number) => void): void {
    const row = this.cursor();
    for (let index = 0; index < this.length; index++) {
      row.index = index;
      visit(row, index);
    }
  }

  protected override get title(): string {
    return nameOf(this.type);
  }

  protected override get headerBytes(): number {
    return headerBytes(this.columns);
  }

  /** Reads where the columns lie. */
  private findColumns(): void {
    this.columns.forEach((column, index) => {
      column.at = this.word(HEADER_BYTES + 4 * index);
    });
  }

  /** Moves all columns to larger blocks: all of them, or none. Gives what frees the blocks before. */
  private growTo(wanted: number, least: number): () => void {
    const made = this.allocateAll(wanted) ?? this.allocateAll(least);
    if (made === undefined) throw new OutOfMemoryError(rowBytes(this.columns) * least, this.title);
    const { blocks, capacity } = made;
    const { length, capacity: old } = this;
    const before = this.columns.map(({ at }) => at);
    this.columns.forEach((column, index) => {
      const to = blocks[index] as number;
      const { at, type } = column;
      this.space.reaches(to + columnBytes(type, capacity));
      if (old > 0) this.space.u8.copyWithin(to, at, at + length * type.size);
      column.at = to;
      this.setWord(HEADER_BYTES + 4 * index, to);
    });
    this.setWord(AT_CAPACITY, capacity);
    return () => {
      if (old === 0) return;
      this.columns.forEach(({ type }, index) => {
        this.allocator.deallocate(before[index] as number, columnBytes(type, old), ALIGNMENT);
      });
    };
  }

  /** Writes a struct where none is: what is not given is zero. */
  private storeNew(index: number, fields: object | undefined): void {
    for (const { at, type } of this.columns)
      this.space.u8.fill(0, at + index * type.size, at + (index + 1) * type.size);
    if (fields === undefined) return;
    try {
      this.store(index, fields);
    } catch (error) {
      this.drop(index);
      throw error;
    }
  }

  private allocateAll(capacity: number): { blocks: number[]; capacity: number } | undefined {
    const blocks: number[] = [];
    for (const { type } of this.columns) {
      const bytes = columnBytes(type, capacity);
      const at = bytes < 2 ** 32 ? this.allocator.allocate(bytes, ALIGNMENT) : 0;
      if (at === 0) {
        // Last first: a bump arena takes back what it gave last.
        for (let index = blocks.length - 1; index >= 0; index--)
          this.allocator.deallocate(
            blocks[index] as number,
            columnBytes((this.columns[index] as Column).type, capacity),
            ALIGNMENT,
          );
        return undefined;
      }
      blocks.push(at);
    }
    return { blocks, capacity };
  }

  private store(index: number, fields: object): void {
    for (const [name, value] of Object.entries(fields)) {
      const column = this.columns.find((one) => one.name === name);
      if (column === undefined) throw new TypeError(`${this.type.name}: no field ${describe(name)}`);
      if (value === undefined) continue;
      const at = column.at + index * column.type.size;
      this.space.reaches(at + column.type.size);
      column.type.store(this.space, at, column.type.read(this.space, value) as never, this.life);
    }
  }

  protected override drop(index: number): void {
    for (const { at, type } of this.columns) type.drop?.(this.space, at + index * type.size, this.life);
  }

  protected override copyAt(index: number): Plain<StructType<F>> {
    const copy = this.columns.map(({ name, type, at }) => {
      this.space.reaches(at + (index + 1) * type.size);
      return [name, type.copy(this.space, at + index * type.size)];
    });
    return Object.fromEntries(copy) as Plain<StructType<F>>;
  }

  protected override freeElements(capacity: number): void {
    // Last first: a bump arena takes back what it gave last.
    for (const { at, type } of [...this.columns].reverse())
      this.allocator.deallocate(at, columnBytes(type, capacity), ALIGNMENT);
  }

  /** The class of rows: accessors that hold their column, as those of references hold their offset. */
  private defineRow(): RowClass {
    const owner = this;
    const made = class extends AnyRow {};
    Object.defineProperty(made, "name", { value: `Row<${this.type.name}>` });
    Object.defineProperty(made.prototype, "index", {
      get(this: AnyRow) {
        return this.$index;
      },
      set(this: AnyRow, index: number) {
        checkIndex(index, owner.length);
        this.$index = index;
      },
    });
    Object.defineProperty(made.prototype, "toJSON", {
      value(this: AnyRow) {
        return owner.copyAt(this.$index);
      },
    });
    for (const column of this.columns) this.defineField(made, column);
    return made;
  }

  private defineField(made: RowClass, column: Column): void {
    const owner = this;
    const { space } = this;
    const { load, read, store, size } = column.type;
    const again = (index: number): unknown => {
      space.refresh();
      return load(space, column.at + index * size, owner.life);
    };
    const storeAgain = (index: number, value: never): void => {
      space.refresh();
      store(space, column.at + index * size, value, owner.life);
    };
    Object.defineProperty(made.prototype, column.name, {
      enumerable: true,
      get(this: AnyRow) {
        if (owner.life.ended) owner.check();
        const value = load(space, column.at + this.$index * size, owner.life);
        return value === undefined ? again(this.$index) : value;
      },
      set(this: AnyRow, value: never) {
        const given = read(space, value) as never;
        if (owner.life.ended) owner.check();
        if (!store(space, column.at + this.$index * size, given, owner.life)) storeAgain(this.$index, given);
      },
    });
  }
}

function nameOf(type: StructType<unknown>): string {
  return `Columns<${type.name}>`;
}

function columnsOf(type: StructType<unknown>): Column[] {
  if (!isStruct(type)) throw new TypeError(`Columns: expected a struct type, got ${describe(type)}`);
  const bad = (type.list as readonly Field[]).find(
    (field) => field.name === "index" || field.name === INDEX || field.type.kind === "bits",
  );
  if (bad !== undefined)
    throw new TypeError(
      `Columns: ${type.name} cannot have the field ${describe(bad.name)}: rows have an index, and no bit fields`,
    );
  return type.list.map((field) => ({ name: field.name, type: field.type, at: 0 }));
}

function rowBytes(columns: readonly Column[]): number {
  return columns.reduce((sum, { type }) => sum + type.size, 0);
}

function headerBytes(columns: readonly Column[]): number {
  return HEADER_BYTES + 4 * columns.length;
}

function columnBytes(type: Type, capacity: number): number {
  return Math.max(1, capacity * type.size);
}
