// Module: a WebAssembly binary, read into the facts that the search for an allocator needs.
//
// Owns:  the one place where wasmparser is called.
// Needs: wasmparser. Not binaryen: the proof reads what binaryen has written, with another parser.
//
// Two readings: readModule gives facts about functions as wholes; readBodies hands out every instruction, for those who
// follow values. What cannot be read throws a WasmFormatError.

import {
  BinaryReader,
  bytesToString,
  type IDataSegmentBody,
  type IExportEntry,
  type IFunctionEntry,
  type IFunctionInformation,
  type IImportEntry,
  type IMemoryType,
  type IOperatorInformation,
  type IStartEntry,
  type ITypeEntry,
  OperatorCodeNames,
} from "wasmparser";
import {
  CUSTOM_SECTION,
  readFunctionNames,
  readMemories,
  readSections,
  type Section,
  WasmFormatError,
  writeSections,
} from "../format/binary.ts";
import { RELATIVE } from "./origin.ts";

export interface Signature {
  readonly params: number;
  readonly results: number;
  /** As text: "i32 i32 -> i32". */
  readonly text: string;
}

export interface FunctionFacts {
  readonly index: number;
  readonly signature: Signature;
  /** What it is imported as; undefined for a function with a body. */
  readonly imported: string | undefined;
  /** From the name section. */
  name: string | undefined;
  exportedAs: string[];
  /** Whom it calls directly, and how often. */
  calls: ReadonlyMap<number, number>;
  /** All 32-bit constants, as unsigned numbers. */
  numbers: ReadonlySet<number>;
  /** Contains memory.grow. */
  growsMemory: boolean;
  /** Contains memory.size. */
  readsSize: boolean;
  /** Reads memory or a global: what it does may depend on more than its arguments and the memory's size. */
  readsState: boolean;
}

export interface MemoryFacts {
  readonly imported: string | undefined;
  readonly shared: boolean;
  readonly initialPages: number;
  readonly maximumPages: number | undefined;
}

export interface DataSegment {
  /**
   * Where it is copied at the start, perhaps above RELATIVE, or by memory.init, as in modules whose threads share a memory; undefined:
   * nowhere, or at an address that is not known.
   */
  readonly address: number | undefined;
  readonly bytes: Uint8Array;
}

export interface ModuleFacts {
  readonly functions: FunctionFacts[];
  readonly types: Signature[];
  readonly memories: MemoryFacts[];
  readonly memoryExports: string[];
  /** They come before the module's own in the count of globals. */
  readonly importedGlobals: string[];
  readonly data: DataSegment[];
  /** Functions that a table, a global or a ref.func holds: they may be called from anywhere. */
  readonly referenced: Set<number>;
  /** The functions that the start section names: none or one. */
  start: number | undefined;
  hasNames: boolean;
  /** Proposals beyond the first WebAssembly that its instructions and types need, as target_features has them. */
  readonly features: Set<string>;
  /** Sections whose contents a rewriting makes wrong: a source map's address, debug information. */
  readonly customSections: string[];
}

/** An instruction, as readBodies hands it out. Valid until the callback returns. */
export interface Instruction extends IOperatorInformation {}

export interface BodyVisitor {
  /** Called at the beginning of each body; false skips it. */
  begin(index: number, locals: number): boolean;
  instruction(name: string, instruction: Instruction): void;
  end(): void;
}

// wasmparser's states are a const enum, which isolated modules cannot read.
const ERROR = -1;
const TYPE_ENTRY = 11;
const IMPORT_ENTRY = 12;
const FUNCTION_ENTRY = 13;
const MEMORY_ENTRY = 15;
const EXPORT_ENTRY = 17;
const START_ENTRY = 22;
const INIT_OPERATOR = 26;
const BEGIN_BODY = 28;
const OPERATOR = 30;
const END_BODY = 31;
const BEGIN_DATA = 36;
const DATA_BODY = 37;
const OFFSET_OPERATOR = 45;

const KIND_FUNCTION = 0;
const KIND_MEMORY = 2;
const KIND_GLOBAL = 3;
const TYPE_NAMES = new Map([
  [-1, "i32"],
  [-2, "i64"],
  [-3, "f32"],
  [-4, "f64"],
  [-5, "v128"],
]);

/** The facts about all functions. Throws a WasmFormatError. */
export function readModule(bytes: Uint8Array): ModuleFacts {
  const reading = new Reading();
  const sections = readSections(bytes);
  // Said first: an engine without memory64 would only call it no valid module.
  if (readMemories(sections).some(({ is64 }) => is64))
    throw new WasmFormatError("its memory has 64-bit addresses (memory64); the kernel has 32");
  if (!WebAssembly.validate(bytes as BufferSource))
    throw new WasmFormatError("it is no valid module, or it uses what this engine does not know");
  forEachEntry(bytes, (state, result) => reading.entry(state, result));
  const { facts } = reading;
  facts.customSections.push(...customNames(sections));
  const names = readFunctionNames(sections);
  facts.hasNames = names !== undefined;
  for (const [index, name] of names ?? []) {
    const named = facts.functions[index];
    if (named !== undefined) named.name = name;
  }
  return facts;
}

