// HeapString: beside strings, at random.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { liveBlocks } from "../../../../test/support/live.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import { Heap, HeapString, UseAfterFreeError } from "../../src/index.ts";

const piece = fc.string({ unit: "grapheme", maxLength: 12 });

describe("a HeapString", () => {
  it("is the string that was put together, whatever the pieces", () => {
    const property = fc.property(fc.array(piece, { maxLength: 40 }), piece, (pieces, wanted) => {
      const heap = Heap.create({ reserve: 0, advance: 0 });
      const string = new HeapString(heap, pieces[0] ?? "");
      for (const one of pieces.slice(1)) string.append(one);
      const whole = pieces.join("");
      const bytes = new TextEncoder().encode(whole);
      expect(string.toString()).toBe(whole);
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

  it("keeps U+FEFF, wherever it stands", () => {
    const heap = Heap.create();
    const string = new HeapString(heap, "\uFEFFid,\uFEFFname");
    expect([string.length, string.toString().length]).toEqual([13, 9]);
    expect([string.slice(0, 3), string.slice(6, 9)]).toEqual(["\uFEFF", "\uFEFF"]);
    expect(string.equals(string.toString())).toBe(true);
    expect(JSON.parse(JSON.stringify(string))).toBe("\uFEFFid,\uFEFFname");
    expect([...string].slice(0, 2)).toEqual(["\uFEFF", "i"]);
    expect([string.indexOf("\uFEFF"), string.indexOf("\uFEFF", 1)]).toEqual([0, 6]);
    expect(HeapString.attach(heap, string.ptr).startsWith("\uFEFF")).toBe(true);
  });

  it("finds an empty string at the next boundary, beyond the end at the end", () => {
    const string = new HeapString(Heap.create(), "aü");
    expect([0, 1, 2, 3, 4, 99].map((begin) => string.indexOf("", begin))).toEqual([0, 1, 3, 3, 3, 3]);
    expect([string.indexOf("ü", 1), string.indexOf("ü", 2), string.indexOf("a", 99)]).toEqual([1, -1, -1]);
    expect(new HeapString(Heap.create()).indexOf("")).toBe(0);
  });

  it("finds what begins as it goes on, from any byte on, and what is longer nowhere", () => {
    const heap = Heap.create();
    const some = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 24 });
    const part = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 6 });
    const property = fc.property(some, part, fc.nat(30), (whole, wanted, begin) => {
      const string = new HeapString(heap, whole);
      expect(string.indexOf(wanted, begin)).toBe(whole.indexOf(wanted, begin));
      expect(string.indexOf(new HeapString(heap, wanted), begin)).toBe(whole.indexOf(wanted, begin));
    });
    fc.assert(property, { seed: seedOf("heap-string"), numRuns: 300 });
  });

  it("has the hash of FNV-1a's own examples", () => {
    const heap = Heap.create();
    const hashes = ["", "a", "foobar"].map((text) => new HeapString(heap, text).hash());
    expect(hashes).toEqual([0x811c_9dc5, 0xe40c_292c, 0xbf9c_f968]);
  });

  it("has U+FFFD for surrogates that have no partner, appended one by one, too", () => {
    const string = new HeapString(Heap.create()).append("\ud83d").append("\ude00");
    expect(string.toString()).toBe("\ufffd\ufffd");
    expect(string.append("\ud83d\ude00").slice(6)).toBe("\u{1f600}");
  });

  it("appends itself, and what another window on it has", () => {
    const heap = Heap.create();
    const string = new HeapString(heap, "ab");
    const other = HeapString.attach(heap, string.ptr);
    expect(string.append(string).append(other).toString()).toBe("abababab");
    other.dispose();
    expect(() => string.append("x")).toThrow(UseAfterFreeError);
    string.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("is found again by its address", () => {
    const heap = Heap.create();
    const string = new HeapString(heap, "kept");
    expect(HeapString.attach(heap, string.ptr).append("!").toString()).toBe("kept!");
    expect(() => new HeapString(heap, 5 as never)).toThrow("HeapString: expected a string, got 5");
  });
});
