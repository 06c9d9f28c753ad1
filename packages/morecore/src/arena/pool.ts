// Pool: blocks of one size, each of which can be given back on its own, without headers.
//
// Owns:  chunks of another allocator's memory, cut into blocks; which blocks are free.
// Needs: an Allocator.
// Invariants: O1  the free blocks form a list through their first words, newest first, that ends with 0
//             O2  count = blocks before next - length of that list                                          O(free)
//             O3  while checking: a bit for each block, set <=> it is live
//
//     chunk:  [ live ][ free ●][ live ][ free 0 ][ never used … ]
//                          └─────────────▲       next           end
//
// The list makes both ways O(1) and costs no byte, but a block is at least 4 bytes long. It tells nothing
// about a block that is given back twice. For that there is a bit for each block, kept while checking only.
// To find it takes one comparison for each chunk, of which there are few, as they double. A block that is
// written to after it has been given back is noticed, while checking, when the list comes by.

import { checkPowerOfTwo, checkWord, describe } from "../memory/arguments.ts";
import { cut, shown } from "../memory/printed.ts";
import { Allocator, checkType, ENDING, HOLDER, type MemorySource, type Uninit } from "../typed/allocator.ts";
import { Destructors, DISPOSE, throwAll } from "../typed/disposal.ts";
import { PointerError } from "../typed/errors.ts";
import { DELETED, type Life, nextNumber, OwnedLife } from "../typed/life.ts";
import { checkOptions } from "../typed/options.ts";
import type { Ptr } from "../typed/raw-pointer.ts";
import { AT, isRef, LIFE, refAt, SPACE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import { type Fields, isStruct, type StructType } from "../typed/type.ts";
import type { ArrayRef, HeldBy, Init, InitFields, Made, OnlyFields, Ref } from "../typed/values.ts";
import { type Chunk, chunkAt, FIRST_BYTES, giveBack, takeChunk } from "./chunks.ts";

/** What a pool can be told when it is made. */
export interface PoolOptions {
  /** As messages show it. */
  readonly name?: string;
  /** Blocks of the first chunk: from 1 to 2^24. Default: as many as fit into 1024 bytes. */
  readonly capacity?: number;
  /** The most blocks that it may have live at once. Default: no limit. */
  readonly limit?: number;
}

const MOST_CAPACITY = 2 ** 24;
/** What the list of free blocks needs in each of them. */
const LINK_BYTES = 4;

/**
 * Blocks of one size without headers, each of which can be given back by itself. Allocating and freeing are
 * O(1). While checking, a block that is freed twice, or written to after it was freed, throws a PointerError.
 *
 * @example
 *
 * ```ts
 * const Point = struct({ x: f64, y: f64 });
 * const pool = new Pool(Heap.create(), Point);
 * const point = pool.new(Point, { x: 1 });
 * pool.delete(point);
 * console.log(pool.length); // 0
 * pool.dispose();
 * ```
 */
export class Pool<T extends Type = Type, L = unknown> extends Allocator<L> implements Disposable {
  /** The name in messages. */
  readonly name: string;
  /** The type that its blocks are for. */
  readonly type: T;
  /** Bytes of a block: the type's size, and at least 4. */
  readonly blockBytes: number;
  /** What the addresses of its blocks are multiples of: the type's alignment, and at least 4. */
  readonly blockAlignment: number;
  /** The most blocks that may be live at once; Infinity: no limit. */
  readonly limit: number;
  readonly [SPACE]: Space;
  readonly [LIFE]: OwnedLife;
  private readonly source: MemorySource;
  private readonly firstCount: number;
  private readonly destructors = new Destructors();
  private readonly outer: Life;
  private readonly leaveSource: () => void;
  private chunks: Chunk[] = [];
  /** For each chunk, while checking. */
  private bits: Uint32Array[] = [];
  private free = 0;
  private next = 0;
  private end = 0;
  private count = 0;

  /** In another allocator's memory, of blocks for a type: `new Pool(heap, Node)`, `new Pool(heap, array(u8, 256))`. */
  constructor(source: Allocator<L>, type: T, options: PoolOptions = {}) {
    super();
    checkType("pool", type);
    checkOptions("pool", options, {
      name: "a string",
      capacity: [1, MOST_CAPACITY],
      limit: [0, Number.MAX_SAFE_INTEGER],
    });
    this.name = options.name ?? `pool ${nextNumber()}`;
    this.type = type;
    this.blockAlignment = Math.max(LINK_BYTES, type.align);
    this.blockBytes = Math.max(1, Math.ceil(type.size / this.blockAlignment)) * this.blockAlignment;
    this.limit = options.limit ?? Number.POSITIVE_INFINITY;
    this.firstCount = options.capacity ?? Math.max(1, Math.floor(FIRST_BYTES / this.blockBytes));
    this.source = source[HOLDER]();
    this[SPACE] = source[SPACE];
    this.outer = source[LIFE];
    this.outer.check("a pool", 0);
    this[LIFE] = new OwnedLife(this.name, this.source, this, (at) => this.lifeAt(at) === this[LIFE]);
    this[SPACE].enter(this, this.outer);
    this.leaveSource = this.source[ENDING](() => this.dispose());
  }

  /** A block, if one is large enough and so aligned; else 0, as for no memory: there will never be one. O(1). */
  override allocate(bytes: number, alignment: number): number {
    if (bytes >>> 0 !== bytes || (alignment & (alignment - 1)) !== 0 || alignment < 1)
      refuse(bytes, alignment);
    if (bytes > this.blockBytes || alignment > this.blockAlignment) return 0;
    const at = this.free;
    if (at === 0) return this.allocateFresh();
    const space = this[SPACE];
    if (!space.reaches(at + LINK_BYTES)) return 0;
    const after = space.u32[at >>> 2] as number;
    if (space.checking) {
      this.checkLink(at, after);
      this.flip(at);
    }
    this.free = after;
    this.count += 1;
    return at;
  }

  /** Gives a block back, O(1). While checking, throws a PointerError for what is no live block, and nothing has changed. */
  override deallocate(ptr: number, _bytes: number, _alignment: number): void {
    const space = this[SPACE];
    // Once the pool has ended there is no block in it.
    if (space.checking || this.next === 0) {
      this.checkLive(ptr);
      this.flip(ptr);
    }
    space.reaches(ptr + LINK_BYTES);
    space.u32[ptr >>> 2] = this.free;
    this.free = ptr;
    this.count -= 1;
  }

  /** The same block, if the new size is no larger than blocks are; else 0. O(1). */
  override reallocate(ptr: number, oldBytes: number, newBytes: number, alignment: number): number {
    return this.reallocateInPlace(ptr, oldBytes, newBytes, alignment) ? ptr : 0;
  }

  /**
   * Whether the block at an address can have the new size: it can be no larger than blocks are. Changes
   * nothing.
   */
  override reallocateInPlace(_ptr: number, _oldBytes: number, newBytes: number, alignment: number): boolean {
    checkWord("newBytes", newBytes);
    return newBytes <= this.blockBytes && alignment <= this.blockAlignment;
  }

  /** A struct of the pool's type, as any allocator makes it. Of another type: a TypeError. O(size). */
  override new<S extends StructType<Fields>, I extends object = Record<never, never>>(
    type: S,
    fields?: InitFields<S["fields"], HeldBy<S["fields"], I, L>> & OnlyFields<S["fields"], I>,
  ): Made<S, L, I> {
    this.checkBlockType("new", type);
    return super.new<S, I>(type, fields);
  }

  /**
   * A block for the pool's type as a raw pointer, all zero. Throws an OutOfMemoryError, and a TypeError for
   * another type. O(1).
   */
  override newPtr<S extends Type>(type: S): Ptr<S> {
    this.checkBlockType("newPtr", type);
    return super.newPtr(type);
  }

  /** A block for a struct that nothing can read before `init` has filled it. Throws as `new` does. O(1). */
  override alloc<S extends StructType<Fields>>(type: S): Uninit<S, L> {
    this.checkBlockType("alloc", type);
    return super.alloc(type);
  }

  /**
   * Elements of any type in one block. Where the pool's own type owns memory, a TypeError: the pool's end would look for it
   * there. No memory: an OutOfMemoryError. O(bytes).
   */
  override newArray<E extends Type, B = L>(
    element: E,
    count: number,
    values?: Iterable<Init<E, B>>,
  ): ArrayRef<E, L, B> {
    if (this.type.drop !== undefined)
      throw new TypeError(`newArray: ${this.name} has blocks for ${this.type.name} only`);
    return super.newArray(element, count, values);
  }

  /**
   * Gives a struct's block back, and what the struct owns. While checking, throws a PointerError for a dead
   * block. O(1).
   */
  override delete(what: { readonly ptr: number }): void {
    // Before what it owns is dropped: a dead block has the list's link where an owner has an address.
    if (this[SPACE].checking && isRef(what) && !what[LIFE].ended) this.checkLive(what[AT]);
    super.delete(what);
  }

  /** An arena in this one's memory ends before it. */
  override [ENDING](ending: () => void): () => void {
    this.destructors.push(ending);
    return () => this.destructors.cancel(ending);
  }

  /** How many blocks are live. O(1). */
  get length(): number {
    return this.count;
  }

  /** How many blocks the pool has memory for. O(chunks). */
  get capacity(): number {
    let sum = 0;
    for (const chunk of this.chunks) sum += Math.floor(chunk.bytes / this.blockBytes);
    return sum;
  }

  /**
   * Addresses of the blocks that are live now, the oldest chunk's first, in each by address. Blocks may be given back meanwhile
   * once their turn has come. O(blocks), and a bit of temporary memory for each.
   */
  *ptrs(): Generator<Ptr<T>, void, undefined> {
    const live = this.liveBits();
    for (let index = 0; index < live.length; index++) {
      const { at } = this.chunks[index] as Chunk;
      const words = live[index] as Uint32Array;
      for (let word = 0; word < words.length; word++)
        for (let left = words[word] as number; left !== 0; left &= left - 1) {
          this[LIFE].check(this.type.name, at);
          yield (at + (32 * word + 31 - Math.clz32(left & -left)) * this.blockBytes) as Ptr<T>;
        }
    }
  }

  /** References to the live blocks, in the order of `ptrs`. Each is taken for a T. */
  *[Symbol.iterator](): Generator<Ref<T, L>, void, undefined> {
    const { type } = this;
    if (!isStruct(type)) throw new TypeError(`pool: ${type.name} is no struct; ptrs() gives addresses`);
    for (const at of this.ptrs()) yield refAt(this[SPACE], type, at, this[LIFE]) as unknown as Ref<T, L>;
  }

  /**
   * Ends the pool: what live blocks own is given back, then the memory. A second time does nothing. O(chunks), and O(blocks)
   * where they own memory.
   */
  dispose(): void {
    if (this[LIFE].ended) return;
    const errors = this.destructors.run();
    const { drop } = this.type;
    if (drop)
      for (const at of this.ptrs()) {
        try {
          this[SPACE].reaches(at + this.blockBytes);
          drop(this[SPACE], at, this[LIFE]);
        } catch (error) {
          errors.push(error);
        }
      }
    this[LIFE].ended = true;
    this.leaveSource();
    this[SPACE].leave(this, this.outer);
    giveBack(this.source, this.chunks, this.blockAlignment);
    this.chunks = [];
    this.bits = [];
    this.free = 0;
    this.next = 0;
    this.end = 0;
    this.count = 0;
    throwAll(errors, `the end of ${this.name}`);
  }

  [DISPOSE](): void {
    this.dispose();
  }

  /** The life of a block; of one that was given back, as far as is known, one that has ended. */
  lifeAt(at: number): Life | undefined {
    const index = chunkAt(this.chunks, at);
    if (index < 0) return undefined;
    return this[SPACE].checking && !this.isSet(index, at) ? DELETED : this[LIFE];
  }

  protected override isLive(at: number, bytes: number): boolean {
    const index = chunkAt(this.chunks, at);
    if (index < 0 || !this.isSet(index, at)) return false;
    const within = (at - (this.chunks[index] as Chunk).at) % this.blockBytes;
    return within + bytes <= this.blockBytes;
  }

  protected override summary(): string {
    const counts = this[LIFE].ended ? "" : `(${this.count} of ${this.capacity})`;
    return `Pool<${cut(this.type.name)}>${counts} ${shown(this.name)}${this[LIFE].ended ? " (ended)" : ""}`;
  }

  private allocateFresh(): number {
    this[LIFE].check(this.type.name, 0);
    if (this.count >= this.limit || (this.next === this.end && !this.grow())) return 0;
    const at = this.next;
    if (this[SPACE].checking) this.flip(at);
    this.next += this.blockBytes;
    this.count += 1;
    return at;
  }

  private grow(): boolean {
    const last = this.chunks.at(-1);
    const wish = last === undefined ? this.firstCount * this.blockBytes : 2 * last.bytes;
    const chunk = takeChunk(this.source, {
      need: this.blockBytes,
      wish: Math.min(wish, (this.limit - this.count) * this.blockBytes),
      unit: this.blockBytes,
      alignment: this.blockAlignment,
    });
    if (chunk === undefined) return false;
    this.chunks.push(chunk);
    if (this[SPACE].checking) this.bits.push(new Uint32Array(wordsFor(chunk.bytes / this.blockBytes)));
    this.next = chunk.at;
    this.end = chunk.at + chunk.bytes;
    return true;
  }

  /** For each chunk, a bit for each block that is live now. */
  private liveBits(): Uint32Array[] {
    if (this[SPACE].checking) return this.bits.map((words) => words.slice());
    const live = this.chunks.map((chunk, index) => {
      const end = index === this.chunks.length - 1 ? this.next : chunk.at + chunk.bytes;
      const blocks = (end - chunk.at) / this.blockBytes;
      const words = new Uint32Array(wordsFor(blocks)).fill(0xffff_ffff);
      if (blocks % 32 !== 0) words[words.length - 1] = 2 ** (blocks % 32) - 1;
      return words;
    });
    for (let at = this.free; at !== 0; at = this[SPACE].u32[at >>> 2] ?? 0) {
      this[SPACE].reaches(at + LINK_BYTES);
      const index = chunkAt(this.chunks, at);
      flipIn(live[index], this.numberOf(index, at));
    }
    return live;
  }

  /** Which block of its chunk lies at an address. */
  private numberOf(index: number, at: number): number {
    return Math.floor((at - (this.chunks[index]?.at ?? 0)) / this.blockBytes);
  }

  private isSet(index: number, at: number): boolean {
    const block = this.numberOf(index, at);
    return (((this.bits[index]?.[block >>> 5] ?? 0) >>> (block & 31)) & 1) === 1;
  }

  private flip(at: number): void {
    const index = chunkAt(this.chunks, at);
    flipIn(this.bits[index], this.numberOf(index, at));
  }

  private checkLive(ptr: number): void {
    const index = chunkAt(this.chunks, ptr);
    const begins = index >= 0 && (ptr - (this.chunks[index] as Chunk).at) % this.blockBytes === 0;
    if (begins && this.isSet(index, ptr)) return;
    const what = begins ? "a block that has been given back, or was never handed out" : "no block";
    throw new PointerError("not-live", this.type.name, ptr, `${hex(ptr)} is ${what}, in ${this.name}`);
  }

  /** Throws unless a free block leads to another one, or is the last. */
  private checkLink(at: number, after: number): void {
    const index = chunkAt(this.chunks, after);
    const begins = index >= 0 && (after - (this.chunks[index] as Chunk).at) % this.blockBytes === 0;
    if (after === 0 || (begins && !this.isSet(index, after))) return;
    throw new PointerError(
      "not-live",
      this.type.name,
      at,
      `the free block at ${hex(at)} of ${this.name} leads to ${hex(after)}: it was written to after it had been given back`,
    );
  }

  private checkBlockType(call: string, type: Type): void {
    if ((type as Type | undefined) === this.type) return;
    checkType(call, type);
    throw new TypeError(`${call}: ${this.name} has blocks for ${this.type.name}, got ${describe(type.name)}`);
  }
}

function wordsFor(blocks: number): number {
  return Math.ceil(blocks / 32);
}

function flipIn(words: Uint32Array | undefined, block: number): void {
  if (words !== undefined) words[block >>> 5] = (words[block >>> 5] as number) ^ (1 << (block & 31));
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}

function refuse(bytes: number, alignment: number): void {
  checkWord("bytes", bytes);
  checkPowerOfTwo("alignment", alignment);
}
