// Bind: the kernel of any heap, as asc makes it, becomes the kernel of one heap, under C's names.
//
// Owns:  the global `heap`, the exports mc_…, and bodies for the imports that a host need not bring.
// Needs: binaryen; the table of the family, which says what there is to export, of which type.

import binaryen from "binaryen";
import { type Call, familyCalls, PREFIX, signatureOf } from "../packages/morecore/src/abi/family.ts";
import { callsOnHeap, NATIVE_CALLS } from "./abi/native.ts";

const { i32, none } = binaryen;
type Ref = binaryen.ExpressionRef;

export interface HostImports {
  /** The host brings morecore.grow; else memory.grow serves. */
  readonly importsGrow: boolean;
}

/** Gives a body to the imports that the host need not bring. */
export function defineImports(module: binaryen.Module, { importsGrow }: HostImports): void {
  // Nobody is told of what top gives back.
  define(module, "release", none, () => module.nop());
  if (importsGrow) return;
  define(module, "grow", i32, () => {
    const bytes = module.local.get(0, i32);
    const page = module.local.tee(0, module.memory.grow(module.i32.shr_u(bytes, module.i32.const(16))), i32);
    const failed = module.i32.eq(page, module.i32.const(-1));
    const address = module.i32.shl(module.local.get(0, i32), module.i32.const(16));
    return module.if(failed, module.i32.const(0), address);
  });
}

/** Replaces the import morecore.NAME by a function, if the kernel has it at all. */
function define(module: binaryen.Module, base: string, results: binaryen.Type, bodyOf: () => Ref): void {
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const info = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    if (info.module !== "morecore" || info.base !== base) continue;
    module.removeFunction(info.name);
    module.addFunction(info.name, info.params, results, [], bodyOf());
    return;
  }
}

/** Replaces each export f(machine, heap, …) by mc_f(…), which takes the heap from a global. Throws where the table says otherwise. */
export function bindHeap(module: binaryen.Module, threads = false): void {
  module.addGlobal("heap", i32, true, module.i32.const(0));
  const functions = functionExports(module);
  const take = (name: string): string => {
    const value = functions.get(name);
    if (value === undefined) throw new Error(`the table has ${name}, which the kernel does not export`);
    functions.delete(name);
    return value;
  };
  exported(module, "attach", i32, none, module.global.set("heap", module.local.get(0, i32)));
  exported(module, "begin", i32, i32, beginning(module, take("placeFor"), take("beginHeap")));
  const [placeToShare, settleIn, leaveHeap] = [take("placeToShare"), take("settleIn"), take("leaveHeap")];
  if (threads) {
    const share = sharing(module, placeToShare, settleIn);
    exported(module, "share", binaryen.createType([i32, i32]), i32, share);
    const leave = module.call(leaveHeap, [module.i32.const(0), module.global.get("heap", i32)], none);
    exported(module, "leave", none, none, leave);
  }
  const calls = new Map<string, Call>(familyCalls());
  for (const name of calls.keys()) if (calls.get(name)?.in !== undefined && !functions.has(name)) take(name);
  for (const [name, value] of functions) {
    const { params, results } = binaryen.getFunctionInfo(module.getFunction(value));
    const own = binaryen.expandType(params).slice(2);
    const call = calls.get(name);
    if (call === undefined) throw new Error(`the kernel exports ${name}, which is not in the table`);
    checkSignature(name, call, own, results);
    const given = own.map((type, index) => module.local.get(index, type));
    const values = [module.i32.const(0), module.global.get("heap", i32), ...given];
    exported(module, call.c, binaryen.createType(own), results, module.call(value, values, results));
  }
}

/** Takes the module's exports away: what functions they were, by their names, in the module's own order. */
function functionExports(module: binaryen.Module): Map<string, string> {
  const functions = new Map<string, string>();
  for (const { name, value, kind } of exportsOf(module)) {
    module.removeExport(name);
    if (kind === binaryen.ExternalFunction) functions.set(name, value);
  }
  return functions;
}

function checkSignature(name: string, call: Call, own: binaryen.Type[], results: binaryen.Type): void {
  const found = `${own.map(() => "i32 ").join("")}->${results === none ? "" : " i32"}`;
  if (signatureOf(call) !== found)
    throw new Error(`${name} is ${found}, but ${signatureOf(call)} in the table (src/abi/family.ts)`);
}

