// Columns: structs kept as one array for each field. A structure of arrays.
//
// Owns:  a header, and an array for each field, in an allocator's memory; the class of its rows.
// Needs: collection, list-header, allocator, struct.
// Invariants: K1  all columns have the same capacity, at least length
//             K2  what lies from length on owns nothing
//             (and those of collection.ts)
//
// For loops that touch few of many fields: they then read nothing else. A row has the properties that a reference has; a column
// of scalars is also a typed array. A nested struct is one column of whole structs: nest where fields are used together.

import { describe, isWord, refuseWord } from "../memory/arguments.ts";
import { cut, printable, printed, shown } from "../memory/printed.ts";
import type { Allocator } from "../typed/allocator.ts";
import { viewAt } from "../typed/array.ts";
import { OutOfMemoryError, PointerError, UseAfterFreeError } from "../typed/errors.ts";
import type { Ptr } from "../typed/raw-pointer.ts";
import { INDEX, SPACE, TYPE } from "../typed/ref.ts";
import type { ReadFields } from "../typed/struct.ts";
import { type Field, type Fields, isPlace, isStruct, type StructType, type Type } from "../typed/type.ts";
import type { HeldBy, HoldsRefs, InitFields, OnlyFields, Plain, Value, View } from "../typed/values.ts";
import { Collection } from "./collection.ts";
import { AT_CAPACITY, checkHeld, checkIndex } from "./header.ts";
import {
  checkListBlocks,
  checkListHeader,
  HeaderAt,
  LIST_HEADER_BYTES,
  type ListBlock,
  type ListKind,
} from "./list-header.ts";

/** "COL2" */
const MAGIC = 0x324c_4f43;
/** "MCOL": when the header ended with the capacity. */
const FORMER_MAGIC = 0x4c4f_434d;
const FIRST_CAPACITY = 8;
/** Each column begins where any type may lie. */
const ALIGNMENT = 16;
const MOST_BYTES = 2 ** 32 - 1;
/** The count of moves of a row that has not been at any struct yet. */
const NEVER = -1;

/** One struct of Columns: its fields, and where it is. Setting `index` moves it to another. */
export type Row<F, L = unknown, B = L> = { [K in keyof F]: Value<F[K], L, B> } & { index: number };

/** Where a column lies, as of the count of moves: its rows' accessors look here. */
interface Column {
  readonly name: string;
  readonly type: Type;
  /** Bytes from the beginning of a whole struct. */
  readonly offset: number;
  at: number;
}

/** Names, not symbols, for the reason that ref.ts gives for `$at`. */
abstract class AnyRow {
  $index: number;
  /** The count of moves as of which it refers to a struct. */
  $moves: number;

  constructor(index: number, moves: number) {
    this.$index = index;
    this.$moves = moves;
  }
}

type RowClass = new (index: number, moves: number) => AnyRow;

/**
 * Structs with each field in an array of its own, so that a loop over one field reads nothing else. Rows are
 * read like references; `column` gives a typed array. `push` is O(fields) on average, `at` O(1).
 *
 * @example
 *
 * ```ts
 * const Point = struct({ x: f64, y: f64 });
 * const points = new Columns(Heap.create(), Point);
 * points.push({ x: 1, y: 2 });
 * points.push({ x: 3, y: 4 });
 * console.log(points.at(1).y, points.column("x")); // 4 Float64Array(2) [ 1, 3 ]
 * ```
 */
export class Columns<F extends Fields, L = unknown, B = L> extends Collection<L> {
  /** How long what it holds lives: for the compiler only. */
  declare protected readonly holds: HoldsRefs<StructType<F>> extends true ? (life: B) => B : unknown;
  /** The type of the structs. */
  readonly type: StructType<F>;
  protected override readonly owning: boolean;
  private readonly columns: readonly Column[];
  private readonly makeRow: RowClass;

  /** Empty, with room for so many structs. Throws an OutOfMemoryError. */
  constructor(allocator: Allocator<L>, type: StructType<F>, capacity?: number);
  /** For `attach`. */
  constructor(allocator: Allocator<L>, type: StructType<F>, from: HeaderAt);
  constructor(allocator: Allocator<L>, type: StructType<F>, from: number | HeaderAt = 0) {
    if (typeof from !== "object" && !isWord(from)) refuseWord("capacity", from);
    const columns = columnsOf(type);
    super(allocator, kindOf(type, columns), from);
    this.type = type;
    this.columns = columns;
    this.owning = type.drop !== undefined;
    this.makeRow = this.defineRow();
    this.enter();
    if (typeof from === "object") this.closeGap();
    else if (from > 0) this.reserveFirst(from);
  }

