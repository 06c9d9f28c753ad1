// File: traces on disk. For Node only; format.ts runs anywhere.
//
// Owns:       the gzip around a trace, and saying where it is broken.
// Needs:      format, node:fs, node:zlib.

import { readFileSync, writeFileSync } from "node:fs";
import { constants, gunzipSync, gzipSync, inflateRawSync } from "node:zlib";
import { decodeTrace, type Trace, TraceFormatError } from "./format.ts";

/** A file that inflates to more is no trace that anyone recorded, but it could take all the memory. */
const MAX_TRACE_BYTES = 2 ** 30;

const GZIP_HEADER_BYTES = 10;
const GZIP_TRAILER_BYTES = 8;
const GZIP_HEADER_CHECKSUM = 2;
const GZIP_EXTRA = 4;
const GZIP_NAME = 8;
const GZIP_COMMENT = 16;

/**
 * Reads a trace, gzipped (`.mct.gz`) or plain. Throws TraceFormatError for a file that is truncated, damaged or
 * something else, and Node's own error for one that cannot be read. O(file), and slower only when the file is broken.
 */
export function readTraceFile(path: string): Trace {
  const bytes = readFileSync(path);
  if (bytes.length === 0) throw new TraceFormatError("empty: the file has no bytes", 0, "file");
  return decodeTrace(isGzip(bytes) ? gunzip(bytes) : bytes);
}

/** Writes the bytes of a trace, gzipped unless the name ends in `.mct`. The same bytes make the same file. */
export function writeTraceFile(path: string, trace: Uint8Array): void {
  writeFileSync(
    path,
    path.endsWith(".mct") ? trace : gzipSync(trace, { level: constants.Z_BEST_COMPRESSION }),
  );
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function gunzip(bytes: Uint8Array): Uint8Array {
  let inflated: Inflated;
  try {
    inflated = inflatedBy(gunzipSync(bytes, { info: true, maxOutputLength: MAX_TRACE_BYTES }));
  } catch (error) {
    throw brokenGzip(bytes, error);
  }
  // zlib overlooks zeros at the end of the file.
  if (inflated.engine.bytesWritten < bytes.length) throw extraBytes(bytes, inflated.engine.bytesWritten);
  return inflated.buffer;
}

function brokenGzip(bytes: Uint8Array, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ERR_BUFFER_TOO_LARGE") {
    return new TraceFormatError(`inflates to more than ${MAX_TRACE_BYTES} bytes`, 0, "file");
  }
  if (!(error instanceof Error) || typeof code !== "string" || !code.startsWith("Z_")) return error;
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
    const options = { info: true, maxOutputLength: MAX_TRACE_BYTES };
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
  if (!("buffer" in result && result.buffer instanceof Uint8Array && "engine" in result)) return false;
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
