// Heap map: which bytes of a heap are live, overhead, cached, free or top, at one moment.
//
// Owns:       the snapshot of all chunks, and its division into cells of equal size.
// Needs:      a heap's inspectAll.
// Invariants: M1  the cells' bytes, summed by state, are the chunks'                       O(chunks + cells)
//
// Columns, not objects, as a heap may have a million chunks; and copied, as the heap goes on.

/** What a piece of a heap can be, in the order of the numbers in HeapMap.states. */
export const CHUNK_STATES = ["live", "overhead", "cached", "free", "top"] as const;
/** What a piece of a heap is. */
export type ChunkState = (typeof CHUNK_STATES)[number];

/** The part of a heap that can be mapped. */
export interface Inspectable {
  /** Calls a function with each piece, in address order. */
  inspectAll(visit: (chunk: MappedChunk) => void): void;
}

export interface MappedChunk {
  readonly address: number;
  readonly size: number;
  readonly state: ChunkState;
}

/** Where all pieces of a heap lie, at one moment. */
export interface HeapMap {
  /** Chunks in address order. */
  readonly addresses: Float64Array;
  /** Their bytes, headers included. */
  readonly sizes: Float64Array;
  /** Indexes into CHUNK_STATES. */
  readonly states: Uint8Array;
  /** By state. */
  readonly counts: Readonly<Record<ChunkState, number>>;
  /** Chunk bytes, headers included, by state. */
  readonly bytes: Readonly<Record<ChunkState, number>>;
}

/**
 * Copies where all chunks of the heap are. O(chunks).
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * heap.malloc(1000);
 * console.log(takeHeapMap(heap).counts.live); // 1
 * ```
 */
export function takeHeapMap(heap: Inspectable): HeapMap {
  const addresses: number[] = [];
  const sizes: number[] = [];
  const states: number[] = [];
  const counts = { live: 0, overhead: 0, cached: 0, free: 0, top: 0 };
  const bytes = { live: 0, overhead: 0, cached: 0, free: 0, top: 0 };
  heap.inspectAll(({ address, size, state }) => {
    addresses.push(address);
    sizes.push(size);
    states.push(CHUNK_STATES.indexOf(state));
    counts[state]++;
    bytes[state] += size;
  });
  return {
    addresses: Float64Array.from(addresses),
    sizes: Float64Array.from(sizes),
    states: Uint8Array.from(states),
    counts,
    bytes,
  };
}

/** The chunks of a map, laid end to end and cut into cells. */
export interface Cells {
  readonly cellBytes: number;
  readonly cellCount: number;
  /** CHUNK_STATES.length numbers a cell: the bytes of each state in it. */
  readonly stateBytes: Float64Array;
}

/**
 * Cuts a map into at most `mostCells` cells of equal size, a multiple of 16 bytes. The last may be short. Gaps between
 * segments are left out: the cells are the heap's bytes, not the memory's.
 */
export function cellsOf(map: HeapMap, mostCells: number): Cells {
  const total = CHUNK_STATES.reduce((sum, state) => sum + map.bytes[state], 0);
  const cellBytes = Math.max(16, Math.ceil(total / mostCells / 16) * 16);
  const cellCount = Math.ceil(total / cellBytes);
  const stateBytes = new Float64Array(cellCount * CHUNK_STATES.length);
  let at = 0;
  map.sizes.forEach((size, index) => {
    const state = map.states[index] ?? 0;
    for (const end = at + size; at < end; ) {
      const cell = Math.floor(at / cellBytes);
      const until = Math.min(end, (cell + 1) * cellBytes);
      const into = cell * CHUNK_STATES.length + state;
      stateBytes[into] = (stateBytes[into] ?? 0) + until - at;
      at = until;
    }
  });
  return { cellBytes, cellCount, stateBytes };
}
