import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeTrace,
  encodeTrace,
  KIND,
  recordsOf,
  TraceFormatError,
  type TraceRecord,
} from "../src/trace/format.ts";

const SMALL: readonly TraceRecord[] = [
  { kind: KIND.malloc, slot: 0, size: 100 },
  { kind: KIND.calloc, slot: 1, size: 300, thread: 1 },
  { kind: KIND.realloc, slot: 0, size: 5000 },
  { kind: KIND.free, slot: 1 },
  { kind: KIND.aligned, slot: 1, size: 0, alignment: 64 },
  { kind: KIND.free, slot: 0 },
];

const AT_FIRST_RECORD = 40;

function broken(change: (bytes: Uint8Array) => Uint8Array): TraceFormatError {
  try {
    decodeTrace(change(encodeTrace(SMALL)));
  } catch (error) {
    if (error instanceof TraceFormatError) return error;
    throw error;
  }
  throw new Error("the broken bytes were taken for a trace");
}

/** The bytes with some of them replaced, from an offset on. */
function patched(offset: number, ...values: number[]): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    bytes.set(values, offset);
    return bytes;
  };
}

/** A header that fits, and these record bytes. */
function withRecords(opCount: number, slotCount: number, ...records: number[]): () => Uint8Array {
  return () => {
    const bytes = new Uint8Array(AT_FIRST_RECORD + records.length);
    bytes.set(encodeTrace([]).subarray(0, AT_FIRST_RECORD));
    new DataView(bytes.buffer).setUint32(8, opCount, true);
    new DataView(bytes.buffer).setUint32(12, slotCount, true);
    bytes.set(records, AT_FIRST_RECORD);
    return bytes;
  };
}

describe("a trace that was encoded", () => {
  it("decodes to the same records and the figures that they add up to", () => {
    const trace = decodeTrace(encodeTrace(SMALL));
    const full = SMALL.map((record) => ({ size: 0, alignment: 0, thread: 0, ...record }));
    expect([...recordsOf(trace)]).toEqual(full);
    expect(trace).toMatchObject({
      opCount: 6,
      slotCount: 2,
      threadCount: 2,
      peakLiveBytes: 5300,
      totalAllocatedBytes: 5400,
    });
  });

  it("has the bytes that the format describes", () => {
    const bytes = encodeTrace(SMALL);
    expect(new TextDecoder().decode(bytes.subarray(0, 8))).toBe("MCTRACE1");
    expect([...bytes.subarray(AT_FIRST_RECORD)]).toEqual([
      ...[0, 0, 100],
      ...[0x11, 1, 0xac, 0x02],
      ...[2, 0, 0x88, 0x27],
      ...[3, 1],
      ...[4, 1, 64, 0],
      ...[3, 0],
    ]);
  });

  it("keeps a run without calls", () => {
    expect(decodeTrace(encodeTrace([]))).toMatchObject({ opCount: 0, slotCount: 0, threadCount: 0 });
  });

  it("keeps the largest size and alignment that fit 32 bits", () => {
    const record = { kind: KIND.aligned, slot: 0, size: 2 ** 32 - 1, alignment: 2 ** 31, thread: 0 };
    expect([...recordsOf(decodeTrace(encodeTrace([record])))]).toEqual([record]);
  });

  it("keeps the number of threads beyond the sixteenth", () => {
    const records = Array.from({ length: 16 }, (_, thread) => ({ kind: KIND.malloc, slot: thread, thread }));
    expect(decodeTrace(encodeTrace(records)).threadCount).toBe(16);
    expect(decodeTrace(encodeTrace(records, 32)).threadCount).toBe(32);
  });

  it("survives the round trip whatever the program does", () => {
    const step = fc.record({ kind: fc.nat(4), pick: fc.nat(), size: fc.nat(2 ** 31), log2: fc.nat(31) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const records = playable(steps);
        const encoded = encodeTrace(records);
        expect([...recordsOf(decodeTrace(encoded))]).toEqual(records);
        expect(encodeTrace(recordsOf(decodeTrace(encoded)))).toEqual(encoded);
      }),
    );
  });
});

/** Turns arbitrary steps into records that keep the slot order, found here the slow and plain way. */
function playable(
  steps: readonly { kind: number; pick: number; size: number; log2: number }[],
): TraceRecord[] {
  const live: number[] = [];
  const released: number[] = [];
  let slots = 0;
  return steps.map(({ kind, pick, size, log2 }) => {
    const at = pick % Math.max(1, live.length);
    const chosen = live[at];
    if (kind === KIND.free && chosen !== undefined) {
      live.splice(at, 1);
      released.push(chosen);
      return { kind, slot: chosen, size: 0, alignment: 0, thread: 0 };
    }
    if (kind === KIND.realloc && chosen !== undefined) {
      return { kind, slot: chosen, size: size + 1, alignment: 0, thread: 0 };
    }
    const slot = released.pop() ?? slots++;
    live.push(slot);
    if (kind === KIND.aligned) return { kind, slot, size, alignment: 2 ** log2, thread: 0 };
    return { kind: kind === KIND.calloc ? kind : KIND.malloc, slot, size, alignment: 0, thread: 0 };
  });
}

