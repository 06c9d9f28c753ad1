// Conditions: a truth that is only tested becomes branches.
//
// Owns:  how `a && b`, `a || b` and what a function answers are tested in the wasm kernel, once it has been inlined.
// Needs: binaryen; the expressions of packages/wasm.
//
// asc and binaryen write `if (a || b)` as an `if` that gives 0 or 1, inside an `if` that tests it. V8 compiles what is
// written: it makes the number, joins the ways, tests the number and parts them again. That costs a branch more for
// each operator, in each check of each call. Here each operand branches to where the whole leads.

import binaryen from "binaryen";
import { expressionsOf } from "../packages/wasm/src/format/expressions.ts";

const { changed, setBody, visit } = expressionsOf(binaryen);

type Ref = binaryen.ExpressionRef;

/** Makes branches of the conditions in these functions. They do the same, but that a load whose answer is not needed may be left out. */
export function branchOnConditions(module: binaryen.Module, names: Iterable<string>): void {
  for (const name of names) {
    const reference = module.getFunction(name);
    const branches = new Branches(module);
    setBody(reference, branches.in(binaryen.getFunctionInfo(reference).body));
  }
}

/** Where a condition leads: a branch to a label if it is `when`, else on. */
interface Jump {
  readonly when: boolean;
  readonly label: string;
}

/** The conditions of one function. */
class Branches {
  readonly #module: binaryen.Module;
  #labels = 0;

  constructor(module: binaryen.Module) {
    this.#module = module;
  }

  in(body: Ref): Ref {
    return changed(body, (each) => this.#branched(each));
  }

  #branched(each: Ref): Ref {
    const tested = ifOf(each);
    if (tested !== undefined) return isCompound(tested.condition) ? this.#branchedIf(tested) : each;
    const left = breakOf(each);
    if (left === undefined || left.value !== 0 || !isCompound(left.condition)) return each;
    return this.#module.block(null, this.#jumps(left.condition, { when: true, label: left.name }));
  }

  #branchedIf({ condition, ifTrue, ifFalse }: binaryen.IfInfo): Ref {
    const module = this.#module;
    const otherwise = this.#label();
    const tests = this.#jumps(condition, { when: false, label: otherwise });
    if (ifFalse === 0) return module.block(otherwise, [...tests, ifTrue]);
    const end = this.#label();
    const isValue = [ifTrue, ifFalse].some((arm) => binaryen.getExpressionType(arm) === binaryen.i32);
    const done = isValue ? [module.br(end, undefined, ifTrue)] : [ifTrue, module.br(end)];
    const first = module.block(otherwise, [...tests, ...done], binaryen.none);
    return module.block(end, [first, ifFalse], isValue ? binaryen.i32 : binaryen.none);
  }

  #jumps(condition: Ref, { when, label }: Jump): Ref[] {
    const module = this.#module;
    if (isConst(condition)) return isZero(condition) === when ? [] : [module.br(label)];
    const negated = negatedOf(condition);
    if (negated !== undefined) return this.#jumps(negated, { when: !when, label });
    const both = bothOf(condition);
    if (both !== undefined) return this.#jumpsOfBoth(both, { when, label });
    if (binaryen.getExpressionId(condition) === binaryen.BlockId && isCompound(condition))
      return this.#jumpsOfBlock(condition, { when, label });
    return [module.br(label, when ? condition : module.i32.eqz(condition))];
  }

  #jumpsOfBoth({ first, decides, decided, other }: Both, { when, label }: Jump): Ref[] {
    if (decided === when)
      return [...this.#jumps(first, { when: decides, label }), ...this.#jumps(other, { when, label })];
    const past = this.#label();
    const tests = [
      ...this.#jumps(first, { when: decides, label: past }),
      ...this.#jumps(other, { when, label }),
    ];
    return [this.#module.block(past, tests)];
  }

  /** The value of a block is that of its last expression, or what a branch leaves it with. */
  #jumpsOfBlock(block: Ref, jump: Jump): Ref[] {
    const { name, children } = binaryen.getExpressionInfo(block) as binaryen.BlockInfo;
    const past = this.#label();
    const before = children
      .slice(0, -1)
      .map((child) => changed(child, (each) => this.#leaving(each, name, jump, past)));
    return [this.#module.block(past, [...before, ...this.#jumps(children.at(-1) ?? 0, jump)])];
  }

  /** In place of a branch that leaves a block with a value: one to where that value leads. */
  #leaving(each: Ref, name: string, { when, label }: Jump, past: string): Ref {
    const left = leaveOf(each, name);
    if (left === undefined) return each;
    if (left.condition !== 0) {
      const to = isZero(left.value) === when ? past : label;
      return this.#module.block(null, this.#jumps(left.condition, { when: true, label: to }));
    }
    return this.#module.block(null, [...this.#jumps(left.value, { when, label }), this.#module.br(past)]);
  }

  #label(): string {
    this.#labels += 1;
    return `condition ${this.#labels}`;
  }
}

/** A condition of two: if the first is `decides`, the whole is `decided`, else it is the other. */
interface Both {
  readonly first: Ref;
  readonly decides: boolean;
  readonly decided: boolean;
  readonly other: Ref;
}

