// Expressions: walking a function's body in binaryen's tree, and changing it where it is.
//
// Owns:  which parts an expression of each kind has. An unknown kind is refused: a walk that passed something over would
//        leave it unchanged, without a word.
// Needs: binaryen, which is handed in: there may be several instances of it.
//
// These are the kinds that the kernel has. A program has others: of its functions nothing is walked here.

import type { Binaryen } from "./binaryen.ts";

type Ref = number;
type FunctionRef = number;

const KINDS: Readonly<Record<string, readonly string[]>> = {
  Block: ["Children"],
  If: ["Condition", "IfTrue", "IfFalse"],
  Loop: ["Body"],
  Break: ["Condition", "Value"],
  Call: ["Operands"],
  LocalGet: [],
  LocalSet: ["Value"],
  GlobalGet: [],
  GlobalSet: ["Value"],
  Load: ["Ptr"],
  Store: ["Ptr", "Value"],
  Const: [],
  Unary: ["Value"],
  Binary: ["Left", "Right"],
  Select: ["IfTrue", "IfFalse", "Condition"],
  Drop: ["Value"],
  Return: ["Value"],
  MemorySize: [],
  MemoryGrow: ["Delta"],
  MemoryCopy: ["Dest", "Source", "Size"],
  MemoryFill: ["Dest", "Value", "Size"],
  AtomicRMW: ["Ptr", "Value"],
  AtomicCmpxchg: ["Ptr", "Expected", "Replacement"],
  Nop: [],
  Unreachable: [],
};

/** Parts that are lists: how one is counted, read and written. */
const LISTS: Readonly<Record<string, readonly [count: string, item: string]>> = {
  Children: ["NumChildren", "ChildAt"],
  Operands: ["NumOperands", "OperandAt"],
};

class UnknownKindError extends Error {}

/** What can be done with the expressions of a binaryen's modules. */
export interface Expressions {
  /** The expression with what `change` gives in place of each expression in it, innermost first. It is changed where it lies. */
  changed(expression: Ref, change: (each: Ref) => Ref): Ref;
  /** Visits an expression and all in it, in the order of evaluation. */
  visit(expression: Ref, see: (each: Ref) => void): void;
  /** The function that a call calls; undefined: it is no call. */
  calleeOf(expression: Ref): string | undefined;
  /** The functions that are called in an expression; undefined: there is an expression of an unknown kind in it. */
  calleesIn(expression: Ref): Set<string> | undefined;
  /** Lets a call go to another function. */
  retarget(call: Ref, name: string): void;
  /** Gives a function another body. */
  setBody(reference: FunctionRef, body: Ref): void;
  /** A local's name in the text; "": it has none. */
  localName(reference: FunctionRef, index: number): string;
}

export function expressionsOf(binaryen: Binaryen): Expressions {
  const kinds = new Map(
    Object.entries(KINDS).map(([name, parts]) => [
      Number(Reflect.get(binaryen, `${name}Id`)),
      { name, parts },
    ]),
  );

  /** Calls an accessor of binaryen's wrapper for a kind of thing. They are there at run time, not in its declarations. */
  const access = (kind: string, accessor: string, ...values: readonly (number | string)[]): unknown => {
    const method: unknown = Object(Reflect.get(binaryen, kind))[accessor];
    if (typeof method !== "function") throw new Error(`this binaryen has no ${kind}.${accessor}`);
    return method(...values);
  };

  /** Puts what `change` gives in place of each part of an expression, after its own parts. 0 for a part: it is not there. */
  const changeParts = (expression: Ref, change: (part: Ref) => Ref): void => {
    const kind = kinds.get(binaryen.getExpressionId(expression));
    if (kind === undefined)
      throw new UnknownKindError(
        `the kernel has an expression of a kind not known here: ${binaryen.emitText(expression)}`,
      );
    for (const part of kind.parts) {
      const list = LISTS[part];
      if (list === undefined) {
        const before = Number(access(kind.name, `get${part}`, expression));
        if (before !== 0) access(kind.name, `set${part}`, expression, change(before));
        continue;
      }
      const [count, item] = list;
      const length = Number(access(kind.name, `get${count}`, expression));
      for (let index = 0; index < length; index++) {
        const before = Number(access(kind.name, `get${item}`, expression, index));
        access(kind.name, `set${item}`, expression, index, change(before));
      }
    }
  };

  const changed = (expression: Ref, change: (each: Ref) => Ref): Ref => {
    changeParts(expression, (part) => changed(part, change));
    return change(expression);
  };

  const visit = (expression: Ref, see: (each: Ref) => void): void => {
    changed(expression, (each) => {
      see(each);
      return each;
    });
  };

  const calleeOf = (expression: Ref): string | undefined =>
    binaryen.getExpressionId(expression) === binaryen.CallId
      ? String(access("Call", "getTarget", expression))
      : undefined;

  return {
    changed,
    visit,
    calleeOf,
    calleesIn: (expression) => {
      const found = new Set<string>();
      try {
        visit(expression, (each) => found.add(calleeOf(each) ?? ""));
      } catch (error) {
        if (error instanceof UnknownKindError) return undefined;
        throw error;
      }
      found.delete("");
      return found;
    },
    retarget: (call, name) => access("Call", "setTarget", call, name),
    setBody: (reference, body) => access("Function", "setBody", reference, body),
    localName: (reference, index) =>
      access("Function", "hasLocalName", reference, index)
        ? String(access("Function", "getLocalName", reference, index))
        : "",
  };
}
