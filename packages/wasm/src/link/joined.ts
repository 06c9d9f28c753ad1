// Joined: the program and the kernel, merged, become one program.
//
// Owns:  what the kernel calls of the program; the start function that begins the heap; the exports that go and that comes.
// Needs: fitted, which has named the kernel's functions.

import type { ExportName } from "morecore/engine";
import type { Binaryen } from "../format/binaryen.ts";
import { expressionsOf } from "../format/expressions.ts";
import { BinaryenError } from "../format/parts.ts";
import { addThreadStart, HEAP_EXPORT, type Share } from "../format/threads.ts";
import { CALLED, KERNEL, MALLOC, MALLOC_EXPORT, NO_MEMORY_EXPORT, TELLING } from "./fitted.ts";

type Module = InstanceType<Binaryen["Module"]>;

export const GROW_EXPORT = "morecore_grow";
export const HEAP_BASE = "__heap_base";
export const GRANULE = 16;
export const PAGE_LOG2 = 16;
const BEGIN: ExportName = "mc_begin";
/** What C exports for this alone. */
const FOR_LINK: ReadonlySet<string> = new Set([...Object.values(CALLED), MALLOC_EXPORT, NO_MEMORY_EXPORT]);

/** Lets each call what it needs of the other, and exports what only that needed no longer. */
export function join(binaryen: Binaryen, module: Module, share?: Share): void {
  defineAbort(binaryen, module);
  for (const name of Object.values(CALLED)) withoutConstructors(binaryen, module, name);
  tellNoMemory(binaryen, module);
  if (share === undefined) addStart(binaryen, module);
  else {
    const exports = exportsOf(binaryen, module);
    addThreadStart(binaryen, module, share, (name) => behindExport(exports, name));
  }
  removeExports(binaryen, module);
}

/** Without a morecore_abort in the program, misuse traps. */
function defineAbort(binaryen: Binaryen, module: Module): void {
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const found = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    if (found.module !== KERNEL || found.base !== "abort") continue;
    module.removeFunction(found.name);
    module.addFunction(found.name, found.params, found.results, [], module.unreachable());
    return;
  }
}

/**
 * wasm-ld wraps each export of a program so that it runs the constructors first and the destructors afterwards. An export
 * that the kernel calls in the middle of the program must not: takes the call out of it. It is known by being the
 * first call of another export, too.
 */
function withoutConstructors(binaryen: Binaryen, module: Module, name: string): void {
  const exported = exportsOf(binaryen, module).find((all) => all.name === name);
  if (exported === undefined) return;
  const constructors = plainCalls(binaryen, module, exported.value)[0];
  if (constructors === undefined) return;
  const isFirst = (value: string) => plainCalls(binaryen, module, value)[0] === constructors;
  if (!othersThan(binaryen, module, exported.value).some(isFirst)) return;
  const { results, vars, body } = binaryen.getFunctionInfo(module.getFunction(exported.value));
  const block = blockOf(binaryen, body);
  if (block === undefined) return;
  const rest = block.children.slice(1).map((child) => module.copyExpression(child));
  replaceBody(binaryen, module, exported.value, vars, module.block(block.name, rest, results));
}

/** The exported functions besides one. */
function othersThan(binaryen: Binaryen, module: Module, name: string): string[] {
  return exportsOf(binaryen, module)
    .filter(({ kind, value }) => kind === binaryen.ExternalFunction && value !== name)
    .map(({ value }) => value);
}

/**
 * What a function does one after the other: for each step the function without parameters and results that it calls, or
 * undefined if it is another step.
 */
function plainCalls(binaryen: Binaryen, module: Module, name: string): (string | undefined)[] {
  const { body } = binaryen.getFunctionInfo(module.getFunction(name));
  return (blockOf(binaryen, body)?.children ?? []).map((step) => {
    // Some kinds of steps binaryen cannot describe: the kind is asked for first.
    if (binaryen.getExpressionId(step) !== binaryen.CallId) return undefined;
    const call = binaryen.getExpressionInfo(step);
    if (!("target" in call) || !("operands" in call)) return undefined;
    const { target, operands } = call as { target: string; operands: readonly number[] };
    return operands.length === 0 && call.type === binaryen.none ? target : undefined;
  });
}

function blockOf(
  binaryen: Binaryen,
  body: number,
): { readonly name: string | null; readonly children: readonly number[] } | undefined {
  if (body === 0) return undefined;
  const info = binaryen.getExpressionInfo(body);
  // What getExpressionInfo gives of a block; its declaration knows only what all expressions have.
  return info.id === binaryen.BlockId
    ? (info as unknown as { name: string | null; children: readonly number[] })
    : undefined;
}

/**
 * Lets the kernel say where malloc fails that there was no memory, so that C's malloc need not look at its answer: it hands on
 * to the kernel's, and does nothing else.
 */
