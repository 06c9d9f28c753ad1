import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Heap } from "../../morecore/src/heap/either.ts";
import { TraceRecorder } from "../src/record/record.ts";
import { replay } from "../src/replay/replay.ts";
import { decodeTrace, encodeTrace, KIND, recordsOf } from "../src/trace/format.ts";

/** The records of what was recorded, without the fields that say nothing. */
function records(recorder: TraceRecorder): unknown[] {
  return [...recordsOf(decodeTrace(recorder.bytes()))].map(({ kind, slot, size, alignment }) => {
    if (kind === KIND.free) return { kind, slot };
    return kind === KIND.aligned ? { kind, slot, size, alignment } : { kind, slot, size };
  });
}

describe("a recorder", () => {
  it("gives each live block a slot, and takes the last released first", () => {
    const recorder = new TraceRecorder();
    recorder.malloc(0x100, 10);
    recorder.calloc(0x200, 20);
    recorder.aligned(0x300, 64, 30);
    recorder.free(0x100);
    recorder.free(0x200);
    recorder.malloc(0x400, 40);
    recorder.malloc(0x500, 50);
    expect(records(recorder)).toEqual([
      { kind: KIND.malloc, slot: 0, size: 10 },
      { kind: KIND.calloc, slot: 1, size: 20 },
      { kind: KIND.aligned, slot: 2, size: 30, alignment: 64 },
      { kind: KIND.free, slot: 0 },
      { kind: KIND.free, slot: 1 },
      { kind: KIND.malloc, slot: 1, size: 40 },
      { kind: KIND.malloc, slot: 0, size: 50 },
    ]);
  });

  it("keeps a block's slot when realloc moves it", () => {
    const recorder = new TraceRecorder();
    recorder.malloc(0x100, 10);
    recorder.realloc(0x100, 0x900, 1000);
    recorder.realloc(0x900, 0x900, 500);
    recorder.free(0x100);
    recorder.free(0x900);
    expect(records(recorder)).toEqual([
      { kind: KIND.malloc, slot: 0, size: 10 },
      { kind: KIND.realloc, slot: 0, size: 1000 },
      { kind: KIND.realloc, slot: 0, size: 500 },
      { kind: KIND.free, slot: 0 },
    ]);
  });

  it("leaves out failed calls and the free of NULL", () => {
    const recorder = new TraceRecorder();
    recorder.malloc(0x100, 10);
    recorder.malloc(0, 1 << 30);
    recorder.calloc(0, 1 << 30);
    recorder.aligned(0, 16, 1 << 30);
    recorder.realloc(0x100, 0, 1 << 30);
    recorder.realloc(0, 0, 1 << 30);
    recorder.free(0);
    expect(records(recorder)).toEqual([{ kind: KIND.malloc, slot: 0, size: 10 }]);
    expect(recorder.liveBytes).toBe(10);
  });

  it("records realloc(NULL, n) as malloc", () => {
    const recorder = new TraceRecorder();
    recorder.realloc(0, 0x100, 24);
    expect(records(recorder)).toEqual([{ kind: KIND.malloc, slot: 0, size: 24 }]);
  });

  it("records realloc(p, 0) as free, and the smallest block that it may give as malloc(0)", () => {
    const recorder = new TraceRecorder();
    recorder.malloc(0x100, 10);
    recorder.realloc(0x100, 0x100, 0);
    recorder.malloc(0x200, 20);
    recorder.realloc(0x200, 0, 0);
    expect(records(recorder)).toEqual([
      { kind: KIND.malloc, slot: 0, size: 10 },
      { kind: KIND.free, slot: 0 },
      { kind: KIND.malloc, slot: 0, size: 0 },
      { kind: KIND.malloc, slot: 1, size: 20 },
      { kind: KIND.free, slot: 1 },
    ]);
    expect(recorder.liveCount).toBe(1);
  });

  it("takes the realloc of a block from before the recording for a malloc, and its free for nothing", () => {
    const recorder = new TraceRecorder();
    recorder.realloc(0x700, 0x800, 70);
    recorder.free(0x700);
    expect(records(recorder)).toEqual([{ kind: KIND.malloc, slot: 0, size: 70 }]);
  });

  it("records an alignment that is no power of two as the next one", () => {
    const recorder = new TraceRecorder();
    recorder.aligned(0x100, 48, 1);
    expect(records(recorder)).toEqual([{ kind: KIND.aligned, slot: 0, size: 1, alignment: 64 }]);
  });

  it("refuses an address that has a live block already", () => {
    const recorder = new TraceRecorder();
    recorder.malloc(0x100, 10);
    expect(() => recorder.malloc(0x100, 10)).toThrow("expected an address without a live block, got 256");
  });

  it("counts what is live, and its peak, and the bytes that were asked for", () => {
    const recorder = new TraceRecorder();
    recorder.malloc(0x100, 100);
    recorder.malloc(0x200, 200);
    recorder.free(0x100);
    recorder.realloc(0x200, 0x200, 150);
    expect(recorder).toMatchObject({ opCount: 4, liveCount: 1, liveBytes: 150, peakLiveBytes: 300 });
    expect(decodeTrace(recorder.bytes())).toMatchObject({
      slotCount: 2,
      threadCount: 1,
      peakLiveBytes: 300,
      totalAllocatedBytes: 450,
    });
  });

  it("gives an empty trace before the first call", () => {
    expect(new TraceRecorder().bytes()).toEqual(encodeTrace([]));
  });

  it("stops at its size with a whole trace, and goes on counting", () => {
    const recorder = new TraceRecorder({ maxBytes: 60 });
    for (let block = 1; block <= 10; block++) recorder.malloc(block * 16, 100);
    expect(recorder.isCut).toBe(true);
    expect(recorder.bytes().length).toBeLessThanOrEqual(60);
    const trace = decodeTrace(recorder.bytes());
    expect(trace.opCount).toBeGreaterThan(0);
    expect(trace.peakLiveBytes).toBe(trace.opCount * 100);
    expect(recorder.peakLiveBytes).toBe(1000);
  });

  it("only counts when it may keep nothing", () => {
    const recorder = new TraceRecorder({ maxBytes: 0 });
    recorder.malloc(0x100, 100);
    expect(recorder).toMatchObject({ opCount: 0, liveBytes: 100 });
    expect(recorder.bytes()).toEqual(encodeTrace([]));
  });

  it("holds more slots and bytes than it had room for at first", () => {
    const recorder = new TraceRecorder();
    const count = 300_000;
    for (let block = 1; block <= count; block++) recorder.malloc(block * 16, 70_000);
    const trace = decodeTrace(recorder.bytes());
    expect(trace).toMatchObject({ opCount: count, slotCount: count, peakLiveBytes: count * 70_000 });
  });

  it("makes of any calls on a heap a trace that replays with the same peak", () => {
    const call = fc.record({
      kind: fc.constantFrom("malloc", "calloc", "realloc", "aligned", "free"),
      size: fc.nat(5000),
      pick: fc.nat(1000),
      alignmentLog2: fc.nat(8),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 200 }), (calls) => {
        const heap = Heap.create();
        const recorder = new TraceRecorder();
        const blocks: number[] = [];
        for (const { kind, size, pick, alignmentLog2 } of calls) {
          const at = pick % Math.max(blocks.length, 1);
          const old = blocks[at] ?? 0;
          if (kind === "malloc") recorder.malloc(last(blocks, heap.malloc(size)), size);
          else if (kind === "calloc") recorder.calloc(last(blocks, heap.calloc(1, size)), size);
          else if (kind === "aligned") {
            const alignment = 2 ** alignmentLog2;
            recorder.aligned(last(blocks, heap.memalign(alignment, size)), alignment, size);
          } else if (kind === "realloc") {
            if (old !== 0) blocks.splice(at, 1);
            recorder.realloc(old, last(blocks, heap.realloc(old, size)), size);
          } else {
            heap.free(old);
            blocks.splice(at, 1);
            recorder.free(old);
          }
        }
        expect(recorder.liveCount).toBe(blocks.length);
        const result = replay(decodeTrace(recorder.bytes()), Heap.create());
        expect(result.errors).toEqual([]);
        expect(result.peakLiveBytes).toBe(recorder.peakLiveBytes);
      }),
    );
  });
});

function last(blocks: number[], ptr: number): number {
  blocks.push(ptr);
  return ptr;
}
