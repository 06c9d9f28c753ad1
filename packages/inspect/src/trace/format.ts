// Format: allocation traces as bytes, and back.
//
// Owns:       morecore trace v1, described in traces/FORMAT.md; the bytes after gunzip.
// Needs:      ledger.
// Invariants: F1  a Trace that decodeTrace returned keeps every promise of the format: counts, slot order,
//                 sizes, peak and total; so a player needs no check of its own          O(bytes), once
//             F2  decodeTrace(encodeTrace(records)) has the same records
//
// Columns, not objects: a trace has millions of records, and a player reads them in a loop that is timed.

import { SlotLedger } from "./ledger.ts";

/** The kinds of records, by name. */
export const KIND = { malloc: 0, calloc: 1, realloc: 2, free: 3, aligned: 4 } as const;
/** The number of a kind of records. */
export type Kind = (typeof KIND)[keyof typeof KIND];
const KIND_NAMES = ["malloc", "calloc", "realloc", "free", "aligned"] as const;

/** One run of one program, a record per call, in columns of length `opCount`. */
export interface Trace {
  /** How many records there are. */
  readonly opCount: number;
  /** How many slots they use: the most blocks that were live at once. */
  readonly slotCount: number;
  /** How many threads made the calls. */
  readonly threadCount: number;
  /** The most bytes that were live at once, as they were asked for. */
  readonly peakLiveBytes: number;
  /** All bytes that were asked for. */
  readonly totalAllocatedBytes: number;
  /** A KIND for each record. */
  readonly kinds: Uint8Array;
  /** Threads in order of their first call; 15 stands for the sixteenth and all later ones. */
  readonly threads: Uint8Array;
  /** A slot for each record. */
  readonly slots: Uint32Array;
  /** Bytes asked for; 0 for a free. */
  readonly sizes: Uint32Array;
  /** A power of two for kind aligned; 0 for the others. */
  readonly alignments: Uint32Array;
}

/** One call. */
export interface TraceRecord {
  /** Which call. */
  readonly kind: Kind;
  /** Which block: the lowest number that was free. */
  readonly slot: number;
  /** Bytes asked for; none for a free. */
  readonly size?: number;
  /** A power of two, for the kind `aligned`. */
  readonly alignment?: number;
  /** Which thread made it. Default 0. */
  readonly thread?: number;
}

/**
 * Bytes that are not a whole, sound trace. The message says what is wrong and where, in one line.
 *
 * @example
 *
 * ```ts
 * try {
 *   decodeTrace(new Uint8Array(3));
 * } catch (error) {
 *   console.log(error instanceof TraceFormatError && error.layer); // trace
 * }
 * ```
 */
export class TraceFormatError extends Error {
  override readonly name = "TraceFormatError";
  /** The byte of `layer` where it was noticed. */
  readonly offset: number;
  /** "trace": the decompressed bytes. "file": those on disk, when the compression itself is broken. */
  readonly layer: "trace" | "file";

  constructor(what: string, offset: number, layer: "trace" | "file" = "trace") {
    super(`${what} (byte ${offset} of the ${layer})`);
    this.offset = offset;
    this.layer = layer;
  }
}

export const HEADER_BYTES = 40;
const MAGIC = [...new TextEncoder().encode("MCTRACE1")];
const AT_OP_COUNT = 8;
const AT_SLOT_COUNT = 12;
const AT_THREAD_COUNT = 16;
const AT_FLAGS = 20;
const AT_PEAK_LIVE_BYTES = 24;
const AT_TOTAL_ALLOCATED_BYTES = 32;
/** A free of a small slot: tag and one varint byte. */
const MIN_RECORD_BYTES = 2;
/** The thread index that stands for all later ones too. */
const LAST_THREAD = 15;
const WORD = 2 ** 32;

interface Header {
  readonly opCount: number;
  readonly slotCount: number;
  readonly threadCount: number;
  readonly peakLiveBytes: number;
  readonly totalAllocatedBytes: number;
}