/** The global that holds __memory_base, in a position-independent module; else -1. */
export function memoryBaseOf({ importedGlobals }: ModuleFacts): number {
  return importedGlobals.findIndex((name) => name.endsWith(".__memory_base"));
}

/** Hands out the instructions of all bodies, in order. */
export function readBodies(bytes: Uint8Array, facts: ModuleFacts, visitor: BodyVisitor): void {
  let index = facts.functions.findIndex(({ imported }) => imported === undefined) - 1;
  let wanted = false;
  forEachEntry(bytes, (state, result) => {
    if (state === BEGIN_BODY) {
      index += 1;
      const { locals } = result as IFunctionInformation;
      wanted = visitor.begin(
        index,
        locals.reduce((sum, { count }) => sum + count, 0),
      );
    } else if (!wanted) return;
    else if (state === OPERATOR) {
      const instruction = result as Instruction;
      visitor.instruction(nameOf(instruction), instruction);
    } else if (state === END_BODY) visitor.end();
  });
}

/** An instruction's name in the text format. */
function nameOf({ code }: Instruction): string {
  return OperatorCodeNames[code] ?? "unknown";
}

function customNames(sections: readonly Section[]): string[] {
  return sections.filter(({ id }) => id === CUSTOM_SECTION).map(({ name }) => name);
}

