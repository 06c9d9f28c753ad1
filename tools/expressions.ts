// Expressions: walking a function's body in binaryen's tree, and changing it where it is.
//
// Owns:  which parts an expression of each kind has. An unknown kind is refused: a walk that passed something over would
//        leave it unchanged, without a word.
// Needs: binaryen.

import binaryen from "binaryen";

type Ref = binaryen.ExpressionRef;

const KINDS: ReadonlyMap<number, readonly [name: string, ...parts: string[]]> = new Map([
  [binaryen.BlockId, ["Block", "Children"]],
  [binaryen.IfId, ["If", "Condition", "IfTrue", "IfFalse"]],
  [binaryen.LoopId, ["Loop", "Body"]],
  [binaryen.BreakId, ["Break", "Condition", "Value"]],
  [binaryen.CallId, ["Call", "Operands"]],
  [binaryen.LocalGetId, ["LocalGet"]],
  [binaryen.LocalSetId, ["LocalSet", "Value"]],
  [binaryen.GlobalGetId, ["GlobalGet"]],
  [binaryen.GlobalSetId, ["GlobalSet", "Value"]],
  [binaryen.LoadId, ["Load", "Ptr"]],
  [binaryen.StoreId, ["Store", "Ptr", "Value"]],
  [binaryen.ConstId, ["Const"]],
  [binaryen.UnaryId, ["Unary", "Value"]],
  [binaryen.BinaryId, ["Binary", "Left", "Right"]],
  [binaryen.SelectId, ["Select", "IfTrue", "IfFalse", "Condition"]],
  [binaryen.DropId, ["Drop", "Value"]],
  [binaryen.ReturnId, ["Return", "Value"]],
  [binaryen.MemorySizeId, ["MemorySize"]],
  [binaryen.MemoryGrowId, ["MemoryGrow", "Delta"]],
  [binaryen.MemoryCopyId, ["MemoryCopy", "Dest", "Source", "Size"]],
  [binaryen.MemoryFillId, ["MemoryFill", "Dest", "Value", "Size"]],
  [binaryen.NopId, ["Nop"]],
  [binaryen.UnreachableId, ["Unreachable"]],
]);

/** Parts that are lists: how one is counted, read and written. */
const LISTS: Readonly<Record<string, readonly [count: string, item: string]>> = {
  Children: ["NumChildren", "ChildAt"],
  Operands: ["NumOperands", "OperandAt"],
};

/** Calls an accessor of binaryen's wrapper for a kind of thing. They are there at run time, not in its declarations. */
function access(kind: string, accessor: string, ...values: readonly (number | string)[]): unknown {
  const wrappers = binaryen as unknown as Readonly<Record<string, unknown>>;
  const method: unknown = Object(wrappers[kind])[accessor];
  if (typeof method !== "function") throw new Error(`this binaryen has no ${kind}.${accessor}`);
  return method(...values);
}

/** Puts what `change` gives in place of each part of an expression, after its own parts. 0 for a part: it is not there. */
function changeParts(expression: Ref, change: (part: Ref) => Ref): void {
  const kind = KINDS.get(binaryen.getExpressionId(expression));
  if (kind === undefined)
    throw new Error(
      `the kernel has an expression of a kind not known here: ${binaryen.emitText(expression)}`,
    );
  const [name, ...parts] = kind;
  for (const part of parts) {
    const list = LISTS[part];
    if (list === undefined) {
      const before = Number(access(name, `get${part}`, expression));
      if (before !== 0) access(name, `set${part}`, expression, change(before));
      continue;
    }
    const [count, item] = list;
    const length = Number(access(name, `get${count}`, expression));
    for (let index = 0; index < length; index++) {
      const before = Number(access(name, `get${item}`, expression, index));
      access(name, `set${item}`, expression, index, change(before));
    }
  }
}

/** The expression with what `change` gives in place of each expression in it, innermost first. It is changed where it lies. */
export function changed(expression: Ref, change: (each: Ref) => Ref): Ref {
  changeParts(expression, (part) => changed(part, change));
  return change(expression);
}

/** Visits an expression and all in it, in the order of evaluation. */
export function visit(expression: Ref, see: (each: Ref) => void): void {
  changed(expression, (each) => {
    see(each);
    return each;
  });
}

/** Lets a call go to another function. */
export function retarget(call: Ref, name: string): void {
  access("Call", "setTarget", call, name);
}

/** Gives a function another body. */
export function setBody(reference: binaryen.FunctionRef, body: Ref): void {
  access("Function", "setBody", reference, body);
}

/** A local's name in the text; "": it has none. */
export function localName(reference: binaryen.FunctionRef, index: number): string {
  return access("Function", "hasLocalName", reference, index)
    ? String(access("Function", "getLocalName", reference, index))
    : "";
}
