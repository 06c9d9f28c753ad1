// @morecore/inspect/pictures: what a heap looks like.

export { CHUNK_STATES, type ChunkState, type HeapMap, takeHeapMap } from "../replay/heap-map.ts";
export { replaySvg } from "./replay-svg.ts";
export { element, line, type Sheet, sheet, text, translated } from "./svg.ts";
export { formatBytes, formatCount } from "./units.ts";