// The parser answers with a union, and its state says which member it is: the casts below are that border. It is given
// only what the engine has found valid: nobody checks custom sections, and it may read a broken one for ever.
function forEachEntry(
  bytes: Uint8Array,
  visit: (state: number, result: BinaryReader["result"]) => void,
): void {
  const reader = new BinaryReader();
  const checked = writeSections(readSections(bytes).filter(({ id }) => id !== CUSTOM_SECTION));
  reader.setData(checked.buffer, 0, checked.length);
  try {
    while (reader.read()) visit(reader.state, reader.result);
  } catch (error) {
    if (error instanceof WasmFormatError) throw error;
    throw new WasmFormatError(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  // `as number`: narrowing does not know that read() changes the state.
  if ((reader.state as number) === ERROR)
    throw new WasmFormatError(`it cannot be read: ${reader.error?.message}`);
}

const NO_NAMES: string[] = [];
const NO_CALLS: ReadonlyMap<number, number> = new Map();
const NO_NUMBERS: ReadonlySet<number> = new Set();

/** Collects the facts, an entry of the binary at a time. */
class Reading {
  readonly facts: ModuleFacts = {
    functions: [],
    types: [],
    memories: [],
    memoryExports: [],
    importedGlobals: [],
    data: [],
    referenced: new Set(),
    start: undefined,
    hasNames: false,
    features: new Set(),
    customSections: [],
  };
  private body = -1;
  /** Of the body that is read. Most functions of a large module need neither: they share empty ones. */
  private calls = new Map<number, number>();
  private numbers = new Set<number>();
  private segmentAddress: number | undefined;
  private inActiveSegment = false;
  /** The constants that the last instructions put on the stack; another instruction empties the list. */
  private constants: number[] = [];
  /** Segment → the number to which memory.init copies it; undefined: there are several. */
  private readonly copied = new Map<number, number | undefined>();

  entry(state: number, result: BinaryReader["result"]): void {
    if (state === OPERATOR) this.instruction(result as Instruction);
    else if (state === BEGIN_BODY) this.beginBody();
    else if (state === TYPE_ENTRY) this.type(signatureOf(result as ITypeEntry));
    else if (state === IMPORT_ENTRY) this.import(result as IImportEntry);
    else if (state === FUNCTION_ENTRY) this.function((result as IFunctionEntry).typeIndex, undefined);
    else if (state === MEMORY_ENTRY) this.memory(result as IMemoryType, undefined);
    else if (state === EXPORT_ENTRY) this.export(result as IExportEntry);
    else if (state === START_ENTRY) this.facts.start = (result as IStartEntry).index;
    else if (state === INIT_OPERATOR) this.initOperator(result as Instruction);
    else this.dataEntry(state, result);
  }

  private type(signature: Signature): void {
    this.facts.types.push(signature);
    if (signature.results > 1) this.facts.features.add("multivalue");
    if (signature.text.includes("ref")) this.facts.features.add("reference-types");
  }

  private function(type: number, imported: string | undefined): void {
    const { functions, types } = this.facts;
    const signature = types[type];
    if (signature === undefined) throw new WasmFormatError(`there is no type ${type}`);
    functions.push({
      index: functions.length,
      signature,
      imported,
      name: undefined,
      exportedAs: NO_NAMES,
      calls: NO_CALLS,
      numbers: NO_NUMBERS,
      growsMemory: false,
      readsSize: false,
      readsState: false,
    });
    if (imported !== undefined) this.body = functions.length - 1;
  }

  private import({ module, field, kind, funcTypeIndex, type }: IImportEntry): void {
    const name = `${bytesToString(module)}.${bytesToString(field)}`;
    if (kind === KIND_FUNCTION) this.function(funcTypeIndex ?? -1, name);
    else if (kind === KIND_MEMORY) this.memory(type as IMemoryType, name);
    else if (kind === KIND_GLOBAL) this.facts.importedGlobals.push(name);
  }

  private memory({ limits, shared }: IMemoryType, imported: string | undefined): void {
    this.facts.memories.push({
      imported,
      shared,
      initialPages: limits.initial,
      maximumPages: limits.maximum,
    });
  }

  private export({ field, kind, index }: IExportEntry): void {
    const name = bytesToString(field);
    const exported = this.facts.functions[index];
    if (kind === KIND_FUNCTION && exported !== undefined) {
      if (exported.exportedAs === NO_NAMES) exported.exportedAs = [];
      exported.exportedAs.push(name);
    }
    if (kind === KIND_MEMORY) this.facts.memoryExports.push(name);
  }

  /** What a global or an element of a table begins with. */
  private initOperator({ funcIndex }: Instruction): void {
    if (funcIndex !== undefined) this.facts.referenced.add(funcIndex);
  }

  private dataEntry(state: number, result: BinaryReader["result"]): void {
    if (state === BEGIN_DATA) {
      this.segmentAddress = undefined;
      this.inActiveSegment = true;
    } else if (state === OFFSET_OPERATOR && this.inActiveSegment) {
      const { literal, globalIndex } = result as Instruction;
      if (typeof literal === "number") this.segmentAddress = literal >>> 0;
      if (globalIndex !== undefined && globalIndex === memoryBaseOf(this.facts))
        this.segmentAddress = RELATIVE;
    } else if (state === DATA_BODY) {
      const address = this.segmentAddress ?? this.copied.get(this.facts.data.length);
      this.facts.data.push({ address, bytes: (result as IDataSegmentBody).data });
      this.inActiveSegment = false;
    }
  }

  private beginBody(): void {
    this.body += 1;
    this.calls = new Map();
    this.numbers = new Set();
  }

  private instruction(instruction: Instruction): void {
    const facts = this.facts.functions[this.body];
    if (facts === undefined) throw new WasmFormatError("there are more bodies than functions");
    const name = nameOf(instruction);
    const { literal, funcIndex, segmentIndex } = instruction;
    const constant = name === "i32.const" && typeof literal === "number" ? literal >>> 0 : undefined;
    if (constant !== undefined) facts.numbers = this.numbers.add(constant);
    if (name === "memory.init" && segmentIndex !== undefined) this.copy(segmentIndex);
    if (constant === undefined) this.constants = [];
    else this.constants.push(constant);
    noteFeatures(name, this.facts.features);
    if (name === "memory.grow") facts.growsMemory = true;
    if (name === "memory.size") facts.readsSize = true;
    if (name === "global.get" || /\.(atomic\.)?(load|rmw)/.test(name)) facts.readsState = true;
    if (funcIndex === undefined) return;
    if (name === "ref.func") this.facts.referenced.add(funcIndex);
    else facts.calls = this.calls.set(funcIndex, (this.calls.get(funcIndex) ?? 0) + 1);
  }

  /** memory.init of a segment, whose operands are the last constants: the address, where in the segment, how many bytes. */
  private copy(segment: number): void {
    const [address, from] = this.constants.slice(-3);
    // Thread-local variables are copied once more for each thread, into memory that is the thread's.
    if (this.constants.length < 3 || from !== 0) return;
    this.copied.set(segment, this.copied.has(segment) ? undefined : address);
  }
}

/** First match wins. */
const FEATURES: readonly (readonly [RegExp, string])[] = [
  [/\.relaxed_/, "relaxed-simd"],
  [/^v128\.|^[if]\d+x\d+\./, "simd128"],
  [/\.atomic\.|^atomic\./, "atomics"],
  [/\.trunc_sat_/, "nontrapping-fptoint"],
  [/\.extend(8|16|32)_s$/, "sign-ext"],
  [/^(memory\.(copy|fill|init)|data\.drop|table\.(copy|init)|elem\.drop)$/, "bulk-memory"],
  [/^return_call/, "tail-call"],
  [/^(try|catch|throw|rethrow|delegate)/, "exception-handling"],
  [/^(struct|array|i31|ref\.(cast|test|eq))|^(any|extern)\./, "gc"],
  [/^(ref|table)\.|^select_with_type/, "reference-types"],
];
const seen = new Map<string, string | undefined>();

function noteFeatures(instruction: string, features: Set<string>): void {
  if (!seen.has(instruction))
    seen.set(instruction, FEATURES.find(([pattern]) => pattern.test(instruction))?.[1]);
  const feature = seen.get(instruction);
  if (feature !== undefined) features.add(feature);
}

function signatureOf({ params, returns }: ITypeEntry): Signature {
  const textOf = (types: readonly { readonly code: number }[] = []) =>
    types.map(({ code }) => TYPE_NAMES.get(code) ?? "ref").join(" ");
  // A type that is no function's (a struct) keeps its place in the list.
  return {
    params: params?.length ?? 0,
    results: returns?.length ?? 0,
    text: `${textOf(params)} -> ${textOf(returns)}`.trim(),
  };
}
