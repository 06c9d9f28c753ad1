// Bump: an arena that allocates by adding to a number, and frees all at once.
//
// Owns:  chunks of another allocator's memory; where in them it is; destructors; its parts between marks.
// Needs: an Allocator, part.
// Invariants: U1  chunks do not overlap, and all of them are the source's live blocks
//             U2  next lies in the current chunk, or both are 0 and there is none
//             U3  what lies before next in the current chunk, and in the chunks before it, is live; nothing else is
//             U4  next never goes below the last mark, but by a release
//
// It bumps upwards, so that the last block can grow where it is: that is what makes filling arrays, strings and iterators
// straight into it cheap. A block from before a mark keeps its size and place: what a release takes away began after the mark.
//
//     chunks:  [ used ……………… ] [ used …… | free ] [ kept from before a reset ]
//                                         next    end

import { describe, isWord, refuseWord } from "../memory/arguments.ts";
import { bytesText, shown } from "../memory/printed.ts";
import { Allocator, checkType, ENDING, HOLDER, type MemorySource } from "../typed/allocator.ts";
import { Elements } from "../typed/array.ts";
import { Destructors, DISPOSE, throwAll } from "../typed/disposal.ts";
import { OutOfMemoryError } from "../typed/errors.ts";
import { type Life, nextNumber, OwnedLife } from "../typed/life.ts";
import { checkOptions } from "../typed/options.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import { u8 } from "../typed/scalars.ts";
import type { Space } from "../typed/space.ts";
import { encode } from "../typed/text.ts";
import type { Type } from "../typed/type.ts";
import type { ArrayRef, Init } from "../typed/values.ts";
import { bytesOfAll, type Chunk, chunkAt, FIRST_BYTES, giveBack, MOST_CHUNK, takeChunk } from "./chunks.ts";
import { Part } from "./part.ts";

/** What a bump arena can be told when it is made. */
export interface BumpOptions {
  /** As messages show it. */
  readonly name?: string;
  /** Bytes of the first chunk: from 64 to 2^30. Default 1024. */
  readonly chunkBytes?: number;
  /** The most bytes that its chunks may have together. Default: no limit. */
  readonly limit?: number;
}

/** Where a bump arena was: what `release` goes back to. */
export interface Mark {
  /** The number of the chunk that was current; -1: there was none. */
  readonly chunk: number;
  /** The address at which the next block was to begin. */
  readonly next: number;
  /** How many destructors there were. */
  destructors: number;
  /** What had been made since the mark before. */
  readonly part: Part;
}

/** The allocator of a scope: what it makes lives for L. */
export type Scope<L> = Bump<L>;

/** A promise outlives its scope: where R is one, this asks for an argument that nobody has. */
export type NoPromise<R> = [R] extends [never]
  ? []
  : R extends PromiseLike<unknown>
    ? [aScopeEndsBeforeItsPromise: never]
    : [];

const LEAST_CHUNK = 64;
/** Chunks begin like the heap's blocks; larger alignments are reached inside them. */
const CHUNK_ALIGNMENT = 16;

/**
 * An arena that allocates by adding to a number, and frees everything at once, or all since a mark. One
 * allocation costs a few instructions; chunks come from a heap or another arena. While checking, references
 * to what it has let go of throw a UseAfterFreeError.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const Point = struct({ x: f64, y: f64 });
 * const frame = heap.bump({ name: "frame" });
 * console.log(frame.new(Point, { x: 1 }).x, frame.usedBytes); // 1 16
 * frame.dispose(); // or `using frame = …`: everything of it is freed
 * ```
 */
export class Bump<L = unknown> extends Allocator<L> implements Disposable {
  /** The name in messages. */
  readonly name: string;
  /** The most bytes that its chunks may have together; Infinity: no limit. */
  readonly limit: number;
  readonly [SPACE]: Space;
  /** What was made since the last mark. */
  private part: Part;
  private readonly source: MemorySource;
  private readonly firstBytes: number;
  private readonly destructors = new Destructors();
  private readonly marks: Mark[] = [];
  private chunks: Chunk[] = [];
  /** Which chunk is the current one; -1: none yet. */
  private current = -1;
  private next = 0;
  private end = 0;
  /** What lies before this stays as it is: the current chunk's beginning, or the last mark. */
  private low = 0;
  private disposed = false;
  private destructing = false;
  /** The life of what has been let go of; made when someone asks. */
  private gone: OwnedLife | undefined;
  private readonly outer: Life;
  private readonly leaveSource: () => void;