function tellNoMemory(binaryen: Binaryen, module: Module): void {
  const { i32, none, createType } = binaryen;
  const exports = exportsOf(binaryen, module);
  const behind = (of: string) => exports.find(({ name }) => name === of)?.value;
  const [ofMalloc, ofNoMemory, entry] = [behind(MALLOC_EXPORT), behind(NO_MEMORY_EXPORT), behind(MALLOC)];
  if (ofMalloc === undefined || ofNoMemory === undefined || entry === undefined) return;
  const malloc = callerOf(binaryen, module, entry, ofMalloc, createType([i32]), i32);
  const noMemory = insideOf(binaryen, module, ofNoMemory, none, none);
  if (malloc === undefined || noMemory === undefined || module.getFunction(TELLING) === 0) return;
  replaceBody(binaryen, module, malloc, [], module.call(entry, [module.local.get(0, i32)], i32));
  const slow = binaryen.getFunctionInfo(module.getFunction(TELLING));
  const answer = binaryen.expandType(slow.params).length;
  const get = () => module.local.get(answer, i32);
  const tell = module.if(module.i32.eqz(get()), module.call(noMemory, [], none));
  const all = [module.local.set(answer, module.copyExpression(slow.body)), tell, get()];
  replaceBody(binaryen, module, TELLING, [i32], module.block(null, all, i32));
}

/** Of a function and those of its type that it leads to, the first that calls another. Undefined: none does. */
function callerOf(
  binaryen: Binaryen,
  module: Module,
  called: string,
  from: string,
  params: number,
  results: number,
): string | undefined {
  const found = new Set([from]);
  for (const name of found) {
    const calls = callsIn(binaryen, module, name) ?? [];
    for (const each of calls) {
      if (each === called) return name;
      const info = binaryen.getFunctionInfo(module.getFunction(each));
      if (info.params === params && info.results === results) found.add(each);
    }
  }
  return undefined;
}

/**
 * The function that is exported: itself, or inside of one that wasm-ld made, which calls constructors before it and destructors
 * after it. Those are what other exports call, too. Undefined: it has become one with that.
 */
function insideOf(binaryen: Binaryen, module: Module, name: string, params: number, results: number) {
  const calls = callsIn(binaryen, module, name);
  if (calls === undefined) return undefined;
  const others = new Set(
    othersThan(binaryen, module, name).flatMap((other) => plainCalls(binaryen, module, other)),
  );
  const own = [...calls].filter((called) => !others.has(called));
  if (own.length === calls.size) return name;
  const isIt = (called: string) => {
    const info = binaryen.getFunctionInfo(module.getFunction(called));
    return info.params === params && info.results === results;
  };
  return own.length === 1 ? own.find(isIt) : undefined;
}

/** What a function calls; undefined: that is not known. */
function callsIn(binaryen: Binaryen, module: Module, name: string): Set<string> | undefined {
  const { body } = binaryen.getFunctionInfo(module.getFunction(name));
  return body === 0 ? undefined : expressionsOf(binaryen).calleesIn(body);
}

/** Gives a function another body, with locals of these types behind its parameters. */
function replaceBody(binaryen: Binaryen, module: Module, name: string, vars: number[], body: number): void {
  const { params, results } = binaryen.getFunctionInfo(module.getFunction(name));
  module.removeFunction(name);
  module.addFunction(name, params, results, vars, body);
}

/** A start function that begins the heap, then does what the program's own did. */
function addStart(binaryen: Binaryen, module: Module): void {
  const { i32, none } = binaryen;
  const exports = exportsOf(binaryen, module);
  const begin = behindExport(exports, BEGIN);
  const from = heapStart(binaryen, module, exports);
  module.addGlobal(HEAP_EXPORT, i32, true, module.i32.const(0));
  module.addGlobalExport(HEAP_EXPORT, HEAP_EXPORT);
  const own = module.getStart();
  const body = [
    module.global.set(HEAP_EXPORT, module.call(begin, [from], i32)),
    // A memory that cannot hold the heap's header: no program could run in it.
    module.if(module.i32.eqz(module.global.get(HEAP_EXPORT, i32)), module.unreachable()),
    ...(own === 0 ? [] : [module.call(binaryen.getFunctionInfo(own).name, [], none)]),
  ];
  module.setStart(module.addFunction("morecore_start", none, none, [], module.block(null, body)));
}

/** What mc_begin is given: where the heap begins, or 0 to let it ask for memory. */
function heapStart(
  { i32, ExternalGlobal }: Binaryen,
  module: Module,
  exports: readonly { readonly name: string; readonly kind: number; readonly value: string }[],
): number {
  if (exports.some(({ name }) => name === GROW_EXPORT)) return module.i32.const(0);
  const heapBase = exports.find(({ name, kind }) => name === HEAP_BASE && kind === ExternalGlobal);
  if (heapBase === undefined) {
    const end = module.i32.shl(module.memory.size(), module.i32.const(PAGE_LOG2));
    // Where there is no memory yet, at the first granule: address 0 is nobody's.
    return module.select(module.memory.size(), end, module.i32.const(GRANULE));
  }
  const roundedUp = module.i32.add(module.global.get(heapBase.value, i32), module.i32.const(GRANULE - 1));
  return module.i32.and(roundedUp, module.i32.const(-GRANULE));
}

/** The kernel's function that is exported by this name. */
function behindExport(
  exports: readonly { readonly name: string; readonly value: string }[],
  name: ExportName,
): string {
  const found = exports.find((all) => all.name === name);
  if (found === undefined) throw new BinaryenError(`the kernel has no ${name}`);
  return found.value;
}

function exportsOf(binaryen: Binaryen, module: Module) {
  return Array.from({ length: module.getNumExports() }, (_, index) =>
    binaryen.getExportInfo(module.getExportByIndex(index)),
  );
}

/** Takes out what only the two parts needed of each other. */
function removeExports(binaryen: Binaryen, module: Module): void {
  for (const { name } of exportsOf(binaryen, module))
    if (/^mc_|^morecore:/.test(name) || FOR_LINK.has(name)) module.removeExport(name);
}
