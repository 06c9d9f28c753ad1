// TypeScript: what is made of the family's table for the kernel and for the heap.

import {
  type Answer,
  type Call,
  type CallName,
  familyCalls,
  type Group,
  type ParameterKind,
  PREFIX,
} from "../../packages/morecore/src/abi/family.ts";

type Entry = readonly [name: CallName, call: Call];

const HEAD = "// Made by `npm run abi -- --write` from src/abi/family.ts";

/** src/kernel/family.ts: the functions that the wasm build exports. */
export function kernelFamily(): string {
  const byFile = new Map<string, string[]>();
  const add = (file: string, name: string) => byFile.set(file, [...(byFile.get(file) ?? []), name]);
  for (const [name, call] of familyCalls()) {
    if (call.in !== undefined) add(call.in, name);
    for (const [part, file] of Object.entries(call.of ?? {})) add(file, part);
  }
  // In this order, whatever the table's: asc puts the functions into the module as they are named here.
  const files = [...byFile].sort(([one], [other]) => (one < other ? -1 : 1));
  const imports = files.map(
    ([file, names]) => `import { ${inOrder(names).join(", ")} } from "./${file}.ts";`,
  );
  return `${HEAD}: the malloc family, which the wasm build of the kernel
// exports (tools/bind.ts gives it C's names). The rest (checking, most options) is seldom called, and done in
// JavaScript on the same bytes.

${imports.join("\n")}

export { ${inOrder(files.flatMap(([, names]) => names)).join(", ")} };
`;
}

/** As biome sorts names: letters before case. */
function inOrder(names: readonly string[]): string[] {
  return [...names].sort((one, other) => one.localeCompare(other, "en"));
}

/** src/heap/family-calls.ts: the family's lists of names, and a heap's calls by each of the two kernels. */
export function heapCalls(): string {
  const called = familyCalls().filter(([, call]) => isOfC(call) && call.seldom === undefined);
  return `${HEAD}: the malloc family of one heap, by the kernel in
// WebAssembly and by the same kernel in JavaScript.
//
// Each call is written out, so that an engine sees one place for each, of one shape.

import type { CName, ExportName, ImportName } from "../abi/family.ts";
import { asPtr, type Base } from "../kernel/address.ts";
import * as kernel from "../kernel/family.ts";
import type { Machine } from "../kernel/machine.ts";
import { isErrorOf } from "../memory/slots.ts";
import type { WasmExports } from "../memory/webassembly.ts";
import { ledAstray } from "./errors.ts";

/** C's and POSIX's malloc family, and BSD's and dlmalloc's extensions, under C's names. */
export const C_FAMILY = [${cNames("C", "BSD", "dlmalloc")}] as const satisfies readonly CName[];

/** What lib/morecore.c makes mallinfo and malloc_inspect_all of: a walk over the pieces, and sums by their state. */
export const WALK = [${cNames("walk")}] as const satisfies readonly ImportName[];

/** The malloc family, its heap known. Numbers are checked words; addresses come back unsigned. */
export interface Calls {
  /** What the instance of the kernel exports that serves; missing: it is the kernel in JavaScript. */
  readonly all?: WasmExports;
${called.map(([name, call]) => `${name}(${parametersOf(call)}): ${typeOf(call.answer)};`).join("\n")}
}

/** The functions that kernel-bytes.ts exports, and, those for threads, threads-bytes.ts. Their numbers are signed when they come to JavaScript. */
export interface KernelExports {
${familyCalls().map(exportOf).join("\n")}
}

type Unexported = Exclude<ExportName, keyof KernelExports>;
/** Does not compile if an export is missing above. */
export type AllExported = Unexported extends never ? KernelExports : never;

/** A trap of the kernel's in words; what it refused by itself as it is. */
function explained(error: unknown, heap: Base): unknown {
  return isErrorOf(error, "RuntimeError") ? ledAstray(heap, error) : error;
}

/** The kernel in WebAssembly. */
export class WasmCalls implements Calls {
  /** All that the instance exports, as the engine gives it. */
  readonly all: WasmExports;
  private readonly exports: KernelExports;
  private readonly heap: Base;

  constructor(exports: WasmExports, heap: Base) {
    this.all = exports;
    this.heap = heap;
    // The engine knows an instance's exports as a record only; tools/bind.ts makes sure that they are these.
    this.exports = exports as unknown as KernelExports;
    this.exports.mc_attach(heap);
  }

${called.map(wasmMethod).join("\n\n")}
}

/** The kernel in JavaScript. Asks before each call whether the memory has grown: one comparison. */
export class JavaScriptCalls implements Calls {
  private readonly machine: Machine;
  private readonly heap: Base;

  constructor(machine: Machine, heap: Base) {
    this.machine = machine;
    this.heap = heap;
  }

${called.map(javaScriptMethod).join("\n\n")}
}
`;
}

function isOfC({ group }: Call): boolean {
  return group !== "walk" && group !== "program" && group !== "threads";
}

function cNames(...groups: readonly Group[]): string {
  return familyCalls()
    .filter(([, { group }]) => groups.includes(group))
    .map(([, { c }]) => `"${c}",`)
    .join("\n");
}

/** The parameter that JavaScript has no use for is no parameter there. */
const isGiven = ([, kind]: readonly [string, ParameterKind]): boolean => kind !== "array?";

function parametersOf({ parameters }: Call): string {
  return parameters
    .filter(isGiven)
    .map(([name]) => `${name}: number`)
    .join(", ");
}

function exportOf([, { c, parameters, answer }]: Entry): string {
  const typed = parameters.map(([name]) => `${name}: number`).join(", ");
  return `${PREFIX}${c}(${typed}): ${answer === "nothing" ? "void" : "number"};`;
}

function typeOf(answer: Answer): string {
  if (answer === "nothing") return "void";
  return answer === "changed" ? "boolean" : "number";
}

function wasmMethod([name, call]: Entry): string {
  const values = call.parameters.map((parameter) => (isGiven(parameter) ? parameter[0] : "0"));
  const wasm = `this.exports.${PREFIX}${call.c}(${values.join(", ")})`;
  return `${name}(${parametersOf(call)}): ${typeOf(call.answer)} {
    try {
      ${fromWasm(wasm, call.answer)};
    } catch (error) {
      throw explained(error, this.heap);
    }
  }`;
}

/** A statement that answers with what a function of WebAssembly does, which is a signed number. */
function fromWasm(call: string, answer: Answer): string {
  switch (answer) {
    case "nothing":
      return call;
    case "changed":
      return `return ${call} !== 0`;
    case "errno":
      return `return ${call}`;
    default:
      return `return ${call} >>> 0`;
  }
}

/** What the kernel in TypeScript has as a Ptr. */
const PTRS: ReadonlySet<ParameterKind> = new Set(["block", "place", "array?", "sizes", "blocks"]);

function javaScriptMethod([name, call]: Entry): string {
  const values = call.parameters.map((parameter) => {
    const value = isGiven(parameter) ? parameter[0] : "0";
    return PTRS.has(parameter[1]) ? `asPtr(${value})` : value;
  });
  const script = `kernel.${name}(${["this.machine.fresh(this.heap)", "this.heap", ...values].join(", ")})`;
  return `${name}(${parametersOf(call)}): ${typeOf(call.answer)} {
    ${call.answer === "nothing" ? "" : "return "}${script};
  }`;
}
