// Binary: what linking reads and changes of a module's bytes without understanding its code.
//
// Owns:  the sections of WebAssembly's binary format: imports, exports, memories, target_features, function names.
// Needs: nothing but a name for bytes.
//
// binaryen does the rest. This is here because its interface cannot rename an import. Also, what is wrong
// with a file must be said before binaryen is asked, which says it in its own words.

import type { OwnBytes } from "morecore";

/**
 * A file is no WebAssembly module, or none that can be used here. The message says why.
 *
 * @example
 *
 * ```ts
 * try {
 *   readSections(new Uint8Array(3));
 * } catch (error) {
 *   console.log(error instanceof WasmFormatError); // true
 * }
 * ```
 */
export class WasmFormatError extends Error {
  override readonly name = "WasmFormatError";
}

export const FUNCTION = 0;
export const TABLE = 1;
export const MEMORY = 2;
export const GLOBAL = 3;
export const TAG = 4;

/** The sections' numbers. */
export const CUSTOM_SECTION = 0;
export const IMPORT_SECTION = 2;
export const FUNCTION_SECTION = 3;
export const MEMORY_SECTION = 5;
export const EXPORT_SECTION = 7;
export const START_SECTION = 8;

/** The tag section has a high number, but its place is before the globals'. */
const TAG_SECTION = 13;
/** The part of the name section that is about functions. */
const FUNCTION_NAMES = 1;

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const HAS_MAXIMUM = 1;
const IS_SHARED = 2;
const IS_64_BIT = 4;
const HAS_PAGE_SIZE = 8;
/** A number of 64 bits, seven to a byte. */
const LONGEST_NUMBER = 10;

export interface Section {
  readonly id: number;
  /** A custom section's name; "" for others. */
  readonly name: string;
  /** The contents: without the section's number and size, and without the name. */
  readonly contents: Uint8Array;
}

export interface Limits {
  readonly minimum: number;
  readonly maximum: number | undefined;
  readonly shared: boolean;
  readonly is64: boolean;
}

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: number;
  /** What follows in the bytes: the type. */
  readonly type: Uint8Array;
  /** Of a memory. */
  readonly limits: Limits | undefined;
}

export interface Export {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

/** A walk over bytes. Reading beyond the end throws. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new WasmFormatError("it ends in the middle of a section");
    this.at += 1;
    return byte;
  }

  /** An unsigned LEB128 number; limits of a 64-bit memory may need more than 32 bits. */
  number(): number {
    let value = 0;
    for (let length = 0; length < LONGEST_NUMBER; length++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 128 ** length;
      if (byte < 0x80) return value;
    }
    throw new WasmFormatError(`it has a number of more than ${LONGEST_NUMBER} bytes`);
  }

