// TypedArena: an arena of structs of one type, which can be gone through in the order in which they were made.
//
// Owns:  chunks of another allocator's memory, full of elements side by side.
// Needs: an Allocator.
// Invariants: T1  an element never moves
//             T2  every chunk but the last one is full
//             T3  what lies before next is elements, but for holes: memory that is not initialised yet, or was discarded
//
// Elements cannot be deleted one by one, so that all of them live equally long and may refer to each other in circles. What
// they own (texts) is the source's memory, and given back when the arena ends. It is no Allocator itself: bytes for anything
// would lie between its elements.

import { describe } from "../memory/arguments.ts";
import { cut, Printed, shown } from "../memory/printed.ts";
import {
  Allocator,
  ENDING,
  FILL,
  HOLDER,
  type MemorySource,
  moveTo,
  type Uninit,
} from "../typed/allocator.ts";
import { Elements } from "../typed/array.ts";
import { DISPOSE, throwAll } from "../typed/disposal.ts";
import { OutOfMemoryError } from "../typed/errors.ts";
import { type Life, nextNumber, OwnedLife } from "../typed/life.ts";
import { checkOptions } from "../typed/options.ts";
import type { Ptr } from "../typed/raw-pointer.ts";
import { type AnyRef, AT, endRef, LIFE, refAt, SPACE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import { type Fields, isStruct, type StructType } from "../typed/type.ts";
import type { ArrayRef, HoldsRefs, Init, Ref } from "../typed/values.ts";
import { type Chunk, chunkAt, FIRST_BYTES, giveBack, takeChunk } from "./chunks.ts";

/** What a typed arena can be told when it is made. */
export interface TypedArenaOptions {
  /** As messages show it. */
  readonly name?: string;
  /** Elements of the first chunk: from 1 to 2^24. Default: as many as fit into 1024 bytes. */
  readonly capacity?: number;
  /** The most elements that it may have. Default: no limit. */
  readonly limit?: number;
}

const MOST_CAPACITY = 2 ** 24;

/** Where elements can be moved: not if pointers may lead to them. */
type Movable<T, L> = HoldsRefs<T> extends true ? never : TypedArena<T & StructType<Fields>, L>;

/**
 * Structs of one type that live equally long and can be gone through in the order in which they were made.
 * They never move, and may refer to each other in circles. Making one is O(1); all are freed at once.
 *
 * @example
 *
 * ```ts
 * const Point = struct({ x: f64, y: f64 });
 * const points = new TypedArena(Heap.create(), Point);
 * points.new({ x: 1 });
 * points.new({ x: 2 });
 * console.log([...points].map(({ x }) => x)); // [ 1, 2 ]
 * points.dispose();
 * ```
 */
export class TypedArena<T extends StructType<Fields>, L = unknown> extends Printed implements Disposable {
  /** The name in messages. */
  readonly name: string;
  /** The type of its structs. */
  readonly type: T;
  private readonly cells: Cells<L>;

  /** In another allocator's memory. Takes nothing until something is made. */
  constructor(source: Allocator<L>, type: T, options: TypedArenaOptions = {}) {
    super();
    if (!isStruct(type)) throw new TypeError(`typed arena: expected a struct type, got ${describe(type)}`);
    checkOptions("typed arena", options, {
      name: "a string",
      capacity: [1, MOST_CAPACITY],
      limit: [0, Number.MAX_SAFE_INTEGER],
    });
    this.name = options.name ?? `arena ${nextNumber()}`;
    this.type = type;
    this.cells = new Cells<L>(source, type, this.name, options, () => this.dispose());
  }

  /** A struct, made in place; fields that are not given are zero. Throws as `heap.new` does. O(size). */
  new(fields?: Init<T, L>): Ref<T, L> {
    return this.cells.new(this.type, fields as never) as unknown as Ref<T, L>;
  }

  /** The same as a raw pointer, all zero: no object is made. No memory: an OutOfMemoryError. O(size). */
  newPtr(): Ptr<T> {
    return this.cells.newPtr(this.type as Type) as unknown as Ptr<T>;
  }

  /**
   * Memory for a struct that nothing can read until `init` has filled it: it is no element before that. No memory: an
   * OutOfMemoryError. O(size).
   */
  alloc(): Uninit<T, L> {
    return this.cells.alloc(this.type);
  }

  /** How many elements there are. O(1). */
  get length(): number {
    this.cells.life.check(this.type.name, 0);
    return this.cells.count - this.cells.holes.size;
  }

  /** The elements in the order in which they were made; also those that are made meanwhile. */
  *[Symbol.iterator](): Generator<Ref<T, L>, void, undefined> {
    const { cells, type } = this;
    for (let at = cells.first(); at !== 0; at = cells.after(at))
      yield refAt(cells[SPACE], type, at, cells.life) as unknown as Ref<T, L>;
  }

  /**
   * Calls a function for each, with one reference that is moved along: no objects are made. It cannot be used afterwards.
   * O(elements).
   */
  forEach(visit: (element: Ref<T, L>, index: number) => void): void {
    const { cells } = this;
    const cursor = refAt(cells[SPACE], this.type, 0, cells.life);
    let index = 0;
    try {
      cells.visit((at) => {
        moveTo(cursor as never, at as never);
        visit(cursor as unknown as Ref<T, L>, index);
        index++;
      });
    } finally {
      endRef(cursor);
    }
  }

  /**
   * Ends the arena and moves its elements, with what they own, into one array in the source's memory, to be deleted there:
   * Rust's `into_vec`. Throws an OutOfMemoryError, and then the arena is as it was. Throws a TypeError if elements have
   * references, which might lead to elements: that does not compile either. O(bytes).
   */
  intoVec(this: Movable<T, L>): ArrayRef<T, L> {
    return (this as TypedArena<T, L>).cells.moveOut() as unknown as ArrayRef<T, L>;
  }

  /**
   * Ends the arena: what elements own is given back, then the memory. A second time does nothing. O(chunks), and O(elements)
   * where they own memory.
   */
  dispose(): void {
    this.cells.dispose();
  }

  [DISPOSE](): void {
    this.dispose();
  }

  protected override summary(): string {
    const { ended } = this.cells.life;
    const count = ended ? "" : `(${this.length})`;
    return `TypedArena<${cut(this.type.name)}>${count} ${shown(this.name)}${ended ? " (ended)" : ""}`;
  }
}

/** The elements' memory, as an allocator that has room for nothing else. */
class Cells<L> extends Allocator<L> {
  readonly [SPACE]: Space;
  readonly life: OwnedLife;
  count = 0;
  /** Addresses of what is no element. */
  readonly holes = new Set<number>();
  private readonly source: MemorySource;
  private readonly type: StructType<unknown>;
  private readonly firstCount: number;
  private readonly limit: number;
  private readonly stride: number;
  private readonly outer: Life;
  private readonly leaveSource: () => void;
  private chunks: Chunk[] = [];
  private next = 0;
  private end = 0;

  constructor(
    source: Allocator<L>,
    type: StructType<unknown>,
    name: string,
    { capacity, limit }: TypedArenaOptions,
    ending: () => void,
  ) {
    super();
    this.source = source[HOLDER]();
    this.type = type;
    this.stride = Math.max(1, type.size);
    this.firstCount = capacity ?? Math.max(1, Math.floor(FIRST_BYTES / this.stride));
    this.limit = limit ?? Number.POSITIVE_INFINITY;
    this[SPACE] = source[SPACE];
    this.outer = source[LIFE];
    this.outer.check("an arena", 0);
    this.life = new OwnedLife(name, this.source, this, (at) => chunkAt(this.chunks, at) >= 0);
    this[SPACE].enter(this, this.outer);
    this.leaveSource = this.source[ENDING](ending);
  }

  get [LIFE](): Life {
    return this.life;
  }

  lifeAt(at: number): Life | undefined {
    return chunkAt(this.chunks, at) < 0 ? undefined : this.life;
  }

  override allocate(_bytes: number, _alignment: number): number {
    this.life.check(this.type.name, 0);
    if (this.count >= this.limit || (this.next === this.end && !this.grow())) return 0;
    const at = this.next;
    this.next += this.stride;
    this.count += 1;
    return at;
  }

  /** Of what could not be initialised, or was discarded. */
  override deallocate(ptr: number, _bytes: number, _alignment: number): void {
    if (ptr + this.stride !== this.next) {
      this.holes.add(ptr);
      return;
    }
    this.holes.delete(ptr);
    this.next = ptr;
    this.count -= 1;
  }

  override reallocate(): number {
    return 0;
  }

  protected override summary(): string {
    return `the cells of ${shown(this.life.name)}`;
  }

  override alloc<S extends StructType<Fields>>(type: S): Uninit<S, L> {
    const made = super.alloc(type);
    this.holes.add(this.next - this.stride);
    return made;
  }

  override [FILL](ref: AnyRef, body: (ref: AnyRef) => unknown): void {
    super[FILL](ref, body);
    this.holes.delete(ref[AT]);
  }

  protected override isLive(at: number, bytes: number): boolean {
    const chunk = this.chunks[chunkAt(this.chunks, at)];
    return chunk !== undefined && at + bytes <= this.endOf(chunk);
  }

  /** The address of the first element, or 0. */
  first(): number {
    this.life.check(this.type.name, 0);
    const chunk = this.chunks[0];
    return chunk === undefined || chunk.at === this.next ? 0 : this.skipHoles(chunk.at);
  }

  /** The address of the element after another, or 0. */
  after(at: number): number {
    this.life.check(this.type.name, at);
    return this.skipHoles(this.step(at));
  }

  /** Calls a function with the address of each element, and of each that is made meanwhile. */
  visit(body: (at: number) => void): void {
    const { life, stride, holes } = this;
    life.check(this.type.name, 0);
    for (let index = 0; index < this.chunks.length; index++) {
      const chunk = this.chunks[index] as Chunk;
      for (let at = chunk.at; at < this.endOf(chunk); at += stride) {
        if (holes.size > 0 && holes.has(at)) continue;
        body(at);
        life.check(this.type.name, at);
      }
    }
  }

  /** Drops the elements and gives the memory back. */
  dispose(): void {
    if (this.life.ended) return;
    const { drop } = this.type;
    const errors: unknown[] = [];
    if (drop)
      this.visit((at) => {
        try {
          this[SPACE].reaches(at + this.stride);
          drop(this[SPACE], at, this.life);
        } catch (error) {
          errors.push(error);
        }
      });
    this.release();
    throwAll(errors, `the elements of ${this.life.name}`);
  }

  moveOut(): Elements<StructType<unknown>, L, L> {
    this.life.check(this.type.name, 0);
    if (holdsPointers(this.type))
      throw new TypeError(`intoVec: ${this.type.name} has references, which may lead to elements`);
    const count = this.count - this.holes.size;
    const bytes = Math.max(1, count * this.type.size);
    const to = bytes >= 2 ** 32 ? 0 : this.source.allocate(bytes, this.type.align);
    if (to === 0 || !this[SPACE].reaches(to + bytes))
      throw new OutOfMemoryError(bytes, `${this.type.name}[]`);
    let index = 0;
    this.visit((at) => {
      this[SPACE].u8.copyWithin(to + index * this.type.size, at, at + this.type.size);
      index++;
    });
    this.release();
    return new Elements(this[SPACE], this.type, to, count, this.source[LIFE], true);
  }

  private release(): void {
    this.life.ended = true;
    this.leaveSource();
    this[SPACE].leave(this, this.outer);
    giveBack(this.source, this.chunks, this.type.align);
    this.chunks = [];
    this.holes.clear();
    this.count = 0;
    this.next = 0;
    this.end = 0;
  }

  /** Another chunk, twice as large as the one before, if memory allows. */
  private grow(): boolean {
    const last = this.chunks.at(-1);
    const wish = last === undefined ? this.firstCount * this.stride : 2 * last.bytes;
    const chunk = takeChunk(this.source, {
      need: this.stride,
      wish: Math.min(wish, (this.limit - this.count) * this.stride),
      unit: this.stride,
      alignment: this.type.align,
    });
    if (chunk === undefined) return false;
    this.chunks.push(chunk);
    this.next = chunk.at;
    this.end = chunk.at + chunk.bytes;
    return true;
  }

  private endOf(chunk: Chunk): number {
    return chunk === this.chunks.at(-1) ? this.next : chunk.at + chunk.bytes;
  }

  /** The address one element on, or 0. */
  private step(at: number): number {
    const index = chunkAt(this.chunks, at);
    const next = at + this.stride;
    if (next < this.endOf(this.chunks[index] as Chunk)) return next;
    const chunk = this.chunks[index + 1];
    return chunk === undefined || chunk.at === this.endOf(chunk) ? 0 : chunk.at;
  }

  private skipHoles(from: number): number {
    let at = from;
    while (at !== 0 && this.holes.has(at)) at = this.step(at);
    return at;
  }
}

/** Whether a struct has references in it, at any depth. */
function holdsPointers(type: Type): boolean {
  if (type.kind === "pointer") return true;
  if (isStruct(type)) return type.list.some((field) => holdsPointers(field.type));
  if ("element" in type) return holdsPointers((type as Type & { element: Type }).element);
  if ("variants" in type)
    return Object.values((type as Type & { variants: Fields }).variants).some(holdsPointers);
  return false;
}