  /**
   * In another allocator's memory: `heap.bump()`. Takes nothing until something is allocated. If that is an arena, too, this one
   * ends with it.
   */
  constructor(source: MemorySource, options: BumpOptions = {}) {
    super();
    checkOptions("bump", options, {
      name: "a string",
      chunkBytes: [LEAST_CHUNK, MOST_CHUNK],
      limit: [0, Number.MAX_SAFE_INTEGER],
    });
    this.name = options.name ?? `arena ${nextNumber()}`;
    this.limit = options.limit ?? Number.POSITIVE_INFINITY;
    this.firstBytes = options.chunkBytes ?? FIRST_BYTES;
    this.source = source[HOLDER]();
    this[SPACE] = source[SPACE];
    this.outer = source[LIFE];
    this.outer.check("an arena", 0);
    this.part = new Part(this, this.source);
    this[SPACE].enter(this, this.outer);
    this.leaveSource = this.source[ENDING](() => this.dispose());
  }

  get [LIFE](): Life {
    return this.part[LIFE];
  }

  /** A few instructions, if the chunk has room; else a chunk of the source's. O(1). */
  override allocate(bytes: number, alignment: number): number {
    const at = this.next + (-this.next & (alignment - 1));
    const end = at + bytes;
    if (end > this.end || at === 0 || bytes >>> 0 !== bytes || (alignment & (alignment - 1)) !== 0)
      return this.allocateSlow(bytes, alignment);
    this.next = end;
    return at;
  }

  /**
   * Gives back the last block, if it was made since the last mark. Any other stays until the arena lets go of it. O(1).
   */
  override deallocate(ptr: number, bytes: number, _alignment: number): void {
    if (ptr + bytes === this.next && ptr >= this.low) this.next = ptr;
  }

  /**
   * In place if it is the last block since the last mark and the chunk has room, or if it shrinks; else by a copy. A block
   * that grows after a mark goes with what was made since then. O(1) in place, else O(bytes).
   */
  override reallocate(ptr: number, oldBytes: number, newBytes: number, alignment: number): number {
    if (this.reallocateInPlace(ptr, oldBytes, newBytes)) return ptr;
    const moved = this.allocate(newBytes, alignment);
    if (moved === 0 || !this[SPACE].reaches(moved + newBytes)) return 0;
    this[SPACE].u8.copyWithin(moved, ptr, ptr + oldBytes);
    return moved;
  }

  /** Gives a block another size where it lies, if it is the last one or shrinks. False: it is as it was. O(1). */
  override reallocateInPlace(ptr: number, oldBytes: number, newBytes: number): boolean {
    if (!isWord(newBytes)) refuseWord("newBytes", newBytes);
    const last = ptr + oldBytes === this.next && ptr >= this.low;
    if (last && ptr + newBytes <= this.end) this.next = ptr + newBytes;
    else return newBytes <= oldBytes;
    return true;
  }

  /**
   * Elements from an iterable of any length, straight into the arena. Throws an OutOfMemoryError, and then nothing is kept.
   * O(elements).
   */
  collect<E extends Type, B = L>(element: E, values: Iterable<Init<E, B>>): ArrayRef<E, L, B> {
    checkType("collect", element);
    const life = this[LIFE];
    const bytesFor = (elements: number): number => Math.max(1, elements * element.size);
    let capacity = 0;
    let count = 0;
    let at = this.resize(0, 0, 1, element);
    try {
      for (const value of values) {
        // What gives the values may have let go of everything.
        life.check(`${element.name}[]`, at);
        if (count === capacity) {
          const larger = Math.max(8, 2 * capacity);
          at = this.resize(at, bytesFor(capacity), bytesFor(larger), element);
          capacity = larger;
        }
        new Elements<E, L, B>(this[SPACE], element, at, capacity, life).set(count, value);
        count++;
      }
    } catch (error) {
      // Nothing more than that: what gives the values may have made other things here.
      if (!life.ended) this.deallocate(at, bytesFor(capacity), element.align);
      throw error;
    }
    life.check(`${element.name}[]`, at);
    this.reallocate(at, bytesFor(capacity), bytesFor(count), element.align);
    return new Elements<E, L, B>(this[SPACE], element, at, count, life, true) as unknown as ArrayRef<E, L, B>;
  }