  /** The Columns whose header lies at an address. Throws a PointerError if there are none of such structs. */
  static attach<F extends Fields, L>(
    allocator: Allocator<L>,
    type: StructType<F>,
    ptr: Ptr<Columns<F>>,
  ): Columns<F, L> {
    const columns = columnsOf(type);
    const [space, kind] = [allocator[SPACE], kindOf(type, columns)];
    checkListHeader(space, kind, ptr);
    const capacity = space.u32[(ptr + AT_CAPACITY) >>> 2] as number;
    const places = columns.map((_, index) => space.u32[placeOf(ptr, index) >>> 2] as number);
    checkListBlocks(space, kind, ptr, blocksAt(columns, places, capacity));
    checkHeld(allocator, kind.title, ptr, kind.headerBytes);
    return new Columns(allocator, type, new HeaderAt(ptr));
  }

  /** Where its header lies: all that `attach` needs. */
  get ptr(): Ptr<Columns<F>> {
    this.enter();
    return this.header as Ptr<Columns<F>>;
  }

  /** The struct at an index from 0 to length - 1, or a RangeError. Until structs move or one is taken away. O(1). */
  at(index: number): Row<F, L, B> {
    this.enter();
    checkIndex(index, this.count);
    return new this.makeRow(index, this.moves) as unknown as Row<F, L, B>;
  }

  /**
   * A row that is moved along by setting its index, so that a loop makes no objects. It begins at 0. Beyond the length,
   * setting it throws a RangeError. O(1).
   */
  cursor(): Row<F, L, B> {
    this.enter();
    return new this.makeRow(0, this.count > 0 ? this.moves : NEVER) as unknown as Row<F, L, B>;
  }

  /**
   * One field of all structs, of a scalar type, as a typed array. Get it anew after anything that may allocate. Throws a
   * RangeError for a name that is no field, a TypeError for a field that is no scalar. O(fields).
   */
  column<K extends keyof F & string>(name: K): View<F[K], L> {
    this.enter();
    const column = this.columns.find((one) => one.name === name);
    if (column === undefined)
      throw new RangeError(`column: ${this.type.name} has no field ${describe(name)}`);
    return viewAt(this.space, column.type, column.at, this.count) as unknown as View<F[K], L>;
  }

  /** Adds a struct at the end. O(fields) on average. Throws an OutOfMemoryError, and it is as it was. The new length. */
  push<I extends object = Record<never, never>>(
    fields?: InitFields<F, HeldBy<F, I, B>> &
      OnlyFields<F, I> &
      ([HeldBy<F, I, B>] extends [B] ? unknown : never),
  ): number {
    const given = fields === undefined ? undefined : this.readFields(fields);
    this.enter();
    const length = this.count;
    if (length === this.room) this.growTo(Math.max(FIRST_CAPACITY, 2 * length), length + 1);
    this.storeNew(length, given);
    this.count = length + 1;
    return length + 1;
  }

  /** Writes the fields that are given, and leaves the others. Throws a RangeError beyond the length. O(fields). */
  assign(index: number, fields: InitFields<F, B>): void {
    const given = this.readFields(fields);
    this.enter();
    checkIndex(index, this.count);
    this.store(index, given);
  }

  /** As `assign`, and gives a plain copy of what the struct was. O(fields). */
  replace(index: number, fields: InitFields<F, B>): Plain<StructType<F>> {
    const given = this.readFields(fields);
    return this.exchange(index, given as never) as Plain<StructType<F>>;
  }

  /** Takes the last struct away: a plain copy of it; undefined: there is none. O(fields). */
  pop(): Plain<StructType<F>> | undefined {
    return this.takeLast() as Plain<StructType<F>> | undefined;
  }

  /** Takes a struct away; the last one comes to its place. O(fields). */
  swapRemove(index: number): Plain<StructType<F>> {
    this.enter();
    this.closeGap();
    checkIndex(index, this.count);
    const taken = this.copyAt(index);
    if (this.owning) {
      this.openGap(index);
      this.drop(index);
    }
    this.moved();
    this.fillGap(index);
    const last = this.count - 1;
    this.count = last;
    if (this.owning) {
      this.endGap();
      this.zero(last);
    }
    return taken;
  }

  /**
   * Sees to it that there is room for so many structs in all. Throws an OutOfMemoryError, and it is as it was. O(bytes) if
   * they move.
   */
  reserve(capacity: number): void {
    if (!isWord(capacity)) refuseWord("capacity", capacity);
    this.enter();
    if (capacity > this.room) this.growTo(capacity, capacity);
  }