function bothOf(condition: Ref): Both | undefined {
  const tested = ifOf(condition);
  if (tested === undefined) return bothBitsOf(condition);
  const { condition: first, ifTrue, ifFalse } = tested;
  if (isConst(ifTrue)) return { first, decides: true, decided: !isZero(ifTrue), other: ifFalse };
  if (isConst(ifFalse)) return { first, decides: false, decided: !isZero(ifFalse), other: ifTrue };
  return undefined;
}

/** The same for `&` and `|` of two truths, if nobody can tell whether the second has been asked. */
function bothBitsOf(condition: Ref): Both | undefined {
  const bits = binaryOf(condition);
  if (bits === undefined || !isTruth(bits.left) || !isTruth(bits.right) || !isPure(bits.right))
    return undefined;
  const { op, left: first, right: other } = bits;
  if (op === binaryen.AndInt32) return { first, decides: false, decided: false, other };
  return op === binaryen.OrInt32 ? { first, decides: true, decided: true, other } : undefined;
}

/** Whether a condition has parts that can branch by themselves. */
function isCompound(condition: Ref): boolean {
  if (condition === 0 || binaryen.getExpressionType(condition) !== binaryen.i32) return false;
  const negated = negatedOf(condition);
  if (negated !== undefined) return isCompound(negated);
  return bothOf(condition) !== undefined || isBlockOfTests(condition);
}

/** Whether all that leaves a block can be told where to go: a branch with a condition has a known value, which it drops. */
function isBlockOfTests(block: Ref): boolean {
  if (binaryen.getExpressionId(block) !== binaryen.BlockId) return false;
  const { name, children } = binaryen.getExpressionInfo(block) as binaryen.BlockInfo;
  let leaves = 0;
  let told = 0;
  for (const [index, child] of children.entries())
    visit(child, (each) => {
      if (breakOf(each)?.name === name) leaves += 1;
      const left = leaveOf(each, name);
      if (left === undefined || index === children.length - 1) return;
      // A branch without a condition is counted by itself, and not again with a drop around it.
      if (left.condition === 0 ? breakOf(each) !== undefined : isConst(left.value)) told += 1;
    });
  return leaves === told;
}

/** How an expression leaves the block of a name; undefined: it does not. A branch with a condition does so with its drop. */
function leaveOf(each: Ref, name: string): binaryen.BreakInfo | undefined {
  const isDrop = binaryen.getExpressionId(each) === binaryen.DropId;
  const left = breakOf(isDrop ? (binaryen.getExpressionInfo(each) as binaryen.DropInfo).value : each);
  if (left === undefined || left.name !== name) return undefined;
  return left.condition === 0 || isDrop ? left : undefined;
}

const COMPARISONS: ReadonlySet<number> = new Set([
  binaryen.EqInt32,
  binaryen.NeInt32,
  binaryen.LtUInt32,
  binaryen.LeUInt32,
  binaryen.GtUInt32,
  binaryen.GeUInt32,
]);

/** Whether an expression is 0 or 1 for sure. */
function isTruth(expression: Ref): boolean {
  const op = binaryOf(expression)?.op;
  if (op !== undefined && COMPARISONS.has(op)) return true;
  return negatedOf(expression) !== undefined || bothBitsOf(expression) !== undefined;
}

const PURE: ReadonlySet<number> = new Set([
  binaryen.ConstId,
  binaryen.LocalGetId,
  binaryen.GlobalGetId,
  binaryen.LoadId,
  binaryen.UnaryId,
  binaryen.BinaryId,
]);

function isPure(expression: Ref): boolean {
  let pure = true;
  visit(expression, (each) => {
    if (!PURE.has(binaryen.getExpressionId(each))) pure = false;
  });
  return pure;
}

function negatedOf(condition: Ref): Ref | undefined {
  if (binaryen.getExpressionId(condition) !== binaryen.UnaryId) return undefined;
  const { op, value } = binaryen.getExpressionInfo(condition) as binaryen.UnaryInfo;
  return op === binaryen.EqZInt32 ? value : undefined;
}

function ifOf(expression: Ref): binaryen.IfInfo | undefined {
  if (binaryen.getExpressionId(expression) !== binaryen.IfId) return undefined;
  return binaryen.getExpressionInfo(expression) as binaryen.IfInfo;
}

function binaryOf(expression: Ref): binaryen.BinaryInfo | undefined {
  if (binaryen.getExpressionId(expression) !== binaryen.BinaryId) return undefined;
  return binaryen.getExpressionInfo(expression) as binaryen.BinaryInfo;
}

function breakOf(expression: Ref): binaryen.BreakInfo | undefined {
  if (binaryen.getExpressionId(expression) !== binaryen.BreakId) return undefined;
  return binaryen.getExpressionInfo(expression) as binaryen.BreakInfo;
}

function isConst(expression: Ref): boolean {
  return expression !== 0 && binaryen.getExpressionId(expression) === binaryen.ConstId;
}

function isZero(constant: Ref): boolean {
  return (binaryen.getExpressionInfo(constant) as binaryen.ConstInfo).value === 0;
}
