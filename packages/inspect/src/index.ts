// @morecore/inspect: what programs ask of malloc, recorded, read, played again and watched.

export { LiveBlockError, type RecorderOptions, TraceRecorder } from "./record/record.ts";
export { type Allocator, findPeak, playCalls, releaseAll } from "./replay/play.ts";
export {
  type ReplayError,
  type ReplayHeap,
  type ReplayOptions,
  type ReplayResult,
  type ReplaySample,
  replay,
} from "./replay/replay.ts";
export { timeCalls } from "./replay/time.ts";
export { readTraceFile, writeTraceFile } from "./trace/file.ts";
export {
  decodeTrace,
  encodeTrace,
  KIND,
  type Kind,
  kindName,
  recordsOf,
  type Trace,
  TraceFormatError,
  type TraceRecord,
} from "./trace/format.ts";
export { checkLimits, TraceLimitError } from "./trace/limits.ts";
export { openTrace, systemMessage, traceName, whyNoTrace } from "./trace/open.ts";
export { CALL_KINDS, type CallKind, HeapCheckError, HeapWatch } from "./watch/watch.ts";
