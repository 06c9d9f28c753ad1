import { describe, expect, it } from "vitest";
import { replaySvg } from "../../inspect/src/pictures/replay-svg.ts";
import { escapeText } from "../../inspect/src/pictures/svg.ts";
import { formatBytes } from "../../inspect/src/pictures/units.ts";
import { CHUNK_STATES, cellsOf, takeHeapMap } from "../../inspect/src/replay/heap-map.ts";
import { replay } from "../../inspect/src/replay/replay.ts";
import { readTraceFile } from "../../inspect/src/trace/file.ts";
import { decodeTrace, encodeTrace, KIND } from "../../inspect/src/trace/format.ts";
import { Heap } from "../../morecore/src/heap/either.ts";

const perl = readTraceFile(new URL("../../../traces/perl-20k.mct.gz", import.meta.url).pathname);

/** The elements that are open at the end, or were closed in the wrong order; none in well-formed text. */
function unbalanced(svg: string): string[] {
  const open: string[] = [];
  for (const [, close, name, self] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (self === "/") continue;
    if (close === "") open.push(name ?? "");
    else if (open.pop() !== name) return [`</${name}>`];
  }
  return open;
}

describe("a heap map", () => {
  it("has the chunks of the heap, in address order, and their bytes by state", () => {
    const heap = Heap.create();
    const kept = heap.malloc(100);
    heap.free(heap.malloc(100_000));
    const map = takeHeapMap(heap);
    expect(map.counts.live).toBe(1);
    expect(map.bytes.live).toBe(112);
    // A slab, its descriptor, the map.
    expect(map.counts.overhead).toBe(3);
    expect([...map.addresses]).toEqual([...map.addresses].sort((a, b) => a - b));
    heap.free(kept);
    expect(map.counts.live).toBe(1);
  });

  it("keeps every byte of each state when it is cut into cells, whatever their number", () => {
    const { peakMap } = replay(perl, Heap.create());
    if (peakMap === undefined) throw new Error("no map");
    for (const most of [1, 7, 100, 3360, 1_000_000]) {
      const { cellBytes, cellCount, stateBytes } = cellsOf(peakMap, most);
      expect(cellCount).toBeLessThanOrEqual(most);
      const states = CHUNK_STATES.length;
      const sums = CHUNK_STATES.map((_, state) =>
        stateBytes.filter((_, index) => index % states === state).reduce((sum, bytes) => sum + bytes, 0),
      );
      expect(sums).toEqual(CHUNK_STATES.map((state) => peakMap.bytes[state]));
      for (let cell = 0; cell < cellCount - 1; cell++) {
        const inCell = stateBytes.subarray(cell * states, (cell + 1) * states);
        expect(inCell.reduce((sum, bytes) => sum + bytes, 0)).toBe(cellBytes);
      }
    }
  });
});

describe("the picture of a replay", () => {
  const picture = replaySvg('a<b>&"c"\u0000', replay(perl, Heap.create()));

  it("is well-formed, and has no number that is none", () => {
    expect(unbalanced(picture)).toEqual([]);
    expect(picture).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("escapes the trace's name", () => {
    expect(picture).toContain("a&lt;b&gt;&amp;&quot;c&quot;\ufffd on morecore");
  });

  it("names the units of both axes, the peak, and each state with its share", () => {
    for (const words of ["KB</text>", "calls played", "peak of live bytes: call"])
      expect(picture).toContain(words);
    for (const state of ["live", "overhead", "cached", "free", "top"]) {
      expect(picture).toMatch(new RegExp(`>${state} \\d+\\.\\d%<`));
    }
  });

  it("has legends that are short enough to stand side by side in any font", () => {
    const figures = Array.from(picture.matchAll(/>([^<]* blocks?)</g), (found) => found[1] ?? "");
    expect(figures).toHaveLength(5);
    for (const words of figures) expect(words.length, words).toBeLessThan(26);
  });

  it("needs nothing from elsewhere", () => {
    expect(picture.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /https?:|<script|<image|@import/,
    );
  });

  it("can be drawn of a trace without calls, and of a heap that broke before its peak", () => {
    const empty = replaySvg("empty", replay(decodeTrace(encodeTrace([])), Heap.create()));
    expect(empty).not.toMatch(/NaN|undefined|Infinity/);
    const one = decodeTrace(encodeTrace([{ kind: KIND.malloc, slot: 0, size: 8 }]));
    const stopped = replaySvg("stopped", {
      ...replay(one, Heap.create()),
      peakMap: undefined,
      stopped: true,
    });
    expect(stopped).toContain("No map: the replay stopped");
    expect([...unbalanced(empty), ...unbalanced(stopped)]).toEqual([]);
  });
});

describe("units", () => {
  it("are powers of ten", () => {
    expect([0, 999, 1000, 229_072, 4_916_919, 3e9].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "1.00 KB",
      "229 KB",
      "4.92 MB",
      "3.00 GB",
    ]);
  });

  it("leave no character in SVG that XML forbids", () => {
    expect(escapeText("\u0001\ud800x\uffff")).toBe("\ufffd\ufffdx\ufffd");
  });
});