/** Replaces each export f(machine, heap, …) by mc_f(heap, …), and exports in the same way what NATIVE_CALLS names. */
export function exportWithHeap(module: binaryen.Module): void {
  const functions = functionExports(module);
  const exportAs = (
    name: string,
    c: string,
    check: (own: binaryen.Type[], results: binaryen.Type) => void,
  ): void => {
    const value = functions.get(name);
    if (value === undefined) throw new Error(`the kernel does not export ${name}`);
    const { params, results } = binaryen.getFunctionInfo(module.getFunction(value));
    const own = binaryen.expandType(params).slice(1);
    check(own.slice(1), results);
    const given = own.map((type, index) => module.local.get(index, type));
    const body = module.call(value, [module.i32.const(0), ...given], results);
    exported(module, c, binaryen.createType(own), results, body);
  };
  for (const [name, call] of callsOnHeap())
    exportAs(name, call.c, (own, results) => checkSignature(name, call, own, results));
  for (const [name, { c, parameters }] of Object.entries(NATIVE_CALLS))
    exportAs(name, c, (own) => {
      if (own.length !== parameters.length - 1)
        throw new Error(`${name} has not the parameters that the table says`);
    });
}

/** mc_begin: the place for a heap becomes the global's value, and if there is one, a heap begins there. */
function beginning(module: binaryen.Module, placeFor: string, beginHeap: string): Ref {
  const machine = () => module.i32.const(0);
  const heap = () => module.global.get("heap", i32);
  const from = () => module.local.get(0, i32);
  const begin = module.call(beginHeap, [machine(), heap(), from()], none);
  return module.block(
    null,
    [
      module.global.set("heap", module.call(placeFor, [machine(), from()], i32)),
      module.if(heap(), begin),
      heap(),
    ],
    i32,
  );
}

/** mc_share: the place for this thread's heap becomes the global's value, and if there is one, the thread settles in. */
function sharing(module: binaryen.Module, placeToShare: string, settleIn: string): Ref {
  const given = [0, 1].map((index) => module.local.get(index, i32));
  const heap = () => module.global.get("heap", i32);
  const settle = module.call(settleIn, [module.i32.const(0), heap()], i32);
  return module.block(
    null,
    [
      module.global.set("heap", module.call(placeToShare, [module.i32.const(0), ...given], i32)),
      module.if(heap(), module.global.set("heap", settle)),
      heap(),
    ],
    i32,
  );
}

function exported(
  module: binaryen.Module,
  name: string,
  params: binaryen.Type,
  results: binaryen.Type,
  body: Ref,
): void {
  module.addFunction(PREFIX + name, params, results, [], body);
  module.addFunctionExport(PREFIX + name, PREFIX + name);
}

/** Exports, instead of a function that hands its parameters on and does nothing else, the one that gets them. */
export function exportDirectly(module: binaryen.Module): void {
  for (const { name, value, kind } of exportsOf(module)) {
    if (kind !== binaryen.ExternalFunction) continue;
    const target = whatItCalls(binaryen.getFunctionInfo(module.getFunction(value)));
    if (target === undefined) continue;
    module.removeExport(name);
    module.addFunctionExport(target, name);
  }
}

/** What a function calls with just its own parameters, if that is all that it does. */
function whatItCalls({ params, body }: binaryen.FunctionInfo): string | undefined {
  if (binaryen.getExpressionId(body) !== binaryen.CallId) return undefined;
  const { target, operands } = binaryen.getExpressionInfo(body) as binaryen.CallInfo;
  const isOwn = operands.every(
    (value, place) =>
      binaryen.getExpressionId(value) === binaryen.LocalGetId &&
      (binaryen.getExpressionInfo(value) as binaryen.LocalGetInfo).index === place,
  );
  return isOwn && operands.length === binaryen.expandType(params).length ? target : undefined;
}

function exportsOf(module: binaryen.Module): binaryen.ExportInfo[] {
  return Array.from({ length: module.getNumExports() }, (_, index) =>
    binaryen.getExportInfo(module.getExportByIndex(index)),
  );
}
