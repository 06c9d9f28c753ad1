// Layout: structs are laid out as clang lays them out for wasm32. Some hundred declarations, by hand and by chance, are printed in
// C with a value each, and compiled in one run; sizes, alignments, offsets and every byte of the values are compared.

import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { hasCommand, needs } from "../../../../test/support/c-program.ts";
import {
  anyStruct,
  bitField,
  compileData,
  cType,
  mostBits,
  noise,
  pickValue,
  type StructDecl,
  scalar,
  structOf,
  typeOf,
  WHOLE,
} from "../../../../test/support/layouts.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import { Heap, type StructType } from "../../src/index.ts";

const COUNT = 400;
const hasClang = hasCommand("clang") && hasCommand("wasm-ld");

/** What a reader would doubt first. */
const FIXED: Record<string, StructDecl> = {
  "no fields": structOf(false),
  "padding inside and behind": structOf(false, scalar("u8"), scalar("f64"), scalar("u16")),
  "the same, packed": structOf(true, scalar("u8"), scalar("f64"), scalar("u16")),
  "a struct inside a packed one": structOf(true, scalar("u8"), structOf(false, scalar("u8"), scalar("u32"))),
  "a packed struct inside one": structOf(false, scalar("u8"), structOf(true, scalar("u8"), scalar("u32"))),
  "an array of structs inside a packed one": structOf(true, scalar("u8"), {
    k: "array",
    count: 2,
    of: structOf(false, scalar("u8"), scalar("u64")),
  }),
  "a bit field after a byte": structOf(false, scalar("u8"), bitField("u32", 3)),
  "a bit field that would cross its unit": structOf(false, bitField("u32", 30), bitField("u32", 3)),
  "bit fields of several types": structOf(
    false,
    bitField("u8", 3),
    bitField("u16", 9),
    bitField("i32", 5),
    bitField("u64", 40),
    bitField("bool", 1),
  ),
  "a byte after bit fields": structOf(false, bitField("u32", 3), scalar("u8")),
  "a width of 0 between": structOf(false, bitField("u32", 3), bitField("u32", 0), bitField("u32", 3)),
  "a width of 0, packed": structOf(true, bitField("u8", 3), bitField("u32", 0), bitField("u8", 3)),
  "a width of 0 first": structOf(false, bitField("u64", 0), bitField("u8", 3)),
  "a width of 0 last": structOf(false, scalar("u8"), bitField("u64", 0)),
  "a width of 0 after a byte": structOf(false, scalar("u8"), bitField("u32", 0), scalar("u8")),
  "packed bit fields across their units": structOf(
    true,
    bitField("u8", 5),
    bitField("u64", 61),
    bitField("i16", 13),
    bitField("i32", 31),
  ),
  "a union of a byte and a double": structOf(false, scalar("u8"), {
    k: "union",
    variants: [scalar("u8"), scalar("f64")],
  }),
  strings: structOf(false, scalar("u8"), { k: "utf8", bytes: 3 }, { k: "text" }, { k: "utf8", bytes: 0 }),
};
for (const type of Object.keys(WHOLE) as (keyof typeof WHOLE)[])
  for (let width = 1; width <= mostBits(type); width += type.endsWith("64") ? 7 : 1) {
    FIXED[`a byte, then ${type} : ${width}, twice`] = structOf(
      false,
      scalar("u8"),
      bitField(type, width),
      bitField(type, width),
    );
    FIXED[`the same with ${width}, packed`] = structOf(
      true,
      bitField("bool", 1),
      bitField(type, width),
      bitField(type, width),
    );
  }

describe.skipIf(!needs(hasClang, "clang lld"))("a struct's layout is clang's for wasm32", () => {
  const seed = seedOf("layouts");
  const decls = [...Object.values(FIXED), ...fc.sample(anyStruct(3), { seed, numRuns: COUNT })];
  const types = decls.map((decl) => typeOf(decl) as StructType<Record<string, never>>);
  const next = noise(seed);
  const values = decls.map((decl) => pickValue(decl, next));
  let compiled: ReturnType<typeof compileData>;
  let clang: Uint32Array;

  /** The fields that have an offset in C. */
  const plainFields = (decl: StructDecl) =>
    decl.fields.flatMap((field, index) => (field.k === "bits" ? [] : [`f${index}`]));

  beforeAll(() => {
    const numbers = decls.map((decl, index) => {
      const offsets = plainFields(decl).map((name) => `offsetof(struct s${index}, ${name})`);
      return [`sizeof(struct s${index})`, `_Alignof(struct s${index})`, ...offsets];
    });
    const source = [
      "#include <stdint.h>\n#include <stddef.h>",
      ...decls.map((decl, index) => `${cType(decl, "").replace("{", `s${index} {`)};`),
      `const unsigned layout[] = {${numbers.flat().join(",\n")}};`,
      // An empty struct's object would have no bytes, and perhaps another's address.
      ...values.map(
        ({ c }, index) => `const struct { struct s${index} it; char end; } v${index} = {${c}, 0};`,
      ),
    ].join("\n");
    compiled = compileData(source);
    clang = new Uint32Array(compiled.memory.buffer, compiled.addresses["layout"], numbers.flat().length);
  });

  it("in size, alignment and offsets", () => {
    let at = 0;
    for (const [index, decl] of decls.entries()) {
      const type = types[index] as StructType<Record<string, never>>;
      const names = plainFields(decl);
      const ours = [type.size, type.align, ...names.map((name) => type.offsets[name])];
      expect(ours, cType(decl, "")).toEqual([...clang.subarray(at, at + ours.length)]);
      at += ours.length;
    }
    expect(at).toBe(clang.length);
  });

  it("in every byte of what is written, bit fields included", () => {
    const heap = Heap.create();
    for (const [index, decl] of decls.entries()) {
      const type = types[index] as StructType<Record<string, never>>;
      const ref = heap.new(type, values[index]?.js as never) as unknown as { ptr: number };
      const theirs = new Uint8Array(compiled.memory.buffer, compiled.addresses[`v${index}`], type.size);
      expect([...heap.u8(ref.ptr, type.size)], cType(decl, `s = ${values[index]?.c}`)).toEqual([...theirs]);
    }
  });

  it("in what is read of the bytes that C has written", () => {
    const heap = Heap.create({ memory: compiled.memory, alone: true, checking: false });
    for (const [index, decl] of decls.entries()) {
      const type = types[index] as StructType<Record<string, never>>;
      const ref = heap.ref(type, compiled.addresses[`v${index}`] as never) as unknown as {
        toJSON(): unknown;
      };
      expect(ref.toJSON(), cType(decl, "")).toEqual(values[index]?.js);
    }
  });
});