/**
 * Reads a trace and verifies all that the format promises. Throws TraceFormatError. O(bytes).
 *
 * @example
 *
 * ```ts
 * const bytes = encodeTrace([{ kind: KIND.malloc, slot: 0, size: 10 }]);
 * console.log(decodeTrace(bytes).sizes[0]); // 10
 * ```
 */
export function decodeTrace(bytes: Uint8Array): Trace {
  const header = decodeHeader(bytes);
  const { opCount } = header;
  const trace: Trace = {
    ...header,
    kinds: new Uint8Array(opCount),
    threads: new Uint8Array(opCount),
    slots: new Uint32Array(opCount),
    sizes: new Uint32Array(opCount),
    alignments: new Uint32Array(opCount),
  };
  const cursor = new Cursor(bytes, HEADER_BYTES);
  const ledger = new SlotLedger(header.slotCount);
  let threadsSeen = 0;
  for (let index = 0; index < opCount; index++) {
    cursor.record = index;
    const thread = decodeRecord(cursor, ledger, trace, index);
    if (thread > threadsSeen) cursor.fail(`thread ${thread} calls before thread ${threadsSeen} has`);
    if (thread === threadsSeen) threadsSeen++;
  }
  if (cursor.at < bytes.length) {
    const extra = bytes.length - cursor.at;
    throw new TraceFormatError(`${extra} bytes follow the last of ${opCount} records`, cursor.at);
  }
  checkHeader(header, ledger, threadsSeen);
  return trace;
}

/**
 * Writes records as a trace; the header's figures are counted on the way. `threadCount` is needed only when records
 * were decoded from a trace of more than 16 threads. Throws RangeError for a record that the format does not allow.
 *
 * @example
 *
 * ```ts
 * const bytes = encodeTrace([{ kind: KIND.malloc, slot: 0, size: 10 }]);
 * console.log(decodeTrace(bytes).opCount); // 1
 * ```
 */
export function encodeTrace(records: Iterable<TraceRecord>, threadCount = 0): Uint8Array {
  const all = [...records];
  const ledger = new SlotLedger(all.length);
  const out: number[] = [];
  let threadsSeen = 0;
  all.forEach((record, index) => {
    const { kind, slot, size = 0, thread = 0 } = record;
    const wrong = wrongRecord(record, threadsSeen) ?? applyRecord(ledger, kind, slot, size);
    if (wrong !== undefined) throw new RangeError(`record ${index}: ${KIND_NAMES[kind]} ${wrong}`);
    if (thread === threadsSeen) threadsSeen++;
    putRecord(out, record);
  });
  const header = encodeHeader(all.length, Math.max(threadsSeen, threadCount), ledger);
  const bytes = new Uint8Array(HEADER_BYTES + out.length);
  bytes.set(header);
  bytes.set(out, HEADER_BYTES);
  return bytes;
}

/** Where bytes are put one by one: an array, or what record.ts has. */
export interface ByteSink {
  push(byte: number): unknown;
}

/** Puts a record that keeps the format's rules. */
export function putRecord(out: ByteSink, record: TraceRecord): void {
  const { kind, slot, size = 0, alignment = 0, thread = 0 } = record;
  out.push((Math.min(thread, LAST_THREAD) << 4) | kind);
  putVarint(out, slot);
  if (kind === KIND.aligned) putVarint(out, alignment);
  if (kind !== KIND.free) putVarint(out, size);
}

/** The header of a trace whose records have been played on a ledger. */
export function encodeHeader(opCount: number, threadCount: number, ledger: SlotLedger): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(AT_OP_COUNT, opCount, true);
  view.setUint32(AT_SLOT_COUNT, ledger.slotCount, true);
  view.setUint32(AT_THREAD_COUNT, threadCount, true);
  view.setBigUint64(AT_PEAK_LIVE_BYTES, BigInt(ledger.peakLiveBytes), true);
  view.setBigUint64(AT_TOTAL_ALLOCATED_BYTES, BigInt(ledger.totalAllocatedBytes), true);
  return bytes;
}

