// inspect: pictures of a heap.

export { CHUNK_STATES, type ChunkState, type HeapMap, takeHeapMap } from "./heap-map.ts";
export { replaySvg } from "./replay-svg.ts";
