// HeapString: beside strings, at random.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Heap, HeapString } from "../../src/index.ts";
import { liveBlocks } from "../support/live.ts";
import { seedOf } from "../support/seed.ts";

const piece = fc.string({ unit: "grapheme", maxLength: 12 });

describe("a HeapString", () => {
  it("is the string that was put together, whatever the pieces", () => {
    const property = fc.property(fc.array(piece, { maxLength: 40 }), piece, (pieces, wanted) => {
      const heap = Heap.create({ reserve: 0, advance: 0 });
      const string = new HeapString(heap, pieces[0] ?? "");
      for (const one of pieces.slice(1)) string.append(one);
      const whole = pieces.join("");
      const bytes = new TextEncoder().encode(whole);
      expect(string.toString()).toBe(new TextDecoder("utf-8", { ignoreBOM: false }).decode(bytes));
      expect(string.length).toBe(bytes.length);
      expect(Array.from(string.view())).toEqual(Array.from(bytes));
      const at = whole.indexOf(wanted);
      if (at >= 0) expect(string.indexOf(wanted)).toBe(new TextEncoder().encode(whole.slice(0, at)).length);
      else expect(string.indexOf(wanted)).toBe(-1);
      expect(string.equals(whole)).toBe(true);
      expect(string.startsWith(pieces[0] ?? "")).toBe(true);
      expect(string.equals(`${whole}!`)).toBe(false);
      expect([...string].join("")).toBe(string.toString());
      const other = new HeapString(heap, whole);
      expect(other.hash()).toBe(string.hash());
      string.append(other);
      expect(string.length).toBe(2 * bytes.length);
      other.dispose();
      string.dispose();
      heap.check();
      expect(liveBlocks(heap)).toBe(0);
    });
    fc.assert(property, { seed: seedOf("heap-string"), numRuns: 100 });
  });

  it("is cut at boundaries of characters only", () => {
    const string = new HeapString(Heap.create(), "grün");
    expect(string.slice(0, 2)).toBe("gr");
    expect(string.slice(2, 4)).toBe("ü");
    expect(() => string.slice(3)).toThrow("begin: byte 3 is inside a character");
    expect(() => string.truncate(9)).toThrow("length: expected 0 to 5 bytes, got 9");
    string.truncate(4);
    expect(JSON.stringify({ string })).toBe('{"string":"grü"}');
  });

  it("is found again by its address", () => {
    const heap = Heap.create();
    const string = new HeapString(heap, "kept");
    expect(HeapString.attach(heap, string.ptr).append("!").toString()).toBe("kept!");
    expect(() => new HeapString(heap, 5 as never)).toThrow("HeapString: expected a string, got 5");
  });
});