  /** A string's bytes in UTF-8, straight into the arena. Throws an OutOfMemoryError. O(bytes). */
  utf8(value: string): ArrayRef<typeof u8, L> {
    const encoded = encode(value, "utf8");
    const made = this.newArray(u8, encoded.length);
    (made.view() as Uint8Array).set(encoded);
    return made as unknown as ArrayRef<typeof u8, L>;
  }

  /**
   * Runs a function when what is made from here on is let go of: in reverse order, exactly once. Throws a TypeError for what
   * is no function, or after the arena's end. O(1).
   */
  defer(destructor: () => void): void {
    if (typeof destructor !== "function")
      throw new TypeError(`defer: expected a function, got ${describe(destructor)}`);
    this.checkOpen("defer");
    this.destructors.push(destructor);
  }

  /** An arena in this one's memory ends before it. */
  override [ENDING](ending: () => void): () => void {
    return this.endingOf(this.part, ending);
  }

  /** Where the arena is now. Throws a TypeError after the arena's end, and while destructors run. O(1). */
  mark(): Mark {
    this.checkOpen("mark");
    this.checkCalm("mark");
    const mark: Mark = {
      chunk: this.current,
      next: this.next,
      destructors: this.destructors.count,
      part: this.part,
    };
    this.marks.push(mark);
    this.low = this.next;
    this.part = new Part(this, this.source);
    return mark;
  }

  /**
   * Lets go of all that was made since a mark: O(1), and the destructors. References to it throw from now on. Marks that were
   * made later are gone, too, and this one; for one that is gone it throws a RangeError.
   */
  release(mark: Mark): void {
    const at = this.marks.lastIndexOf(mark);
    if (at < 0) throw new RangeError("release: expected a mark of this arena that has not been released");
    this.checkCalm("release");
    const errors = this.destruct(mark.destructors);
    const later = this.marks.splice(at).slice(1);
    this.part.end();
    for (const { part } of later.toReversed()) part.end();
    this.part = mark.part;
    this.goTo(mark.chunk, mark.next);
    throwAll(errors, `the destructors of ${this.name}`);
  }

  /**
   * Lets go of everything made here, and keeps the chunks. References to it throw from now on. Throws what the destructors
   * throw, after all of them have run. O(destructors and marks).
   */
  reset(): void {
    this.checkOpen("reset");
    this.checkCalm("reset");
    const errors = this.destruct();
    this.finishAll();
    this.goTo(-1, 0);
    this.part = new Part(this, this.source);
    throwAll(errors, `the destructors of ${this.name}`);
  }

  /**
   * Runs a function with an arena of its own, in the same source's memory, which ends when the function does. Throws a
   * TypeError for a promise.
   */
  scope<R>(body: <I extends L>(scope: Scope<I>) => R, ..._refused: NoPromise<R>): R {
    this.checkOpen("scope");
    return runScope(this.source, body as unknown as (scope: Scope<never>) => R);
  }

  /**
   * Ends the arena: destructors, then its chunks go back to where they came from. A second time does nothing. Throws what the
   * destructors throw, after all is given back. O(chunks and destructors).
   */
  dispose(): void {
    if (this.disposed) return;
    this.checkCalm("dispose");
    this.disposed = true;
    const errors = this.destruct();
    this.finishAll();
    this.leaveSource();
    this[SPACE].leave(this, this.outer);
    giveBack(this.source, this.chunks, CHUNK_ALIGNMENT);
    this.chunks = [];
    this.goTo(-1, 0);
    throwAll(errors, `the destructors of ${this.name}`);
  }

  [DISPOSE](): void {
    this.dispose();
  }

  /**
   * Throws a TypeError for a typed array over this arena's memory: it knows of no end, and would read and write what others get there.
   * Looks at a value itself, and at what a plain object or an array has.
   */
  refuseViews(value: unknown): void {
    const values =
      typeof value === "object" && value !== null && !ArrayBuffer.isView(value) ? partsOf(value) : [value];
    for (const one of values)
      if (ArrayBuffer.isView(one) && this.hasView(one))
        throw new TypeError(
          `scope: a view cannot leave it: its memory is others' afterwards; got a ${one.constructor.name} of ${one.byteLength} bytes; return view.slice()`,
        );
  }

  private hasView(view: ArrayBufferView): boolean {
    return (
      view.buffer === this[SPACE].u8.buffer &&
      view.byteLength > 0 &&
      this.partAt(view.byteOffset) !== undefined
    );
  }

