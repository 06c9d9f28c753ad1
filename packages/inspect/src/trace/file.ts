// File: traces on disk. For Node only; format.ts runs anywhere.
//
// Owns:       the gzip around a trace, saying where it is broken, and how far a file may inflate.
// Needs:      format, node:fs, node:zlib.
// Invariants: Z1  a file that does not begin like a trace is refused after START_BYTES of it       O(1)
//             Z2  no more is inflated than mostInflated says, so memory and time follow from the
//                 file's size, whoever made it
//             Z3  what writeTraceFile writes keeps Z2
//
// Why not inflate and see: a megabyte of gzip can hold a gigabyte, and a gigabyte of records takes seven to decode.

import { closeSync, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { constants, gunzipSync, gzipSync, inflateRawSync } from "node:zlib";
import { isError } from "morecore/engine";
import { checkMagic, decodeTrace, type Trace, TraceFormatError } from "./format.ts";

/** No trace is larger: record.ts stops here. */
const MAX_TRACE_BYTES = 2 ** 30;
/** Of a gzipped trace each byte may stand for so many. The recorded ones have 2 to 16; zeros would have 1030. */
const MOST_INFLATED_RATIO = 32;
/** So far any file may inflate: the trace of a short loop is very regular. */
const ALWAYS_INFLATED_BYTES = 2 ** 24;
/** What is looked at first. Inflated, it has at most 4 MiB. */
const START_BYTES = 4096;
const PART_BYTES = 2 ** 16;

const GZIP_HEADER_BYTES = 10;
const GZIP_TRAILER_BYTES = 8;
const GZIP_HEADER_CHECKSUM = 2;
const GZIP_EXTRA = 4;
const GZIP_NAME = 8;
const GZIP_COMMENT = 16;

/**
 * Reads a trace, gzipped (`.mct.gz`) or plain. Throws TraceFormatError for a file that is truncated, damaged, something
 * else, or inflates too far, and Node's own error for one that cannot be read. Memory and time are O(file); finding where
 * a broken file is broken takes O(file log file).
 *
 * @example
 *
 * ```ts no-run
 * const trace = readTraceFile("traces/lua.mct.gz");
 * console.log(trace.opCount);
 * ```
 */
export function readTraceFile(path: string): Trace {
  const bytes = readBytes(path);
  return decodeTrace(isGzip(bytes) ? gunzip(bytes) : bytes);
}

/**
 * Writes the bytes of a trace, gzipped unless the name ends in `.mct`. The same bytes make the same file.
 *
 * @example
 *
 * ```ts no-run
 * writeTraceFile("mine.mct.gz", encodeTrace([{ kind: KIND.malloc, slot: 0, size: 10 }]));
 * ```
 */
export function writeTraceFile(path: string, trace: Uint8Array): void {
  writeFileSync(path, path.endsWith(".mct") ? trace : compressed(trace));
}

/** Gzip that readTraceFile takes. Huffman's code alone needs at least a bit for each byte: 8 to 1 at most. */
function compressed(trace: Uint8Array): Uint8Array {
  const best = gzipSync(trace, { level: constants.Z_BEST_COMPRESSION });
  if (trace.length <= mostInflated(best.length)) return best;
  return gzipSync(trace, { strategy: constants.Z_HUFFMAN_ONLY });
}

/** How far a file of so many bytes may inflate. */
function mostInflated(fileBytes: number): number {
  return Math.min(Math.max(ALWAYS_INFLATED_BYTES, MOST_INFLATED_RATIO * fileBytes), MAX_TRACE_BYTES);
}

/** All bytes of a file that begins like a trace. What is no regular file, as a pipe, is read the same way. */
function readBytes(path: string): Uint8Array {
  const file = openSync(path, "r");
  try {
    const start = readPart(file, START_BYTES);
    checkStart(start);
    const stat = fstatSync(file);
    if (stat.isFile() && stat.size > MAX_TRACE_BYTES) throw tooLarge(`has ${stat.size}`);
    const parts = [start];
    for (let total = start.length; ; ) {
      const part = readPart(file, PART_BYTES);
      if (part.length === 0) return Buffer.concat(parts, total);
      parts.push(part);
      total += part.length;
      if (total > MAX_TRACE_BYTES) throw tooLarge(`has more than ${MAX_TRACE_BYTES}`);
    }
  } finally {
    closeSync(file);
  }
}

/** So many bytes, fewer at the end of the file. */
function readPart(file: number, most: number): Uint8Array {
  const part = Buffer.alloc(most);
  let count = 0;
  while (count < most) {
    const more = readSync(file, part, count, most - count, null);
    if (more === 0) break;
    count += more;
  }
  return part.subarray(0, count);
}

function tooLarge(has: string): TraceFormatError {
  return new TraceFormatError(
    `too large: it ${has} bytes, a trace at most ${MAX_TRACE_BYTES}`,
    MAX_TRACE_BYTES,
    "file",
  );
}

/** Throws if a file that begins so is no trace, gzipped or not. What does not inflate is left for gunzip to say. */
function checkStart(start: Uint8Array): void {
  if (start.length === 0) throw new TraceFormatError("empty: the file has no bytes", 0, "file");
  if (!isGzip(start)) {
    checkMagic(start);
    return;
  }
  let inflated: Uint8Array;
  try {
    inflated = gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return;
  }
  if (inflated.length > 0) checkMagic(inflated);
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function gunzip(bytes: Uint8Array): Uint8Array {
  let inflated: Inflated;
  try {
    inflated = inflatedBy(gunzipSync(bytes, { info: true, maxOutputLength: mostInflated(bytes.length) }));
  } catch (error) {
    throw brokenGzip(bytes, error);
  }
  // zlib overlooks zeros at the end of the file.
  if (inflated.engine.bytesWritten < bytes.length) throw extraBytes(bytes, inflated.engine.bytesWritten);
  return inflated.buffer;
}

function brokenGzip(bytes: Uint8Array, error: unknown): unknown {
  const code = isError(error) && "code" in error ? error.code : undefined;
  if (code === "ERR_BUFFER_TOO_LARGE") {
    const rule = `expected at most ${MOST_INFLATED_RATIO} times the file's ${bytes.length}, or ${ALWAYS_INFLATED_BYTES}`;
    const what = `inflates to more than ${mostInflated(bytes.length)} bytes: ${rule}; gunzip it to play it all the same`;
    return new TraceFormatError(what, bytes.length, "file");
  }
  if (!isError(error) || typeof code !== "string" || !code.startsWith("Z_")) return error;
  // zlib takes what follows the end for more gzip data, and then finds fault with that.
  const end = memberEnd(bytes);
  if (end < bytes.length && inflates(bytes.subarray(0, end), constants.Z_FINISH))
    return extraBytes(bytes, end);
  if (code === "Z_BUF_ERROR") {
    return new TraceFormatError("truncated: the gzip data ends early", bytes.length, "file");
  }
  const at = shortestPrefix(bytes, (prefix) => !inflates(prefix, constants.Z_SYNC_FLUSH)) - 1;
  return new TraceFormatError(`damaged gzip: ${error.message}`, at, "file");
}

function extraBytes(bytes: Uint8Array, end: number): TraceFormatError {
  return new TraceFormatError(`${bytes.length - end} bytes follow the end of the gzip data`, end, "file");
}

/** Where the first gzip member ends, if it is whole (RFC 1952): header, deflate stream, checksum and length. */
function memberEnd(bytes: Uint8Array): number {
  const flags = bytes[3] ?? 0;
  let at = GZIP_HEADER_BYTES;
  if (flags & GZIP_EXTRA) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  if (flags & GZIP_NAME) at = bytes.indexOf(0, at) + 1;
  if (flags & GZIP_COMMENT) at = bytes.indexOf(0, at) + 1;
  if (flags & GZIP_HEADER_CHECKSUM) at += 2;
  try {
    const options = { info: true, maxOutputLength: mostInflated(bytes.length) };
    return (
      at + inflatedBy(inflateRawSync(bytes.subarray(at), options)).engine.bytesWritten + GZIP_TRAILER_BYTES
    );
  } catch {
    return bytes.length;
  }
}

/** What zlib gives with `info: true`: the contents, and how many bytes of the input they took. */
interface Inflated {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

/** The type of Node's functions does not tell of `info`, so it is looked at. */
function inflatedBy(result: object): Inflated {
  if (isInflated(result)) return result;
  throw new TypeError("zlib does not tell how many bytes it has read");
}

function isInflated(result: object): result is Inflated {
  if (!("buffer" in result && ArrayBuffer.isView(result.buffer) && "engine" in result)) return false;
  const { engine } = result;
  return typeof engine === "object" && engine !== null && "bytesWritten" in engine;
}

/** The length of the shortest prefix that `holds`; it must hold for all longer ones too. */
function shortestPrefix(bytes: Uint8Array, holds: (prefix: Uint8Array) => boolean): number {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(bytes.subarray(0, middle))) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** With Z_SYNC_FLUSH an early end is no error, so it answers: is all of this, as far as it goes, sound? */
function inflates(bytes: Uint8Array, finishFlush: number): boolean {
  try {
    gunzipSync(bytes, { finishFlush, maxOutputLength: MAX_TRACE_BYTES });
    return true;
  } catch {
    return false;
  }
}
