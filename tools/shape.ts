// Shape: which function of the wasm kernel has its own copy of what, and where each finds the heap.
//
// Owns:  the copies of functions, "g@f" being the copy of g for f; the rule that the heap is a global's.
// Needs: binaryen; the expressions of packages/wasm.

import binaryen from "binaryen";
import { expressionsOf } from "../packages/wasm/src/format/expressions.ts";

const { calleeOf, changed, localName, retarget, setBody, visit } = expressionsOf(binaryen);

/** The functions of a module that have a body, in their order. */
export function functionsOf(module: binaryen.Module): Set<string> {
  const names = new Set<string>();
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const { name, module: imported } = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    if (!imported) names.add(name);
  }
  return names;
}

/**
 * Gives each hot function copies of its own of all functions that it calls, and that those call, but for `hot` ones and those
 * that are to stay `outside`. To inline the copies leaves the functions that others call as they are.
 */
export function addCopies(
  module: binaryen.Module,
  hot: ReadonlySet<string>,
  outside: ReadonlySet<string>,
): void {
  const originals = functionsOf(module);
  const copied = new Set<string>();
  const isCopied = (name: string) => originals.has(name) && !hot.has(name) && !outside.has(name);
  const callCopies = (body: binaryen.ExpressionRef, owner: string): void =>
    visit(body, (each) => {
      const callee = calleeOf(each);
      if (callee === undefined || !isCopied(callee)) return;
      const copy = `${callee}@${owner}`;
      if (!copied.has(copy)) {
        copied.add(copy);
        addCopy(callee, copy, owner);
      }
      retarget(each, copy);
    });
  const addCopy = (name: string, copy: string, owner: string): void => {
    const { params, results, vars, body } = binaryen.getFunctionInfo(module.getFunction(name));
    const own = module.copyExpression(body);
    callCopies(own, owner);
    module.addFunction(copy, params, results, vars, own);
  };
  for (const name of hot) callCopies(binaryen.getFunctionInfo(module.getFunction(name)).body, name);
}

export function isCopy(name: string): boolean {
  return name.includes("@");
}

/**
 * Throws if a function hands another heap than its own to one that has a parameter `heap`: that would read the global all the same. What
 * is for another heap, or for what is common to threads, has a parameter of another name.
 */
export function checkHeapsPassed(module: binaryen.Module): void {
  const functions = functionsOf(module);
  for (const name of functions) {
    const own = heapParameter(module, name);
    visit(binaryen.getFunctionInfo(module.getFunction(name)).body, (each) => {
      const callee = calleeOf(each);
      const place = callee !== undefined && functions.has(callee) ? heapParameter(module, callee) : undefined;
      if (place === undefined) return;
      const operand = (binaryen.getExpressionInfo(each) as binaryen.CallInfo).operands[place] ?? 0;
      if (own === undefined || localOf(operand, binaryen.LocalGetId) !== own)
        throw new Error(`${name} hands another heap than its own to ${callee}`);
    });
  }
}

/**
 * Lets each function with a parameter `heap` read the global of that name instead, which is what callers pass; a hot one
 * reads it once. Copies, which are to be inlined, take it from their owner.
 */
export function readHeapFromGlobal(module: binaryen.Module, hot: ReadonlySet<string>): void {
  for (const name of functionsOf(module)) {
    const found = isCopy(name) ? undefined : heapParameter(module, name);
    if (found === undefined) continue;
    const global = () => module.global.get("heap", binaryen.i32);
    const { body } = binaryen.getFunctionInfo(module.getFunction(name));
    visit(body, (each) => {
      if (localOf(each, binaryen.LocalSetId) === found) throw new Error(`${name} changes its heap`);
    });
    const shaped = hot.has(name)
      ? module.block(null, [module.local.set(found, global()), body], binaryen.getExpressionType(body))
      : changed(body, (each) => (localOf(each, binaryen.LocalGetId) === found ? global() : each));
    setBody(module.getFunction(name), shaped);
  }
}

/** The place of the parameter `heap`; undefined: there is none. */
function heapParameter(module: binaryen.Module, name: string): number | undefined {
  const reference = module.getFunction(name);
  const count = binaryen.expandType(binaryen.getFunctionInfo(reference).params).length;
  for (let index = 0; index < count; index++) if (localName(reference, index) === "heap") return index;
  return undefined;
}

/** The local that an expression of this kind is about; undefined: it is of another kind. */
function localOf(expression: binaryen.ExpressionRef, id: number): number | undefined {
  if (binaryen.getExpressionId(expression) !== id) return undefined;
  return (binaryen.getExpressionInfo(expression) as binaryen.LocalGetInfo | binaryen.LocalSetInfo).index;
}