  /** By indices, as an array's: what is added meanwhile comes, too. */
  *[Symbol.iterator](): Generator<Row<F, L, B>> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  /** Calls a function with each struct: one row that moves along. O(length). */
  forEach(visit: (row: Row<F, L, B>, index: number) => void): void {
    const row = this.cursor();
    for (let index = 0; index < this.length; index++) {
      row.index = index;
      visit(row, index);
    }
  }

  protected override find(): void {
    this.columns.forEach((column, index) => {
      column.at = this.space.u32[placeOf(this.header, index) >>> 2] as number;
      this.space.reaches(column.at + columnBytes(column.type, this.room));
    });
  }

  protected override blocks(): ListBlock[] {
    const places = this.columns.map(({ at }) => at);
    return blocksAt(this.columns, places, this.room);
  }

  protected override drop(index: number): void {
    for (const { at, type } of this.columns) type.drop?.(this.space, at + index * type.size, this.life);
  }

  protected override copyAt(index: number): Plain<StructType<F>> {
    const copy = this.columns.map(({ name, type, at }) => [
      name,
      type.copy(this.space, at + index * type.size),
    ]);
    return Object.fromEntries(copy) as Plain<StructType<F>>;
  }

  protected override fillGap(index: number): void {
    const last = this.count - 1;
    if (index === last) return;
    const { u8 } = this.space;
    for (const { at, type } of this.columns)
      u8.copyWithin(at + index * type.size, at + last * type.size, at + (last + 1) * type.size);
    if (this.owning) this.moveGap(last);
  }

