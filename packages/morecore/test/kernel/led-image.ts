// Led image: a heap that has something of everything, as bytes to be damaged: slabs full, half empty and unused, holes in many bins,
// three segments with others' memory between them, a top.

import { Heap } from "../../src/heap/either.ts";
import {
  AT_BINS,
  AT_CLASSES,
  AT_SEGMENT,
  CLASS_BYTES_LOG2,
  CLASS_COUNT,
  HEADER_BYTES,
  NEXT,
  PREVIOUS,
  SEGMENT_END,
  SEGMENT_NEXT,
  SLAB_BYTES,
} from "../../src/kernel/layout.ts";

const WASM_PAGE = 65_536;
const CLASS_BYTES = 1 << CLASS_BYTES_LOG2;

export interface HeapImage {
  readonly bytes: Uint8Array;
  readonly base: number;
  /** Blocks that are live in it. */
  readonly live: readonly number[];
  /** Where the heap keeps what leads it, by kinds: a kind of few words is damaged as often as one of many. */
  readonly led: Readonly<Record<string, readonly number[]>>;
}

export function heapImage(random: (bound: number) => number): HeapImage {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const heap = Heap.create({ memory, base: 4096, advance: 0 });
  const live: number[] = [];
  // Each time more than was freed the time before, so that the heap has to go on behind the others.
  for (const share of [2, 3, 5]) {
    const small = Array.from({ length: 50 * share }, () => heap.malloc(1 + random(256)));
    const large = Array.from({ length: 12 * share }, () => heap.malloc(257 + random(2000)));
    const others = memory.grow(1) * WASM_PAGE;
    for (const ptr of [...small, ...large]) {
      if (random(2) === 0) heap.free(ptr);
      else live.push(ptr);
    }
    new Uint32Array(memory.buffer, others, WASM_PAGE / 4).fill(0x5555_5555);
  }
  // A class whose slabs have no live block any more.
  const unused = Array.from({ length: 40 }, () => heap.malloc(240));
  for (const ptr of unused) heap.free(ptr);
  heap.check();
  const bytes = new Uint8Array(memory.buffer).slice();
  return { bytes, base: heap.base, live, led: ledWords(heap) };
}

function ledWords(heap: Heap): HeapImage["led"] {
  const words = new Uint32Array(heap.buffer);
  const word = (at: number): number => words[at >>> 2] as number; // inside the memory
  const range = (from: number, bytes: number): number[] =>
    Array.from({ length: bytes / 4 }, (_, index) => from + 4 * index);
  const segments: number[] = [];
  const fenceposts: number[] = [];
  for (let at = heap.base + HEADER_BYTES; ; at = word(at + SEGMENT_NEXT)) {
    segments.push(...range(at, SEGMENT_END + 4));
    if (at === word(heap.base + AT_SEGMENT)) break;
    fenceposts.push(word(at + SEGMENT_END) - 4);
  }
  const headers: number[] = [];
  const links: number[] = [];
  const own: number[] = [];
  heap.inspectAll(({ address, ptr, size, state }) => {
    if (address === ptr) return;
    headers.push(address);
    if (state === "free") links.push(address + NEXT, address + PREVIOUS, address + size - 4);
    // A descriptor, the map's beginning, or a slab's few bytes that are no block's.
    if (state === "overhead") own.push(...range(ptr, SLAB_BYTES));
  });
  return {
    options: range(heap.base, AT_CLASSES + CLASS_BYTES),
    classes: range(heap.base + AT_CLASSES + CLASS_BYTES, CLASS_COUNT * CLASS_BYTES),
    bins: range(heap.base + AT_BINS, HEADER_BYTES - AT_BINS),
    segments,
    fenceposts,
    headers,
    links,
    own,
  };
}
