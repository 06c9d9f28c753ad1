// Program: what kind of program a module is, and whether it can be run at all.
//
// Owns:  the ways in which a program can have its malloc; what is refused before anything runs; the imported memory.
// Needs: binary.
//
// In two-module mode the kernel must lie in the program's memory, and its functions must be there when the program is
// instantiated. A program that makes its own memory would have to come first, and cannot. So its bytes are changed: the
// memory that it defined becomes one that it imports, with the same limits. Nothing else refers to where a memory comes
// from (its number stays 0), so two sections change and the code does not. The calls then go from wasm to wasm, as with
// no table of trampolines, and no binaryen is needed. Stacks are put right by the distance that the code has moved.

import {
  type Import,
  type Limits,
  MEMORY,
  MEMORY_SECTION,
  Reader,
  readExports,
  readImports,
  readMemories,
  readSections,
  type Section,
  WasmFormatError,
  withImports,
  writeSections,
} from "../format/binary.ts";
import type { CodeOrigin } from "./stack.ts";
import { SPAWN, THREAD_START } from "./thread-talk.ts";

/**
 * Where a program's malloc is. "two-modules": it imports it. "swapped": so it does now, and had one of its own. "merged":
 * `morecore link` has put it inside. "plain": it has one of its own, of which nothing is known.
 */
export type ProgramMode = "two-modules" | "swapped" | "merged" | "plain";

/** A module, and how it can be run. loadProgram makes it. */
export interface Program {
  /** Where its malloc is. */
  readonly mode: ProgramMode;
  /** To be compiled; in two-module mode the memory is an import. */
  readonly bytes: Uint8Array;
  /** Where its code lies in the bytes that were given. */
  readonly origin: CodeOrigin;
  /** What it imports. */
  readonly imports: readonly Import[];
  /** Of its memory; undefined: it has none. A program whose memory is shared has threads. */
  readonly memory: Limits | undefined;
  /** Whether it exports its memory, which WASI needs. */
  readonly exportsMemory: boolean;
  /** The value of its exported __heap_base, where its data and stack end; undefined: it does not tell. */
  readonly heapBase: number | undefined;
  /** Its heap may grow only by the program's own sbrk. */
  readonly needsSbrk: boolean;
  /** Of a plain program: why its malloc has not been swapped, if that was tried. */
  readonly whyPlain: string | undefined;
}

/** The module that lib/morecore.c imports malloc from. */
export const KERNEL_MODULE = "morecore";
/** The global that `morecore link` exports: the address of the heap. */
export const HEAP_GLOBAL = "morecore_heap";
/** What the imported memory is called, so that it clashes with nothing of the program's. */
export const MEMORY_IMPORT = { module: "morecore:host", name: "memory" } as const;

const START = "_start";
const INITIALIZE = "_initialize";
const HEAP_BASE = "__heap_base";
const GLOBAL_SECTION = 6;
const CODE_SECTION = 10;
const FUNCTION = 0;
const GLOBAL = 3;

/** Looks at a module. `serves` says which function imports the kernel can serve. Throws a WasmFormatError. */
export function readProgram(bytes: Uint8Array, serves: (given: Import) => boolean): Program {
  const sections = readSections(bytes);
  const imports = readImports(sections);
  const exports = readExports(sections);
  const memory = memoryOf(sections);
  const has = (name: string, kind: number) =>
    exports.some((found) => found.name === name && found.kind === kind);
  if (!has(START, FUNCTION))
    throw new WasmFormatError(
      has(INITIALIZE, FUNCTION)
        ? "it has no _start, but _initialize: it is a library (a WASI reactor), not a program"
        : "it has no _start: it is not a program for WASI",
    );
  const isThreaded = memory?.shared === true;
  if (isThreaded && imports.some(isSpawn) && !has(THREAD_START, FUNCTION))
    throw new WasmFormatError(`it starts threads, and exports no ${THREAD_START}, which is what they run`);
  const mode = imports.some((given) => given.kind === FUNCTION && serves(given))
    ? "two-modules"
    : has(HEAP_GLOBAL, GLOBAL)
      ? "merged"
      : "plain";
  if (mode === "two-modules" && isThreaded)
    throw new WasmFormatError(
      "its memory is shared between threads, and it imports its malloc; expected one that `morecore link` has put inside",
    );
  // Threads are instances, which have in common what they import.
  const importsMemory = mode === "two-modules" || isThreaded;
  const running = importsMemory ? withImportedMemory(sections) : sections;
  const changed = running === sections ? bytes : writeSections(running);
  return {
    mode,
    bytes: changed,
    origin: { shift: running === sections ? 0 : codeOffset(readSections(changed)) - codeOffset(sections) },
    imports: readImports(running),
    memory,
    exportsMemory: exports.some(({ kind }) => kind === MEMORY),
    heapBase: heapBaseOf(sections),
    needsSbrk: false,
    whyPlain: undefined,
  };
}

