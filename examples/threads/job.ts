// Job: what all threads see of the work, as structs in the heap that they share.
//
//  Job ─ text ───→ the bytes of all lines
//      ─ starts ─→ where each line begins, and where the last one ends
//      ─ results → a pointer for each line ─→ Result, made by the thread that has parsed the line
//      ─ next      the first line that nobody has taken yet

import {
  f64,
  fieldPtr,
  type Heap,
  type HeapHandle,
  i32,
  NULL,
  type Ptr,
  rawPointer,
  struct,
  text,
  u8,
  u32,
} from "morecore";
import { startsOf, type Totals } from "./records.ts";

/** What a line has: `Measures`, in the heap. Its texts have memory of their own. */
export const Result = struct({ values: i32, sum: f64, longest: text, error: text }, { name: "Result" });

export const ResultPtr = rawPointer(() => Result);

export const Job = struct(
  {
    text: rawPointer(() => u8),
    bytes: u32,
    starts: rawPointer(() => u32),
    results: rawPointer(() => ResultPtr),
    lines: u32,
    next: u32,
  },
  { name: "Job" },
);

/** What a Worker is given when it starts. */
export interface Given {
  readonly handle: HeapHandle;
  readonly job: Ptr<typeof Job>;
}

/** So many that the threads seldom meet, and so few that all of them end at about the same time. */
const LINES_AT_ONCE = 64;

/** Puts the text of all lines into the heap. Throws an OutOfMemoryError. */
export function makeJob(heap: Heap, bytes: Uint8Array): Ptr<typeof Job> {
  const given = heap.newArray(u8, bytes.length);
  given.view().set(bytes);
  const lineStarts = startsOf(bytes);
  const starts = heap.newArray(u32, lineStarts.length);
  starts.view().set(lineStarts);
  const lines = lineStarts.length - 1;
  const results = heap.newArray(ResultPtr, lines);
  const fields = { text: given.ptr, bytes: bytes.length, starts: starts.ptr, results: results.ptr, lines };
  return heap.new(Job, fields).ptr;
}

/** Takes the next lines: from here, up to before there. No two threads get the same line, and none waits for another. */
export function takeLines(heap: Heap, job: Ptr<typeof Job>, lines: number): [from: number, to: number] {
  const next = heap.u32(fieldPtr(Job, job, "next"), 1);
  const from = Math.min(Atomics.add(next, 0, LINES_AT_ONCE), lines);
  return [from, Math.min(from + LINES_AT_ONCE, lines)];
}

/** Sums up the results of all lines. They are read where the Workers have put them. */
export function sumUp(heap: Heap, job: Ptr<typeof Job>, totals: Totals): void {
  const { results, lines } = heap.ref(Job, job);
  const pointers = heap.refArray(ResultPtr, results, lines);
  for (let line = 0; line < lines; line++) {
    const ptr = pointers.get(line);
    if (ptr !== NULL) totals.add(line, heap.ref(Result, ptr));
  }
}

/** Frees everything, also what the Workers have made. */
export function freeJob(heap: Heap, job: Ptr<typeof Job>): void {
  const all = heap.ref(Job, job);
  const pointers = heap.refArray(ResultPtr, all.results, all.lines);
  for (const ptr of pointers) if (ptr !== NULL) heap.delete(heap.ref(Result, ptr));
  for (const block of [all.results, all.starts, all.text]) heap.free(block);
  heap.delete(all);
}