  /** How many things follow, each of a byte at least: no list is longer than what it lies in. */
  count(): number {
    const count = this.number();
    if (count > this.bytes.length - this.at) throw new WasmFormatError("it ends in the middle of a section");
    return count;
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new WasmFormatError("it ends in the middle of a section");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(): string {
    return new TextDecoder().decode(this.take(this.number()));
  }

  /** A value or reference type: one byte, or a prefix and a heap type. */
  skipType(): void {
    const prefix = this.byte();
    if (prefix === 0x63 || prefix === 0x64) this.number();
  }

  limits(): Limits {
    const flags = this.byte();
    const minimum = this.number();
    const maximum = (flags & HAS_MAXIMUM) === 0 ? undefined : this.number();
    if ((flags & HAS_PAGE_SIZE) !== 0) this.number();
    return { minimum, maximum, shared: (flags & IS_SHARED) !== 0, is64: (flags & IS_64_BIT) !== 0 };
  }
}

/**
 * The sections of a module, in their order. Throws a WasmFormatError for what is no module or is cut off.
 *
 * @example
 *
 * ```ts
 * const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
 * console.log(readSections(empty).length); // 0
 * ```
 */
export function readSections(bytes: Uint8Array): Section[] {
  if (bytes.length === 0) throw new WasmFormatError("it is no WebAssembly module: it is empty");
  if (HEADER.slice(0, 4).some((byte, index) => bytes[index] !== byte))
    throw new WasmFormatError("it is no WebAssembly module: it does not begin with \\0asm");
  if (HEADER.some((byte, index) => bytes[index] !== byte))
    throw new WasmFormatError(
      bytes[6] === 1
        ? "it is a WebAssembly component, not a module: give the core module that it was made of"
        : "it is no WebAssembly module of version 1",
    );
  const sections: Section[] = [];
  const reader = new Reader(bytes, HEADER.length);
  while (!reader.atEnd) {
    const id = reader.byte();
    const contents = reader.take(reader.number());
    if (id !== CUSTOM_SECTION) {
      sections.push({ id, name: "", contents });
      continue;
    }
    const inside = new Reader(contents);
    const name = inside.text();
    sections.push({ id, name, contents: contents.subarray(inside.at) });
  }
  return sections;
}

/** A module of sections. */
export function writeSections(sections: readonly Section[]): OwnBytes {
  const parts = sections.flatMap(({ id, name, contents }) => {
    const head = id === CUSTOM_SECTION ? text(name) : [];
    return [Uint8Array.of(id, ...number(head.length + contents.length), ...head), contents];
  });
  return concat([Uint8Array.from(HEADER), ...parts]);
}

export function readImports(sections: readonly Section[]): Import[] {
  const section = sections.find(({ id }) => id === IMPORT_SECTION);
  return section === undefined ? [] : readList(section.contents, readImport);
}

export function readExports(sections: readonly Section[]): Export[] {
  const section = sections.find(({ id }) => id === EXPORT_SECTION);
  if (section === undefined) return [];
  return readList(section.contents, (r) => ({ name: r.text(), kind: r.byte(), index: r.number() }));
}

/**
 * The memories of a module, the imported first, as they are numbered.
 *
 * @example
 *
 * ```ts
 * const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
 * console.log(readMemories(readSections(empty)).length); // 0
 * ```
 */
export function readMemories(sections: readonly Section[]): Limits[] {
  const imported = readImports(sections).flatMap(({ limits }) => limits ?? []);
  const own = sections.find(({ id }) => id === MEMORY_SECTION);
  return own === undefined ? imported : [...imported, ...readList(own.contents, (r) => r.limits())];
}

/**
 * The features that a toolchain noted in the custom section target_features; undefined: there is none.
 *
 * @example
 *
 * ```ts
 * const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
 * console.log(readFeatures(readSections(empty))); // undefined
 * ```
 */
export function readFeatures(sections: readonly Section[]): string[] | undefined {
  const section = sections.find(({ id, name }) => id === CUSTOM_SECTION && name === "target_features");
  if (section === undefined) return undefined;
  const DISALLOWED = "-".charCodeAt(0);
  const all = readList(section.contents, (r) => ({ prefix: r.byte(), name: r.text() }));
  return all.filter(({ prefix }) => prefix !== DISALLOWED).map(({ name }) => name);
}

/** The functions' names by the section "name"; undefined: it has none, or none that can be read. Engines pass it over, too. */
export function readFunctionNames(sections: readonly Section[]): Map<number, string> | undefined {
  const section = sections.find(({ id, name }) => id === CUSTOM_SECTION && name === "name");
  if (section === undefined) return undefined;
  try {
    const reader = new Reader(section.contents);
    while (!reader.atEnd) {
      const part = reader.byte();
      const contents = reader.take(reader.number());
      if (part === FUNCTION_NAMES) return new Map(readList(contents, (r) => [r.number(), r.text()] as const));
    }
  } catch (error) {
    if (!(error instanceof WasmFormatError)) throw error;
  }
  return undefined;
}

/** What holds offsets into the code as it was: debug information, source maps, relocations. */
export function isStale(section: string): boolean {
  return /^(\.debug_|reloc\.|sourceMappingURL$|external_debug_info$|linking$)/.test(section);
}

/** The sections without those that a rewriting of the code makes wrong. */
export function withoutStale(sections: readonly Section[]): Section[] {
  return sections.filter(({ id, name }) => id !== CUSTOM_SECTION || !isStale(name));
}

/** The sections with other imports. Those that were there must stay in their order. */
export function withImports(sections: readonly Section[], imports: readonly Import[]): Section[] {
  const entries = imports.map(({ module, name, kind, type }) =>
    concat([Uint8Array.from([...text(module), ...text(name), kind]), type]),
  );
  const contents = concat([Uint8Array.from(number(imports.length)), ...entries]);
  const others = sections.filter(({ id }) => id !== IMPORT_SECTION);
  const behind = others.findIndex(({ id }) => id > IMPORT_SECTION);
  const before = behind < 0 ? others.length : behind;
  return [...others.slice(0, before), { id: IMPORT_SECTION, name: "", contents }, ...others.slice(before)];
}

/** The sections with other exports. */
export function withExports(sections: readonly Section[], exports: readonly Export[]): Section[] {
  const entries = exports.flatMap(({ name, kind, index }) => [...text(name), kind, ...number(index)]);
  const section = {
    id: EXPORT_SECTION,
    name: "",
    contents: Uint8Array.from([...number(exports.length), ...entries]),
  };
  const others = sections.filter(({ id }) => id !== EXPORT_SECTION);
  const isBefore = ({ id }: Section) => id !== CUSTOM_SECTION && (id < EXPORT_SECTION || id === TAG_SECTION);
  const before = others.findLastIndex(isBefore) + 1;
  return [...others.slice(0, before), section, ...others.slice(before)];
}

/**
 * Names for all of a module's own functions, each behind `prefix`: its export's, else that which it has, else its number.
 */
export function functionNames(sections: readonly Section[], prefix: string): Map<number, string> {
  const names = new Map(readFunctionNames(sections));
  for (const { kind, index, name } of readExports(sections)) if (kind === FUNCTION) names.set(index, name);
  const imported = readImports(sections).filter(({ kind }) => kind === FUNCTION).length;
  const own = sections.find(({ id }) => id === FUNCTION_SECTION);
  const count = own === undefined ? 0 : new Reader(own.contents).count();
  const indices = Array.from({ length: count }, (_, n) => imported + n);
  return new Map(indices.map((index) => [index, `${prefix}${names.get(index) ?? index}`]));
}

/** The sections with these names of functions, and no others. */
export function withNames(sections: readonly Section[], names: ReadonlyMap<number, string>): Section[] {
  const inOrder = [...names].sort(([a], [b]) => a - b);
  const map = [
    ...number(names.size),
    ...inOrder.flatMap(([index, name]) => [...number(index), ...text(name)]),
  ];
  const contents = Uint8Array.of(FUNCTION_NAMES, ...number(map.length), ...map);
  const others = sections.filter(({ id, name }) => id !== CUSTOM_SECTION || name !== "name");
  return [...others, { id: CUSTOM_SECTION, name: "name", contents }];
}

function readList<T>(contents: Uint8Array, readOne: (reader: Reader) => T): T[] {
  const reader = new Reader(contents);
  return Array.from({ length: reader.count() }, () => readOne(reader));
}

function readImport(reader: Reader): Import {
  const module = reader.text();
  const name = reader.text();
  const kind = reader.byte();
  const from = reader.at;
  let limits: Limits | undefined;
  if (kind === FUNCTION) reader.number();
  else if (kind === TABLE) {
    reader.skipType();
    reader.limits();
  } else if (kind === MEMORY) limits = reader.limits();
  else if (kind === GLOBAL) {
    reader.skipType();
    reader.byte();
  } else if (kind === TAG) {
    reader.byte();
    reader.number();
  } else throw new WasmFormatError(`its import ${module}.${name} is of an unknown kind, ${kind}`);
  return { module, name, kind, type: reader.bytes.subarray(from, reader.at), limits };
}

/** An unsigned number as LEB128. */
function number(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  return [...number(bytes.length), ...bytes];
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