function isSpawn({ kind, module, name }: Import): boolean {
  return kind === FUNCTION && module === SPAWN.module && name === SPAWN.name;
}

function memoryOf(sections: readonly Section[]): Limits | undefined {
  const [memory, ...more] = readMemories(sections);
  if (more.length > 0) throw new WasmFormatError("it has several memories; WASI and the heap need one");
  if (memory?.is64) throw new WasmFormatError("it is a wasm64 module (its memory has 64-bit addresses)");
  return memory;
}

/** The sections with the module's memory as the last of its imports. The same sections if it imports one already. */
function withImportedMemory(sections: readonly Section[]): readonly Section[] {
  const own = sections.find(({ id }) => id === MEMORY_SECTION);
  const [limits] = readMemories(sections);
  if (limits === undefined) throw new WasmFormatError("it has no memory for a heap to be in");
  if (own === undefined || new Reader(own.contents).number() === 0) return sections;
  const list = new Reader(own.contents);
  list.number();
  const type = list.take(own.contents.length - list.at);
  const others = sections.filter(({ id }) => id !== MEMORY_SECTION);
  return withImports(others, [...readImports(sections), { ...MEMORY_IMPORT, kind: MEMORY, type, limits }]);
}

/** Where the contents of the code section begin in the bytes that the sections were read from. */
function codeOffset(sections: readonly Section[]): number {
  return sections.find(({ id }) => id === CODE_SECTION)?.contents.byteOffset ?? 0;
}

/**
 * The value of the exported global __heap_base, if it is a constant: it must be known before there is an instance. Or
 * undefined.
 */
export function heapBaseOf(sections: readonly Section[]): number | undefined {
  const found = readExports(sections).find(({ name, kind }) => name === HEAP_BASE && kind === GLOBAL);
  const section = sections.find(({ id }) => id === GLOBAL_SECTION);
  if (found === undefined || section === undefined) return undefined;
  const imported = readImports(sections).filter(({ kind }) => kind === GLOBAL).length;
  const reader = new Reader(section.contents);
  const end = imported + reader.count();
  for (let index = imported; index < end; index++) {
    reader.skipType();
    const isMutable = reader.byte() !== 0;
    const value = readConstant(reader);
    if (value === undefined) return undefined;
    if (index === found.index) return isMutable || value === "other" ? undefined : value >>> 0;
  }
  // It is an imported one.
  return undefined;
}

const END = 0x0b;
const GLOBAL_GET = 0x23;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const F32_CONST = 0x43;
const F64_CONST = 0x44;
const REF_NULL = 0xd0;
const REF_FUNC = 0xd2;

/** A global's first value: a number if it is one i32.const, "other" for others; undefined if it cannot be read over. */
function readConstant(reader: Reader): number | "other" | undefined {
  let value: number | "other" = "other";
  const opcode = reader.byte();
  if (opcode === I32_CONST) value = signed32(reader);
  else if (opcode === I64_CONST || opcode === GLOBAL_GET || opcode === REF_FUNC || opcode === REF_NULL)
    reader.number();
  else if (opcode === F32_CONST) reader.take(4);
  else if (opcode === F64_CONST) reader.take(8);
  else return undefined;
  return reader.byte() === END ? value : undefined;
}

/** A signed LEB128 number of 32 bits. */
function signed32(reader: Reader): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = reader.byte();
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return shift < 25 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value;
  }
  throw new WasmFormatError("it has a number of more than 5 bytes where 32 bits are expected");
}
