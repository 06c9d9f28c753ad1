// Sequence: calls to an allocator, in a form that can be mutated, written in a line, and played.
//
// Owns:       bursts, their text, and what a number of a block means.
// Needs:      any allocator.
// Invariants: Q1  every list of bursts is a sequence: what it names is taken modulo what is live
//             Q2  parse(format(bursts)) are the same bursts
//
//   m100          malloc(100)                  a64:100     memalign(64, 100)
//   m100*20       the same twenty times        f7          frees live block 7, counted from the oldest
//   m100+16*20    of 100, 116, 132 … bytes     f0+1*20     frees 0, then 1 of those that are left, then 2 …: every other
//   c100          calloc                       r7:100      realloc of block 7, r7+1:100*20 of 7, 8, 9 …

import type { Allocator } from "@morecore/inspect";

export const CALLS = { m: "malloc", c: "calloc", a: "aligned", r: "realloc", f: "free" } as const;
export type Letter = keyof typeof CALLS;

/** The same call some times, with a number that goes up. */
export interface Burst {
  readonly letter: Letter;
  /** Which block, of r and f. */
  readonly which: number;
  /** Asked for; 0 of f. */
  readonly bytes: number;
  /** A power of two, of a; else 0. */
  readonly alignment: number;
  /** What is added each time: to which, of r and f; to bytes, of others. */
  readonly step: number;
  readonly times: number;
}

/** Told before each call that is made, and after it. */
export interface Watcher {
  before(): void;
  after(letter: Letter, bytes: number): void;
}

interface Live {
  readonly ptr: number;
  readonly bytes: number;
}

/** Sequences may not go on for ever; a heap in a small buffer is full before. */
const MOST_CALLS = 5000;

/** Plays on a heap that nobody else uses; what is live at the end stays so. Returns how many calls were made. */
export function playSequence(bursts: readonly Burst[], heap: Allocator, watcher: Watcher): number {
  const live: Live[] = [];
  let calls = 0;
  for (const burst of bursts) {
    const isOfBlock = burst.letter === "f" || burst.letter === "r";
    for (let time = 0; time < burst.times && calls < MOST_CALLS; time++) {
      if (!isOfBlock) allocate(burst, burst.bytes + burst.step * time, live, heap, watcher);
      else if (live.length > 0)
        change(burst, (burst.which + burst.step * time) % live.length, live, heap, watcher);
      else break;
      calls++;
    }
  }
  return calls;
}

function allocate(
  { letter, alignment }: Burst,
  bytes: number,
  live: Live[],
  heap: Allocator,
  watcher: Watcher,
): void {
  let ptr: number;
  watcher.before();
  if (letter === "m") ptr = heap.malloc(bytes);
  else if (letter === "c") ptr = heap.calloc(1, bytes);
  else ptr = heap.memalign(alignment, bytes);
  watcher.after(letter, bytes);
  if (ptr !== 0) live.push({ ptr, bytes });
}

/** Frees or resizes the block at an index of those that are live. */
function change(
  { letter, bytes }: Burst,
  index: number,
  live: Live[],
  heap: Allocator,
  watcher: Watcher,
): void {
  const block = live[index] as Live; // the index is below the length
  watcher.before();
  if (letter === "f") {
    heap.free(block.ptr);
    watcher.after(letter, block.bytes);
    live.splice(index, 1);
    return;
  }
  const ptr = heap.realloc(block.ptr, bytes);
  watcher.after(letter, bytes);
  if (ptr !== 0) live[index] = { ptr, bytes };
}

export function formatSequence(bursts: readonly Burst[]): string {
  return bursts.map(formatBurst).join(" ");
}

function formatBurst({ letter, which, bytes, alignment, step, times }: Burst): string {
  const plus = step === 0 ? "" : `+${step}`;
  const star = times === 1 ? "" : `*${times}`;
  if (letter === "f") return `f${which}${plus}${star}`;
  if (letter === "r") return `r${which}${plus}:${bytes}${star}`;
  return `${letter}${letter === "a" ? `${alignment}:` : ""}${bytes}${plus}${star}`;
}

const BURST =
  /^(?:(?<letter>[mc])(?<size>\d+)|a(?<alignment>\d+):(?<aligned>\d+)|(?<named>[fr])(?<which>\d+))(?:\+(?<step>\d+))?(?::(?<resized>\d+))?(?:\*(?<times>\d+))?$/;

/** Throws a RangeError that names the burst that it cannot read. */
export function parseSequence(text: string): Burst[] {
  return text.split(/\s+/).filter(Boolean).map(parseBurst);
}

function parseBurst(text: string): Burst {
  const found = BURST.exec(text)?.groups;
  const letter = found?.["letter"] ?? found?.["named"] ?? "a";
  if (found === undefined || !isLetter(letter) || (letter === "r") !== (found["resized"] !== undefined))
    throw new RangeError(
      `${text}: expected m100, m100+16*20, c100, a64:100, r7:100 or f7, as --help has them`,
    );
  const number = (name: string, otherwise: number): number => Number(found[name] ?? otherwise);
  const alignment = number("alignment", 0);
  if (letter === "a" && (alignment === 0 || alignment > 2 ** 31 || (alignment & (alignment - 1)) !== 0))
    throw new RangeError(`${text}: the alignment must be a power of two, got ${alignment}`);
  const bytes = Number(found["size"] ?? found["aligned"] ?? found["resized"] ?? 0);
  const burst = {
    letter,
    which: number("which", 0),
    bytes,
    alignment,
    step: number("step", 0),
    times: number("times", 1),
  };
  if (bytes + burst.step * burst.times > 2 ** 32 - 1)
    throw new RangeError(`${text}: its bytes do not fit into 32 bits`);
  return burst;
}

function isLetter(text: string): text is Letter {
  return text in CALLS;
}
