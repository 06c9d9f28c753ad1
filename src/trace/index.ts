// morecore/trace: what programs ask of malloc, recorded, read and played again.

export { readTraceFile, writeTraceFile } from "./file.ts";
export {
  decodeTrace,
  encodeTrace,
  KIND,
  type Kind,
  recordsOf,
  type Trace,
  TraceFormatError,
  type TraceRecord,
} from "./format.ts";
export { type Allocator, findPeak, playCalls, releaseAll } from "./play.ts";
export { type RecorderOptions, TraceRecorder } from "./record.ts";
export {
  type ReplayError,
  type ReplayHeap,
  type ReplayOptions,
  type ReplayResult,
  type ReplaySample,
  replay,
} from "./replay.ts";