  /** Bytes that have been handed out, and lost to alignment and to the ends of chunks. O(chunks). */
  get usedBytes(): number {
    let sum = 0;
    for (let index = 0; index < this.current; index++) sum += this.chunks[index]?.bytes ?? 0;
    return this.current < 0 ? 0 : sum + this.next - (this.chunks[this.current]?.at ?? 0);
  }

  /** Bytes of all chunks. O(chunks). */
  get capacityBytes(): number {
    return bytesOfAll(this.chunks);
  }

  /** The life of what was made between the marks around an address; undefined: it does not lie here. */
  lifeAt(at: number): Life | undefined {
    return this.partAt(at)?.[LIFE] ?? (chunkAt(this.chunks, at) < 0 ? undefined : this.lifeGone());
  }

  /** What takes memory here, and was made now or lies at an address, gets what its part gets. */
  override [HOLDER](at?: number): MemorySource {
    return (at === undefined ? undefined : this.partAt(at)) ?? this.part;
  }

  /** Whether no mark was made since a part began. */
  isCurrent(part: Part): boolean {
    return part === this.part && !this.disposed;
  }

  /** Bytes that the limit leaves. O(chunks), and what parts have beside them. */
  room(): number {
    if (this.limit === Number.POSITIVE_INFINITY) return this.limit;
    return this.limit - this.capacityBytes - this.parts().reduce((sum, part) => sum + part.asideBytes, 0);
  }

  /** Calls a function before a part ends. */
  endingOf(part: Part, ending: () => void): () => void {
    const after = this.marks.findIndex((mark) => mark.part === part);
    const mark = this.marks[after];
    if (mark === undefined) this.destructors.push(ending);
    else {
      this.destructors.insert(mark.destructors, ending);
      for (const later of this.marks.slice(after)) later.destructors += 1;
    }
    return () => this.destructors.cancel(ending);
  }

  protected override isLive(at: number, bytes: number): boolean {
    const index = chunkAt(this.chunks, at);
    if (index < 0 || index > this.current) return false;
    const chunk = this.chunks[index] as Chunk;
    return at + bytes <= (index === this.current ? this.next : chunk.at + chunk.bytes);
  }

  protected override summary(): string {
    if (this.disposed) return `Bump ${shown(this.name)} (ended)`;
    return `Bump ${shown(this.name)} { used: ${bytesText(this.usedBytes)} of ${bytesText(this.capacityBytes)} }`;
  }

  private goTo(chunk: number, next: number): void {
    const found = this.chunks[chunk];
    const mark = this.marks.at(-1);
    this.current = chunk;
    this.next = next;
    this.end = found === undefined ? 0 : found.at + found.bytes;
    this.low = mark?.chunk === chunk ? mark.next : (found?.at ?? 0);
  }

  private allocateSlow(bytes: number, alignment: number): number {
    if (!isWord(bytes)) refuseWord("bytes", bytes);
    if (!isWord(alignment) || alignment === 0 || (alignment & (alignment - 1)) !== 0)
      throw new RangeError(`alignment: expected a power of two, got ${describe(alignment)}`);
    this.checkOpen("allocate");
    // What alignment may lose at a chunk's beginning.
    const need = bytes + Math.max(0, alignment - CHUNK_ALIGNMENT);
    if (!this.enterKept(need) && !this.enterNew(Math.max(need, 1))) return 0;
    const at = this.next + (-this.next & (alignment - 1));
    this.next = at + bytes;
    return at;
  }

  /** Goes on in a chunk that is there from before a reset, if one has room. */
  private enterKept(need: number): boolean {
    for (let index = this.current + 1; index < this.chunks.length; index++) {
      const chunk = this.chunks[index] as Chunk;
      if (chunk.bytes < need) continue;
      // Those that were passed over come later: what lies before the current one is in use.
      this.chunks.splice(index, 1);
      this.chunks.splice(this.current + 1, 0, chunk);
      this.goTo(this.current + 1, chunk.at);
      return true;
    }
    return false;
  }

  /** Gets a chunk from the source: twice the largest one, or half of that, and so on down to the need. */
  private enterNew(need: number): boolean {
    const room = this.room();
    if (need > room) return false;
    const largest = this.chunks.reduce((most, { bytes }) => Math.max(most, bytes), this.firstBytes / 2);
    const wish = Math.min(2 * largest, room);
    const chunk = takeChunk(this.source, { need, wish, unit: 1, alignment: CHUNK_ALIGNMENT });
    if (chunk === undefined) return false;
    // Mostly there is none behind it; splice makes a list of what it took out.
    if (this.current + 1 === this.chunks.length) this.chunks.push(chunk);
    else this.chunks.splice(this.current + 1, 0, chunk);
    this.goTo(this.current + 1, chunk.at);
    return true;
  }