describe("the encoder refuses by record", () => {
  it.each([
    ["a slot out of order", { kind: KIND.malloc, slot: 5, size: 1 }, "record 0: malloc takes slot 5"],
    ["a free of a slot that is not live", { kind: KIND.free, slot: 0 }, "record 0: free frees slot 0"],
    ["a size beyond 32 bits", { kind: KIND.malloc, slot: 0, size: 2 ** 32 }, "has size 4294967296"],
    ["a realloc to nothing", { kind: KIND.realloc, slot: 0, size: 0 }, "has size 0"],
    [
      "an alignment that is no power of two",
      { kind: KIND.aligned, slot: 0, alignment: 24 },
      "has alignment 24",
    ],
    ["a thread before its turn", { kind: KIND.malloc, slot: 0, thread: 1 }, "has thread 1"],
  ])("%s", (_, record, message) => {
    expect(() => encodeTrace([record])).toThrow(RangeError);
    expect(() => encodeTrace([record])).toThrow(message);
  });
});

describe("the decoder says what is wrong and at which byte", () => {
  it.each([
    ["no bytes", () => new Uint8Array(0), "empty", 0],
    ["a PNG", () => Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), "it starts with 89 50 4e 47", 0],
    ["a foreign file of three bytes", () => Uint8Array.of(1, 2, 3), "it starts with 01 02 03", 0],
    ["another version", patched(7, 0x32), "not a morecore trace", 0],
    [
      "half a magic",
      (bytes: Uint8Array) => bytes.subarray(0, 5),
      "truncated: ends inside the 40-byte header",
      5,
    ],
    ["half a header", (bytes: Uint8Array) => bytes.subarray(0, 39), "truncated: ends inside the 40-byte", 39],
    ["flags", patched(20, 1), "flags are 1", 20],
    ["a header only", (bytes: Uint8Array) => bytes.subarray(0, 40), "announces 6 records", 40],
    ["a cut last record", (bytes: Uint8Array) => bytes.subarray(0, -1), "the bytes end inside record 5", 58],
    ["four thousand million records", patched(8, 255, 255, 255, 255), "announces 4294967295 records", 59],
    ["more slots than records", patched(12, 7), "announces 7 slots for 6 records", 12],
    ["a slot too many", patched(12, 3), "states slotCount 3, the records make it 2", 12],
    ["a slot too few", patched(12, 1), "takes slot 1, but there are only 1 slots", 43],
    ["a thread too many", patched(16, 3), "states threadCount 3, the records make it 2", 16],
    ["another peak", patched(24, 1), "states peakLiveBytes", 24],
    ["another total", patched(32, 1), "states totalAllocatedBytes", 32],
    ["a peak of 2^63", patched(31, 0x80), "states peakLiveBytes", 24],
    [
      "a byte after the end",
      (bytes: Uint8Array) => Uint8Array.of(...bytes, 0),
      "1 bytes follow the last",
      59,
    ],
    ["an unknown call", patched(40, 5), "record 0: unknown call 5", 40],
    ["a thread out of order", patched(40, 0x20), "record 0: thread 2 calls before thread 0 has", 43],
    ["a slot out of order", patched(44, 0), "record 1: calloc takes slot 0, which is live", 43],
    ["a free of a dead slot", withRecords(1, 1, 3, 0), "record 0: free frees slot 0, which is not live", 40],
    [
      "a realloc of a dead slot",
      withRecords(2, 1, 2, 0, 1, 0),
      "realloc resizes slot 0, which is not live",
      40,
    ],
    ["a realloc to nothing", withRecords(2, 1, 0, 0, 9, 2, 0, 0), "record 1: realloc to 0 bytes", 43],
    ["an odd alignment", withRecords(1, 1, 4, 0, 24, 8), "alignment 24 is not a power of two", 40],
    ["an alignment of 0", withRecords(1, 1, 4, 0, 0, 8), "alignment 0 is not a power of two", 40],
    [
      "a size of 2^32",
      withRecords(1, 1, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x10),
      "record 0: the size does not fit 32 bits",
      42,
    ],
    [
      "a varint without an end",
      withRecords(1, 1, 0, ...new Array<number>(11).fill(0x80)),
      "record 0: the slot has more than 10 bytes",
      41,
    ],
  ])("%s", (_, change, message, offset) => {
    const error = broken(change);
    expect(error.message).toContain(message);
    expect(error.message).toContain(`(byte ${offset} of the trace)`);
    expect(error.message).not.toContain("\n");
    expect(error.offset).toBe(offset);
  });

  it("when slots are not taken last released first", () => {
    const twoFreed = [0, 0, 1, 0, 1, 1, 3, 0, 3, 1];
    const error = broken(withRecords(5, 2, ...twoFreed, 0, 0, 1));
    expect(error.message).toContain("record 4: malloc takes slot 0, but slot 1 is the next");
  });

  it("at each place where the bytes may be cut", () => {
    const { length } = encodeTrace(SMALL);
    for (let cut = 0; cut < length; cut++) {
      expect(broken((bytes) => bytes.subarray(0, cut)).message, `cut at ${cut}`).toMatch(
        /^(truncated|empty)/,
      );
    }
  });

  it("and never throws anything else, whichever byte is wrong", () => {
    const sound = encodeTrace(SMALL);
    fc.assert(
      fc.property(fc.nat(sound.length - 1), fc.nat(255), (at, value) => {
        try {
          decodeTrace(patched(at, value)(sound.slice()));
        } catch (error) {
          expect(error).toBeInstanceOf(TraceFormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
