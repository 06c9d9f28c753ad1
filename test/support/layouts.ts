// Layouts: struct declarations that can be made here and printed in C, with a value for each, to be compared with clang.
//
// A declaration is plain data: `typeOf` makes the type from it, `cType` prints it, and `pickValue` picks a value that is the same in
// both. Bit fields occur in structs only, and owned texts and unions not in packed ones, as the library has it.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  array,
  bits,
  bool,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  rawPointer,
  type ScalarType,
  struct,
  type Type,
  text,
  u8,
  u16,
  u32,
  u64,
  union,
  utf8,
} from "morecore";
import { randomFrom } from "./random.ts";

export const WHOLE = { u8, i8, u16, i16, u32, i32, u64, i64, bool };
const SCALARS = { ...WHOLE, f32, f64 };
type WholeName = keyof typeof WHOLE;
type ScalarName = keyof typeof SCALARS;

export type Decl =
  | { readonly k: "scalar"; readonly type: ScalarName }
  | { readonly k: "bits"; readonly type: WholeName; readonly width: number }
  | { readonly k: "pointer" }
  | { readonly k: "text" }
  | { readonly k: "utf8"; readonly bytes: number }
  | { readonly k: "array"; readonly of: Decl; readonly count: number }
  | { readonly k: "union"; readonly variants: readonly Decl[] }
  | StructDecl;

export interface StructDecl {
  readonly k: "struct";
  readonly fields: readonly Decl[];
  readonly packed: boolean;
}

export const scalar = (type: ScalarName): Decl => ({ k: "scalar", type });
export const bitField = (type: WholeName, width: number): Decl => ({ k: "bits", type, width });
export const structOf = (packed: boolean, ...fields: readonly Decl[]): StructDecl => ({
  k: "struct",
  fields,
  packed,
});

/** The most bits that a field of a type can have. */
export function mostBits(type: WholeName): number {
  return type === "bool" ? 1 : WHOLE[type].size * 8;
}

const scalars = fc.constantFrom(...(Object.keys(SCALARS) as ScalarName[])).map(scalar);
const bitFields: fc.Arbitrary<Decl> = fc
  .constantFrom(...(Object.keys(WHOLE) as WholeName[]))
  .chain((type) => fc.integer({ min: 0, max: mostBits(type) }).map((width) => bitField(type, width)));
const plain: fc.Arbitrary<Decl> = fc.oneof(
  { weight: 4, arbitrary: scalars },
  { weight: 1, arbitrary: fc.constant<Decl>({ k: "pointer" }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 9 }).map((bytes): Decl => ({ k: "utf8", bytes })) },
);

/** What a field can be, to a depth; `owning`: also what a packed struct cannot have. */
function anyDecl(depth: number, owning: boolean): fc.Arbitrary<Decl> {
  if (depth === 0) return plain;
  const inner = anyDecl(depth - 1, owning);
  const arrays = fc
    .tuple(inner, fc.integer({ min: 0, max: 3 }))
    .map(([of, count]): Decl => ({ k: "array", of, count }));
  const unions = fc
    .array(inner, { minLength: 1, maxLength: 3 })
    .map((variants): Decl => ({ k: "union", variants }));
  return fc.oneof(
    { weight: 5, arbitrary: plain },
    { weight: 2, arbitrary: arrays },
    { weight: 2, arbitrary: anyStruct(depth, owning) },
    ...(owning
      ? [
          { weight: 1, arbitrary: unions },
          { weight: 1, arbitrary: fc.constant<Decl>({ k: "text" }) },
        ]
      : []),
  );
}

/** Structs with up to eight fields, about half of which are bit fields, and a fifth of them packed. */
export function anyStruct(depth: number, owning = true): fc.Arbitrary<StructDecl> {
  return fc.integer({ min: 0, max: 4 }).chain((dice) => {
    const packed = dice === 0;
    const field = fc.oneof(bitFields, anyDecl(depth - 1, owning && !packed));
    return fc.array(field, { maxLength: 8 }).map((fields): StructDecl => ({ k: "struct", fields, packed }));
  });
}

export function typeOf(decl: Decl): Type {
  switch (decl.k) {
    case "scalar":
      return SCALARS[decl.type];
    case "bits":
      return bits(WHOLE[decl.type] as ScalarType<number>, decl.width);
    case "pointer":
      return rawPointer(() => u8);
    case "text":
      return text;
    case "utf8":
      return utf8(decl.bytes);
    case "array":
      return array(typeOf(decl.of), decl.count);
    case "union":
      return union(named("v", decl.variants, typeOf));
    case "struct":
      return struct(named("f", decl.fields, typeOf), { packed: decl.packed });
  }
}

function named<T>(
  letter: string,
  decls: readonly Decl[],
  make: (decl: Decl, index: number) => T,
): Record<string, T> {
  return Object.fromEntries(decls.map((decl, index) => [`${letter}${index}`, make(decl, index)]));
}

