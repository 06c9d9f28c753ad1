// Clocks: which words threads touch without one having waited for the other: only there does it matter who comes first.
//
// Each thread has a clock for each thread: how far it knows of that one's steps (Lamport, vector clocks). A shared store leaves the
// thread's clocks at the word, a shared load takes them over, and what changes a word in one step does both. Two accesses to a word,
// one of them a write, are in no order if the later thread does not know of the earlier access.

const MOST_THREADS = 4;
/** Of a word that was written to: the thread's number above, its clock below. */
const CLOCK_BITS = 28;
const CLOCK = (1 << CLOCK_BITS) - 1;

export class Clocks {
  /** 1 for each word that threads have touched in no order, in any run so far. */
  readonly unordered: Uint8Array;
  private readonly written: Uint32Array;
  private readonly read: Uint32Array;
  private touched: number[] = [];
  private known: number[][] = [];
  private left = new Map<number, readonly number[]>();

  constructor(words: number) {
    this.unordered = new Uint8Array(words);
    this.written = new Uint32Array(words);
    this.read = new Uint32Array(words * MOST_THREADS);
    this.begin();
  }

  /** Before a run: nobody has done anything. */
  begin(): void {
    for (const index of this.touched) {
      this.written[index] = 0;
      this.read.fill(0, index * MOST_THREADS, (index + 1) * MOST_THREADS);
    }
    this.touched = [];
    this.left.clear();
    const threads = Array.from({ length: MOST_THREADS }, (_, thread) => thread);
    this.known = threads.map((thread) => threads.map((other) => (other === thread ? 1 : 0)));
  }

  reads(thread: number, index: number): void {
    const known = this.known[thread] as number[];
    this.touched.push(index);
    if (!this.knowsWrite(known, thread, index)) this.unordered[index] = 1;
    this.read[index * MOST_THREADS + thread] = known[thread] as number;
  }

  writes(thread: number, index: number): void {
    const known = this.known[thread] as number[];
    this.touched.push(index);
    if (!this.knowsWrite(known, thread, index)) this.unordered[index] = 1;
    for (let other = 0; other < MOST_THREADS; other++) {
      const read = this.read[index * MOST_THREADS + other] as number;
      if (other !== thread && read > (known[other] as number)) this.unordered[index] = 1;
    }
    this.written[index] = (((thread + 1) << CLOCK_BITS) | (known[thread] as number)) >>> 0;
  }

  /** A shared load: the thread knows what those knew who have stored there. */
  takes(thread: number, index: number): void {
    const left = this.left.get(index);
    if (left === undefined) return;
    const known = this.known[thread] as number[];
    for (const [other, clock] of left.entries()) if (clock > (known[other] as number)) known[other] = clock;
  }

  /** A shared store: whoever loads it will know what the thread knows. */
  leaves(thread: number, index: number): void {
    const known = this.known[thread] as number[];
    this.left.set(index, [...known]);
    known[thread] = (known[thread] as number) + 1;
  }

  private knowsWrite(known: readonly number[], thread: number, index: number): boolean {
    const written = this.written[index] as number;
    const writer = (written >>> CLOCK_BITS) - 1;
    return written === 0 || writer === thread || (written & CLOCK) <= (known[writer] as number);
  }
}