/**
 * The records of a trace, one object each: for tests and tools, not for loops that are timed.
 *
 * @example
 *
 * ```ts
 * const trace = decodeTrace(encodeTrace([{ kind: KIND.calloc, slot: 0, size: 10 }]));
 * for (const { kind, size } of recordsOf(trace)) console.log(kindName(kind), size); // calloc 10
 * ```
 */
export function* recordsOf(trace: Trace): Generator<Required<TraceRecord>> {
  for (let index = 0; index < trace.opCount; index++) {
    yield {
      kind: kindOf(trace.kinds[index] ?? -1) ?? KIND.malloc,
      slot: trace.slots[index] ?? 0,
      size: trace.sizes[index] ?? 0,
      alignment: trace.alignments[index] ?? 0,
      thread: trace.threads[index] ?? 0,
    };
  }
}

/**
 * What a kind is called in messages.
 *
 * @example
 *
 * ```ts
 * console.log(kindName(KIND.realloc)); // realloc
 * ```
 */
export function kindName(kind: number): string {
  return KIND_NAMES[kind] ?? `kind ${kind}`;
}

/** A place in the bytes, and the record that it belongs to. */
class Cursor {
  record = 0;
  at: number;
  readonly #bytes: Uint8Array;
  #start = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  tag(): number {
    this.#start = this.at;
    const byte = this.#bytes[this.at++];
    if (byte === undefined) this.#failShort();
    return byte;
  }

  /** An unsigned LEB128 number, which has to fit 32 bits. */
  varint(what: string): number {
    const start = this.at;
    let value = 0;
    let unit = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) this.#failShort();
      value += (byte & 127) * unit;
      unit *= 128;
      if (byte < 128) {
        if (value < WORD) return value;
        this.at = start;
        this.fail(`the ${what} does not fit 32 bits`);
      }
    }
    this.at = start;
    return this.fail(`the ${what} has more than 10 bytes`);
  }

  fail(what: string): never {
    throw new TraceFormatError(`record ${this.record}: ${what}`, this.at);
  }

  /** For what is wrong with the record as a whole: points at its tag. */
  failRecord(what: string): never {
    throw new TraceFormatError(`record ${this.record}: ${what}`, this.#start);
  }

  #failShort(): never {
    const end = this.#bytes.length;
    throw new TraceFormatError(`truncated: the bytes end inside record ${this.record}`, end);
  }
}

/** Throws a TraceFormatError if no trace begins like these bytes, which may be a trace's first few. O(1). */
export function checkMagic(bytes: Uint8Array): void {
  if (MAGIC.slice(0, bytes.length).every((byte, at) => bytes[at] === byte)) return;
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw new TraceFormatError(`not a morecore trace: it starts with ${start}, not with "MCTRACE1"`, 0);
}

function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length === 0) throw new TraceFormatError("empty: no header", 0);
  checkMagic(bytes);
  if (bytes.length < HEADER_BYTES) {
    throw new TraceFormatError(`truncated: ends inside the ${HEADER_BYTES}-byte header`, bytes.length);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = {
    opCount: view.getUint32(AT_OP_COUNT, true),
    slotCount: view.getUint32(AT_SLOT_COUNT, true),
    threadCount: view.getUint32(AT_THREAD_COUNT, true),
    peakLiveBytes: Number(view.getBigUint64(AT_PEAK_LIVE_BYTES, true)),
    totalAllocatedBytes: Number(view.getBigUint64(AT_TOTAL_ALLOCATED_BYTES, true)),
  };
  const flags = view.getUint32(AT_FLAGS, true);
  if (flags !== 0) throw new TraceFormatError(`flags are ${flags}, and only 0 is known`, AT_FLAGS);
  // Both before any array is made: a count that cannot be must not cost memory.
  const most = Math.floor((bytes.length - HEADER_BYTES) / MIN_RECORD_BYTES);
  if (header.opCount > most) {
    const what = `truncated: the header announces ${header.opCount} records, the bytes have room for ${most}`;
    throw new TraceFormatError(what, bytes.length);
  }
  if (header.slotCount > header.opCount) {
    const what = `the header announces ${header.slotCount} slots for ${header.opCount} records`;
    throw new TraceFormatError(what, AT_SLOT_COUNT);
  }
  return header;
}