  private resize(at: number, oldBytes: number, newBytes: number, element: Type): number {
    let grown = 0;
    if (isWord(newBytes))
      grown =
        at === 0
          ? this.allocate(newBytes, element.align)
          : this.reallocate(at, oldBytes, newBytes, element.align);
    if (grown === 0 || !this[SPACE].reaches(grown + newBytes))
      throw new OutOfMemoryError(newBytes, `${element.name}[]`);
    this[SPACE].u8.fill(0, grown + oldBytes, grown + newBytes);
    return grown;
  }

  /** All of them, the oldest first. */
  private parts(): Part[] {
    return [...this.marks.map(({ part }) => part), this.part];
  }

  /** The part that has what lies at an address; undefined: nothing of this arena does. */
  private partAt(at: number): Part | undefined {
    const index = chunkAt(this.chunks, at);
    if (index < 0) return this.parts().find((part) => part.holdsAside(at));
    if (index > this.current || (index === this.current && at >= this.next)) return undefined;
    for (let after = this.marks.length - 1; after >= 0; after--) {
      const { chunk, next } = this.marks[after] as Mark;
      if (index > chunk || (index === chunk && at >= next)) return this.marks[after + 1]?.part ?? this.part;
    }
    return this.marks[0]?.part ?? this.part;
  }

  private lifeGone(): Life {
    this.gone ??= new OwnedLife(`its part of ${this.name}`, this);
    this.gone.ended = true;
    return this.gone;
  }

  private finishAll(): void {
    this.part.end();
    while (this.marks.length > 0) (this.marks.pop() as Mark).part.end();
  }

  /** Runs destructors down to a number of them that stay. */
  private destruct(stay = 0): unknown[] {
    this.destructing = true;
    const errors = this.destructors.run(stay);
    this.destructing = false;
    return errors;
  }

  private checkOpen(call: string): void {
    if (this.disposed) throw new TypeError(`${call}: ${this.name} has ended`);
  }

  /** What a destructor would begin or end here, the one who called it is about to. */
  private checkCalm(call: string): void {
    if (this.destructing) throw new TypeError(`${call}: the destructors of ${this.name} are running`);
  }
}

/** A scope in an allocator's memory: what `scope` of heaps and arenas does. */
export function runScope<R>(source: MemorySource, body: (scope: Scope<never>) => R): R {
  if (typeof body !== "function") throw new TypeError(`scope: expected a function, got ${describe(body)}`);
  const scope = new Bump<never>(source, { name: `scope ${nextNumber()}` });
  let result: R;
  try {
    result = body(scope);
    if (typeof result === "object" && result !== null && "then" in result) {
      // What it does from now on fails, as its scope has ended. That is told here, once.
      silence(result);
      throw new TypeError("scope: expected a function that is done when it returns, got a promise");
    }
    if (scope[SPACE].checking) scope.refuseViews(result);
  } catch (error) {
    endAfter(scope, error);
    throw error;
  }
  scope.dispose();
  return result;
}

/** No unhandled rejection for a promise, of whatever realm. What only has a `then` is left alone: it may begin to work. */
function silence(thenable: object): void {
  try {
    Promise.prototype.then.call(thenable, undefined, () => {});
  } catch {
    // It is none.
  }
}

/** What lies directly in a plain object or an array; no accessor is called. */
function partsOf(value: object): unknown[] {
  const parent: unknown = Object.getPrototypeOf(value);
  // Also those of another realm: there is nothing above Object.prototype.
  const isPlain = parent === null || Object.getPrototypeOf(parent) === null;
  if (!isPlain && !Array.isArray(value)) return [];
  return Object.values(Object.getOwnPropertyDescriptors(value)).map(({ value: one }) => one as unknown);
}

/** Ends a scope whose body threw; if destructors throw as well, all of it is thrown together. */
function endAfter(scope: Bump<never>, error: unknown): void {
  try {
    scope.dispose();
  } catch (second) {
    throw new AggregateError([error, second], `an error in ${scope.name}, and one in its destructors`);
  }
}