  private reserveFirst(capacity: number): void {
    try {
      this.growTo(capacity, capacity);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /**
   * Moves all columns to larger blocks: all of them, or none. Each new address holds also for the old capacity, which comes last.
   * Throws an OutOfMemoryError.
   */
  private growTo(wanted: number, least: number): void {
    const made = this.allocateAll(wanted) ?? this.allocateAll(least);
    if (made === undefined) throw new OutOfMemoryError(this.kind.elementBytes * least, this.kind.title);
    const { count: length, space } = this;
    const before = this.blocks();
    made.places.forEach((to, index) => {
      const { at, type } = this.columns[index] as Column;
      space.u8.copyWithin(to, at, at + length * type.size);
      this.setWord(placeOf(0, index), to);
    });
    this.setWord(AT_CAPACITY, made.capacity);
    this.relocated();
    this.free(before);
  }

  /** A block for each column, all within the arrays, or none. */
  private allocateAll(capacity: number): { places: number[]; capacity: number } | undefined {
    const places: number[] = [];
    for (const { type } of this.columns) {
      const bytes = columnBytes(type, capacity);
      const at = bytes <= MOST_BYTES ? this.allocator.allocate(bytes, ALIGNMENT) : 0;
      if (at === 0 || !this.space.reaches(at + bytes)) {
        this.free(blocksAt(this.columns.slice(0, places.length), places, capacity));
        return undefined;
      }
      places.push(at);
    }
    // The last one may have replaced the arrays that the others lie in.
    for (const [index, at] of places.entries())
      this.space.reaches(at + columnBytes((this.columns[index] as Column).type, capacity));
    return { places, capacity };
  }

  /** Last first: a bump arena takes back what it gave last. */
  private free(blocks: ListBlock[]): void {
    for (const { at, bytes, align } of blocks.reverse()) this.allocator.deallocate(at, bytes, align);
  }

  /** What is given for a struct, read once and whole. */
  private readFields(fields: object): ReadFields {
    return this.type.read(this.space, fields) as ReadFields;
  }

  private zero(index: number): void {
    const { u8 } = this.space;
    for (const { at, type } of this.columns) u8.fill(0, at + index * type.size, at + (index + 1) * type.size);
  }

  /** Writes a struct where none is: what is not given is zero. Throws, and there is still none. */
  private storeNew(index: number, given: ReadFields | undefined): void {
    this.zero(index);
    if (given === undefined) return;
    try {
      this.store(index, given);
    } catch (error) {
      this.drop(index);
      throw error;
    }
  }

  protected override store(index: number, given: ReadFields): void {
    const { space, life, columns } = this;
    for (let turn = 0; turn < columns.length; turn++) {
      const { at, type, offset } = columns[turn] as Column;
      const to = at + index * type.size;
      // All bytes of a struct, or what each field's type has read.
      if (!Array.isArray(given)) {
        space.u8.set((given as Uint8Array).subarray(offset, offset + type.size), to);
        continue;
      }
      const value = given[turn] as never;
      if (value === undefined || type.store(space, to, value, life)) continue;
      // Getting memory for one can replace the arrays.
      space.refresh();
      if (!type.store(space, to, value, life)) throw beyond(type, to);
    }
  }

  /** The class of rows: accessors that hold their column, as those of references hold their offset. */
  private defineRow(): RowClass {
    const owner = this;
    const made = class extends AnyRow {};
    Object.defineProperty(made, "name", { value: `Row<${this.type.name}>` });
    // What reads a struct takes a row for one.
    Object.defineProperty(made.prototype, TYPE, { value: this.type });
    Object.defineProperty(made.prototype, "index", {
      get(this: AnyRow) {
        return this.$index;
      },
      set(this: AnyRow, index: number) {
        owner.enter();
        checkIndex(index, owner.count);
        this.$index = index;
        this.$moves = owner.moves;
      },
    });
    Object.defineProperty(made.prototype, "toJSON", {
      value(this: AnyRow) {
        owner.enterRow(this);
        return owner.copyAt(this.$index);
      },
    });
    printable(made.prototype, function (this: AnyRow) {
      return printed(() => {
        owner.enterRow(this);
        return `Row<${cut(owner.type.name)}> ${shown(owner.copyAt(this.$index))} @ ${this.$index}`;
      });
    });
    for (const column of this.columns) this.defineField(made, column);
    return made;
  }

  /** One load and one comparison say whether the row's index and the column's address are still good: either ends with a move. */
  private defineField(made: RowClass, column: Column): void {
    const owner = this;
    const { space, movesAt, movement } = this;
    const { load, read, store, size } = column.type;
    const lends = isPlace(column.type);
    Object.defineProperty(made.prototype, column.name, {
      enumerable: true,
      get(this: AnyRow) {
        if (space.u32[movesAt] !== this.$moves || owner.life.ended) owner.enterRow(this);
        return load(space, column.at + this.$index * size, lends ? movement.life : owner.life);
      },
      set(this: AnyRow, value: never) {
        const given = read(space, value) as never;
        if (space.u32[movesAt] !== this.$moves || owner.life.ended) owner.enterRow(this);
        const at = column.at + this.$index * size;
        if (!store(space, at, given, owner.life)) throw beyond(column.type, at);
      },
    });
  }

  /** Before a use of a row: it refers to a struct. Who does not check gets the one that has its index now. */
  private enterRow(row: AnyRow): void {
    this.enter();
    if (row.$moves === this.moves) return;
    if (row.$moves !== NEVER && this.space.checking)
      throw new UseAfterFreeError(`Row<${this.type.name}>`, this.header, this.movement.name, "had ended");
    checkIndex(row.$index, this.count);
    row.$moves = this.moves;
  }
}

function kindOf(type: StructType<unknown>, columns: readonly Column[]): ListKind {
  return {
    title: `Columns<${type.name}>`,
    magic: MAGIC,
    former: FORMER_MAGIC,
    type,
    elementBytes: columns.reduce((sum, column) => sum + column.type.size, 0),
    headerBytes: placeOf(0, columns.length),
  };
}

/** Where in a header the address of a column stands. */
function placeOf(header: number, index: number): number {
  return header + LIST_HEADER_BYTES + 4 * index;
}

function columnsOf(type: StructType<unknown>): Column[] {
  if (!isStruct(type)) throw new TypeError(`Columns: expected a struct type, got ${describe(type)}`);
  const bad = (type.list as readonly Field[]).find(
    (field) => RESERVED.has(field.name) || field.type.kind === "bits",
  );
  if (bad !== undefined)
    throw new TypeError(
      `Columns: ${type.name} cannot have the field ${describe(bad.name)}: rows have an index, and no bit fields`,
    );
  return type.list.map((field) => ({ name: field.name, type: field.type, offset: field.offset, at: 0 }));
}

/** What a row has besides its fields. */
const RESERVED: ReadonlySet<string> = new Set(["index", INDEX, "$moves"]);

function blocksAt(columns: readonly Column[], places: readonly number[], capacity: number): ListBlock[] {
  if (capacity === 0) return [];
  return columns.map(({ type }, index) => ({
    at: places[index] as number,
    bytes: columnBytes(type, capacity),
    align: ALIGNMENT,
  }));
}

function columnBytes(type: Type, capacity: number): number {
  return Math.max(1, capacity * type.size);
}

function beyond(type: Type, at: number): PointerError {
  return new PointerError("outside", type.name, at, "leads beyond the memory");
}
