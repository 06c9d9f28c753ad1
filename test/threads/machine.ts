// Machine: the kernel's machine.ts in a memory that several threads of one simulation touch. A call stops before an access, so that
// another thread's call can go on there, and the memory can be put back to what it was.
//
// The order of accesses is one for all threads: what a processor or an engine puts off is not tried.

import { Clocks } from "./clocks.ts";

/** Its calls stop before every access that `stops` says. */
export type Stops = (machine: Machine, index: number) => boolean;

/** For calls that nobody interrupts, and that are not part of what is tried. */
export const NEVER: Stops = () => false;

type Operation =
  | "load32"
  | "store32"
  | "loadShared"
  | "storeShared"
  | "exchange"
  | "compareExchange"
  | "orShared"
  | "andShared"
  | "addShared";

/** What a call consists of: it stops by yielding. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

export class Refused extends Error {
  readonly code: number;

  constructor(code: number, address: number) {
    super(`refused: code ${code} at 0x${address.toString(16)}`);
    this.code = code;
  }
}

/** A call of an allocator is done in so many accesses, or it never will be. */
const MOST_ACCESSES = 200_000;
/** What a thread knows when a function begins, and when one has ended; no word has these numbers. */
const ENTERED = -1;
const RETURNED = -2;
/** Where the memory's size stands: no heap begins at 0. */
const AT_SIZE = 0;

/** One to one on words, and unlike for words that are alike. */
function mix(word: number, salt: number): number {
  let h = Math.imul(word ^ salt, 0x9e37_79b1);
  h = Math.imul(h ^ (h >>> 15), 0x85eb_ca77);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae3d);
  return h ^ (h >>> 16);
}

/** The words, and what is known of them: what changed since `begin`, and who touched them in which order. */
export class Words {
  readonly words: Uint32Array;
  readonly clocks: Clocks;
  /** Two sums over what was changed: equal where the same words have the same values. */
  sum = 0;
  sum2 = 0;
  private log: number[] = [];

  constructor(bytes: number, size: number) {
    this.words = new Uint32Array(bytes / 4);
    this.clocks = new Clocks(bytes / 4);
    this.words[AT_SIZE] = size;
  }

  read(index: number): number {
    const word = this.words[index];
    if (word === undefined) throw new Error(`an access behind the memory, at 0x${(index * 4).toString(16)}`);
    return word;
  }

  write(index: number, value: number): void {
    const before = this.read(index);
    const now = value >>> 0;
    if (now === before) return;
    this.log.push(index, before);
    this.words[index] = now;
    this.sum ^= mix(before, index) ^ mix(now, index);
    this.sum2 ^= mix(before, ~index) ^ mix(now, ~index);
  }

  /** What is there now is what `restore` brings back. */
  begin(): void {
    this.log = [];
    this.sum = 0;
    this.sum2 = 0;
    this.clocks.begin();
  }

  restore(): void {
    for (let at = this.log.length - 2; at >= 0; at -= 2) {
      this.words[this.log[at] as number] = this.log[at + 1] as number;
    }
    this.begin();
  }
}

export class Machine {
  readonly threads = true;
  thread = 0;
  readonly memory: Words;
  /** Which of the threads it is that has this machine, from 0. */
  readonly number: number;
  stops: Stops;
  /**
   * Two sums over what the thread knows: what has been read in each function that is under way, and what others have returned to it.
   * What it does next depends on nothing else but the memory.
   */
  past = 0;
  past2 = 0;
  /** Is told of each access at which the call could have stopped. */
  trace: ((line: string) => void) | undefined;
  private readonly most: number;
  /** What was known when the functions began that are under way. */
  private callers: number[] = [];
  private accesses = 0;
  private index = 0;
  private first = 0;
  private second = 0;
  private stopped = false;

  constructor(memory: Words, number: number, stops: Stops) {
    this.memory = memory;
    this.number = number;
    this.stops = stops;
    this.most = memory.words.length * 4;
  }

  /** In the kernel, words that were taken out of the machine: here, the machine. */
  get words(): Machine {
    return this;
  }

  /** As at the beginning, before another run. */
  reset(): void {
    this.past = 0;
    this.past2 = 0;
    this.callers = [];
    this.accesses = 0;
  }

  /** A function begins. */
  enter(): void {
    this.callers.push(this.past, this.past2);
    this.learn(ENTERED, 0);
  }

  /** It has ended: all that is left of what it knew is what it returns. */
  back<Result>(result: Result): Result {
    this.past2 = this.callers.pop() as number;
    this.past = this.callers.pop() as number;
    this.learn(typeof result === "number" ? result : Number(result === true), RETURNED);
    return result;
  }