/** Reads the next record into the columns and plays it on the ledger. Returns its thread. */
function decodeRecord(cursor: Cursor, ledger: SlotLedger, trace: Trace, index: number): number {
  const tag = cursor.tag();
  const kind = kindOf(tag & 15);
  if (kind === undefined) return cursor.failRecord(`unknown call ${tag & 15}`);
  const slot = cursor.varint("slot");
  const alignment = kind === KIND.aligned ? cursor.varint("alignment") : 0;
  const size = kind === KIND.free ? 0 : cursor.varint("size");
  if (kind === KIND.aligned && !isPowerOfTwo(alignment)) {
    cursor.failRecord(`alignment ${alignment} is not a power of two`);
  }
  if (kind === KIND.realloc && size === 0) cursor.failRecord("realloc to 0 bytes");
  const wrong = applyRecord(ledger, kind, slot, size);
  if (wrong !== undefined) cursor.failRecord(`${KIND_NAMES[kind]} ${wrong}`);
  trace.kinds[index] = kind;
  trace.threads[index] = tag >>> 4;
  trace.slots[index] = slot;
  trace.sizes[index] = size;
  // Seldom written, the column takes no memory where it stays zero.
  if (alignment !== 0) trace.alignments[index] = alignment;
  return tag >>> 4;
}

/** The figures of the header against those that the records gave. */
function checkHeader(header: Header, ledger: SlotLedger, threadsSeen: number): void {
  const differs = (what: string, stated: number, counted: number, offset: number): void => {
    if (stated === counted) return;
    throw new TraceFormatError(`the header states ${what} ${stated}, the records make it ${counted}`, offset);
  };
  differs("slotCount", header.slotCount, ledger.slotCount, AT_SLOT_COUNT);
  differs("peakLiveBytes", header.peakLiveBytes, ledger.peakLiveBytes, AT_PEAK_LIVE_BYTES);
  const total = ledger.totalAllocatedBytes;
  differs("totalAllocatedBytes", header.totalAllocatedBytes, total, AT_TOTAL_ALLOCATED_BYTES);
  // Index 15 is written for the sixteenth thread and all later ones, so then the records only give a lower bound.
  const many = threadsSeen > LAST_THREAD && header.threadCount > threadsSeen;
  if (!many) differs("threadCount", header.threadCount, threadsSeen, AT_THREAD_COUNT);
}

function applyRecord(ledger: SlotLedger, kind: Kind, slot: number, size: number): string | undefined {
  if (kind === KIND.free) return ledger.release(slot);
  if (kind === KIND.realloc) return ledger.resize(slot, size);
  return ledger.take(slot, size);
}

/** What the format does not allow in a record to be written, the slot order aside. */
function wrongRecord(record: TraceRecord, threadsSeen: number): string | undefined {
  const { kind, size = 0, alignment = 0, thread = 0 } = record;
  if (!Number.isInteger(size) || size < 0 || size >= WORD) return `has size ${size}`;
  if (kind === KIND.realloc && size === 0) return "has size 0";
  if (kind === KIND.free && size !== 0) return `has size ${size}`;
  if (kind === KIND.aligned ? !isPowerOfTwo(alignment) : alignment !== 0) return `has alignment ${alignment}`;
  if (!Number.isInteger(thread) || thread < 0 || thread > threadsSeen) return `has thread ${thread}`;
  return undefined;
}

function putVarint(out: ByteSink, value: number): void {
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
}

function kindOf(code: number): Kind | undefined {
  switch (code) {
    case KIND.malloc:
    case KIND.calloc:
    case KIND.realloc:
    case KIND.free:
    case KIND.aligned:
      return code;
    default:
      return undefined;
  }
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < WORD && (value & (value - 1)) === 0;
}