/** A declaration in C: `cType(decl, "x")` declares x. */
export function cType(decl: Decl, name: string): string {
  const field = (letter: string) => (inner: Decl, index: number) => `${cType(inner, `${letter}${index}`)};`;
  switch (decl.k) {
    case "scalar":
      return `${cScalar(decl.type)} ${name}`;
    case "bits":
      return `${cScalar(decl.type)} ${decl.width === 0 ? "" : name} : ${decl.width}`;
    case "pointer":
      return `void *${name}`;
    case "text":
      return `struct { uint32_t at, length; } ${name}`;
    case "utf8":
      return `char ${name}[${decl.bytes}]`;
    case "array":
      return cType(decl.of, `${name}[${decl.count}]`);
    case "union":
      return `struct { uint32_t tag; union { ${decl.variants.map(field("v")).join(" ")} } value; } ${name}`;
    case "struct":
      return `struct ${decl.packed ? "__attribute__((packed)) " : ""}{ ${decl.fields.map(field("f")).join(" ")} } ${name}`;
  }
}

function cScalar(type: ScalarName): string {
  if (type === "f32") return "float";
  if (type === "f64") return "double";
  return type === "bool"
    ? "_Bool"
    : type.replace(/^([iu])(\d+)$/, (_, i, n) => `${i === "u" ? "u" : ""}int${n}_t`);
}

/** A value, and the same as an initializer in C. */
export interface Both {
  readonly js: unknown;
  readonly c: string;
}

/** Picks a value for a declaration: the `n`th of a row that looks like noise. */
export function pickValue(decl: Decl, next: () => number): Both {
  switch (decl.k) {
    case "scalar":
    case "bits":
      return scalarValue(decl.type, decl.k === "bits" ? decl.width : undefined, next);
    case "pointer": {
      const at = next();
      return { js: at, c: `(void *)${at}u` };
    }
    case "text":
      return { js: "", c: "{0, 0}" };
    case "utf8": {
      const codes = Array.from({ length: decl.bytes }, () => 97 + (next() % 26));
      return { js: String.fromCharCode(...codes), c: `{${codes.join(", ")}}` };
    }
    case "array": {
      const all = Array.from({ length: decl.count }, () => pickValue(decl.of, next));
      return { js: all.map(({ js }) => js), c: `{${all.map(({ c }) => c).join(", ")}}` };
    }
    case "union": {
      const tag = next() % decl.variants.length;
      const { js, c } = pickValue(decl.variants[tag] as Decl, next);
      return { js: { tag: `v${tag}`, value: js }, c: `{.tag = ${tag}, .value = {.v${tag} = ${c}}}` };
    }
    case "struct": {
      const all = decl.fields
        .map((field, index) => [`f${index}`, field] as const)
        .filter(([, field]) => field.k !== "bits" || field.width > 0)
        .map(([name, field]) => [name, pickValue(field, next)] as const);
      return {
        js: Object.fromEntries(all.map(([name, { js }]) => [name, js])),
        c: `{${all.map(([name, { c }]) => `.${name} = ${c}`).join(", ")}}`,
      };
    }
  }
}

function scalarValue(type: ScalarName, width: number | undefined, next: () => number): Both {
  if (type === "bool") return boolValue((next() & 1) === 1);
  if (type === "f32" || type === "f64") {
    const value = (next() % 100_000) / 8;
    return { js: value, c: String(value) };
  }
  const count = width ?? SCALARS[type].size * 8;
  const raw = (BigInt(next()) << 32n) | BigInt(next());
  const value = type.startsWith("i") ? BigInt.asIntN(count, raw) : BigInt.asUintN(count, raw);
  const c = `(${cScalar(type)})0x${BigInt.asUintN(64, value).toString(16)}ull`;
  return { js: type.endsWith("64") ? value : Number(value), c };
}

function boolValue(value: boolean): Both {
  return { js: value, c: value ? "1" : "0" };
}

/** 32-bit numbers without end, the same for the same seed. */
export function noise(seed: number): () => number {
  const random = randomFrom(seed);
  return () => random(2 ** 32);
}

/** The memory of a C file that was compiled and linked with nothing, and what it exports. */
export function compileData(source: string): {
  memory: WebAssembly.Memory;
  addresses: Record<string, number>;
} {
  const folder = mkdtempSync(join(tmpdir(), "morecore-layout-"));
  try {
    writeFileSync(join(folder, "data.c"), source);
    execFileSync(
      "clang",
      // Without a standard library: <stdint.h> and <stddef.h> are clang's own.
      [
        "--target=wasm32",
        "-ffreestanding",
        "-nostdlib",
        "-w",
        "-Wl,--no-entry,--export-all",
        "data.c",
        "-o",
        "data.wasm",
      ],
      { cwd: folder, stdio: ["ignore", "pipe", "pipe"] },
    );
    const module = new WebAssembly.Module(readFileSync(join(folder, "data.wasm")));
    const { exports } = new WebAssembly.Instance(module);
    const addresses = Object.entries(exports)
      .filter(([, value]) => value instanceof WebAssembly.Global)
      .map(([name, value]) => [name, Number((value as WebAssembly.Global).value)]);
    return { memory: exports["memory"] as WebAssembly.Memory, addresses: Object.fromEntries(addresses) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