  private learn(what: number, where: number): void {
    this.past = mix(what, this.past ^ where);
    this.past2 = mix(what, this.past2 ^ ~where);
  }

  /** Says what is accessed next. True: another thread may go on before. */
  ready(address: number, first = 0, second = 0): boolean {
    if ((address & 3) !== 0) throw new Error(`an access to 0x${address.toString(16)}, which is no word`);
    this.accesses += 1;
    if (this.accesses > MOST_ACCESSES) throw new Error(`a call that does not end`);
    this.index = address >>> 2;
    this.first = first;
    this.second = second;
    this.stopped = this.stops(this, this.index);
    return this.stopped;
  }

  load32(): number {
    return this.did("load32", this.memory.read(this.index));
  }

  store32(): void {
    this.did("store32", this.memory.read(this.index), this.first);
  }

  loadShared(): number {
    return this.did("loadShared", this.memory.read(this.index));
  }

  storeShared(): void {
    this.did("storeShared", this.memory.read(this.index), this.first);
  }

  exchange(): number {
    return this.did("exchange", this.memory.read(this.index), this.first);
  }

  compareExchange(): number {
    const found = this.memory.read(this.index);
    return this.did("compareExchange", found, found === this.first >>> 0 ? this.second : found);
  }

  orShared(): number {
    const found = this.memory.read(this.index);
    return this.did("orShared", found, found | this.first);
  }

  andShared(): number {
    const found = this.memory.read(this.index);
    return this.did("andShared", found, found & this.first);
  }

  addShared(): number {
    const found = this.memory.read(this.index);
    return this.did("addShared", found, found + this.first);
  }

  private did(what: Operation, found: number, now?: number): number {
    const { index, memory } = this;
    if (this.stops !== NEVER) this.tell(what, now !== undefined && now >>> 0 !== found);
    if (now !== undefined) memory.write(index, now);
    this.learn(what === "store32" || what === "storeShared" ? 0 : found, index);
    if (this.trace !== undefined && this.stopped) {
      const change = now === undefined || now >>> 0 === found ? "" : ` -> ${(now >>> 0).toString(16)}`;
      this.trace(`${this.number} ${what} ${(index * 4).toString(16)}: ${found.toString(16)}${change}`);
    }
    return found;
  }

  private tell(what: Operation, changes: boolean): void {
    const { clocks } = this.memory;
    const plain = what === "load32" || what === "store32";
    const loads = what === "load32" || what === "loadShared" || (what === "compareExchange" && !changes);
    if (loads) clocks.reads(this.number, this.index);
    else clocks.writes(this.number, this.index);
    if (!plain && what !== "storeShared") clocks.takes(this.number, this.index);
    if (!plain && !loads) clocks.leaves(this.number, this.index);
  }

  *zero(at: number, bytes: number): Steps<void> {
    this.enter();
    for (let to = at; to < at + bytes; to += 4) {
      if (this.ready(to, 0)) yield;
      this.store32();
    }
  }

  *copy(to: number, from: number, bytes: number): Steps<void> {
    this.enter();
    for (let done = 0; done < bytes; done += 4) {
      if (this.ready(from + done)) yield;
      const word = this.load32();
      if (this.ready(to + done, word)) yield;
      this.store32();
    }
  }

  *size(): Steps<number> {
    this.enter();
    if (this.ready(AT_SIZE)) yield;
    return this.loadShared();
  }

  *grow(bytes: number): Steps<number> {
    this.enter();
    if (this.ready(AT_SIZE, bytes)) yield;
    const fits = this.memory.read(AT_SIZE) + bytes <= this.most;
    this.first = fits ? bytes : 0;
    const from = this.addShared();
    return fits ? from : 0;
  }

  release(): void {}

  /** All threads see all of the memory. */
  reaches(end: number): boolean {
    return end <= this.most;
  }

  clz(word: number): number {
    return Math.clz32(word);
  }

  ctz(word: number): number {
    return 31 - Math.clz32(word & -word);
  }

  divide(dividend: number, divisor: number): number {
    return (dividend / divisor) >>> 0;
  }

  abort(code: number, address: number): never {
    throw new Refused(code, address);
  }
}

// What the kernel takes from machine.ts besides. The first two are never called: scheduled.ts writes accesses in their place.

export function load32(_words: Machine, _address: number): number {
  throw new Error("load32 was to be replaced");
}

export function store32(_words: Machine, _address: number, _value: number): void {
  throw new Error("store32 was to be replaced");
}

export function multiply(a: number, b: number): number {
  return Math.imul(a, b) >>> 0;
}

export function rotate(word: number, by: number): number {
  return ((word >>> by) | (word << -by)) >>> 0;
}
