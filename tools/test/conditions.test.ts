// Conditions made branches, on small modules: the same answers, the same effects, and no truth made to be tested.

import binaryen from "binaryen";
import { describe, expect, it } from "vitest";
import { expressionsOf } from "../../packages/wasm/src/format/expressions.ts";
import { branchOnConditions } from "../conditions.ts";

const { visit } = expressionsOf(binaryen);

const X = "(local.get 0)";
const Y = "(local.get 1)";
const and = (a: string, b: string) => `(if (result i32) ${a} (then ${b}) (else (i32.const 0)))`;
const or = (a: string, b: string) => `(if (result i32) ${a} (then (i32.const 1)) (else ${b}))`;
const not = (a: string) => `(i32.eqz ${a})`;
const less = (a: string, b: string) => `(i32.lt_u ${a} ${b})`;
const note = (value: string) => `(block (result i32) (global.set $noted (i32.const 1)) ${value})`;
/** A function's answer, as it is inlined: left early, with what is known or with what is asked then. */
const answer = (first: string, second: string) =>
  `(block $answer (result i32) (drop (br_if $answer (i32.const 0) ${first})) (if ${second} (then (br $answer ${X}))) ${Y})`;

const CONDITIONS: Readonly<Record<string, string>> = {
  "a && b": and(X, Y),
  "a || b": or(X, Y),
  "!(a && b)": not(and(X, Y)),
  "!(a || !b)": not(or(X, not(Y))),
  "a ? 0 : b": `(if (result i32) ${X} (then (i32.const 0)) (else ${Y}))`,
  "a ? b : 1": `(if (result i32) ${X} (then ${Y}) (else (i32.const 1)))`,
  "(a && b) || (b && !a)": or(and(X, Y), and(Y, not(X))),
  "(a || b) && (b || !a)": and(or(X, Y), or(Y, not(X))),
  "a < b & b < 2": `(i32.and ${less(X, Y)} ${less(Y, "(i32.const 2)")})`,
  "a < b | b < 2": `(i32.or ${less(X, Y)} ${less(Y, "(i32.const 2)")})`,
  "a & b, which are no truths": `(i32.and ${X} ${Y})`,
  "a < b & (noted, b < 2)": `(i32.and ${less(X, Y)} ${note(less(Y, "(i32.const 2)"))})`,
  "a && (noted, b)": and(X, note(Y)),
  "a || (noted, b)": or(X, note(Y)),
  "a function's answer": answer(X, Y),
  "the contrary of one": not(answer(Y, X)),
  "an answer inside another": `(block $whole (result i32) (drop (br_if $whole (i32.const 1) ${answer(X, Y)})) ${and(Y, X)})`,
  "a block that is left with a value that is asked for first": `(block $b (result i32) (drop (br_if $b ${Y} ${X})) ${Y})`,
};

/** What tests a condition, and gives 1 if it holds. */
const TESTS: Readonly<Record<string, (condition: string) => string>> = {
  if: (c) => `(local.set 2 (i32.const 0)) (if ${c} (then (local.set 2 (i32.const 1)))) (local.get 2)`,
  "if and else": (c) =>
    `(if ${c} (then (local.set 2 (i32.const 1))) (else (local.set 2 (i32.const 0)))) (local.get 2)`,
  "a value": (c) => `(if (result i32) ${c} (then (i32.const 1)) (else (i32.const 0)))`,
  return: (c) => `(if ${c} (then (return (i32.const 1)))) (i32.const 0)`,
  br_if: (c) => `(block $out (br_if $out ${c}) (return (i32.const 0))) (i32.const 1)`,
};

function moduleOf(body: string): binaryen.Module {
  const module = binaryen.parseText(
    `(module (global $noted (export "noted") (mut i32) (i32.const 0))
       (func $f (export "f") (param i32 i32) (result i32) (local i32) ${body}))`,
  );
  module.setFeatures(binaryen.Features.All);
  return module;
}

/** What a module's function answers, and whether it has noted anything, for each pair of small numbers. */
function answersOf(module: binaryen.Module): string[] {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(module.emitBinary())));
  const { f, noted } = instance.exports;
  if (typeof f !== "function" || !(noted instanceof WebAssembly.Global)) throw new Error("no such exports");
  const answers: string[] = [];
  for (const x of [0, 1, 2, 3])
    for (const y of [0, 1, 2, 3]) {
      noted.value = 0;
      answers.push(`${x},${y}: ${f(x, y)} ${noted.value}`);
    }
  return answers;
}

/** How many truths are made of others only to be tested. */
function testedTruths(module: binaryen.Module): number {
  let count = 0;
  visit(binaryen.getFunctionInfo(module.getFunction("f")).body, (each) => {
    if (binaryen.getExpressionId(each) !== binaryen.IfId) return;
    let isMade = false;
    visit((binaryen.getExpressionInfo(each) as binaryen.IfInfo).condition, (part) => {
      if ([binaryen.IfId, binaryen.BlockId].includes(binaryen.getExpressionId(part))) isMade = true;
    });
    if (isMade) count += 1;
  });
  return count;
}

describe("branchOnConditions", () => {
  describe.each(Object.entries(CONDITIONS))("%s", (_name, condition) => {
    it.each(Object.entries(TESTS))("tested by %s, answers the same and does the same", (_test, tested) => {
      const before = answersOf(moduleOf(tested(condition)));
      const module = moduleOf(tested(condition));
      branchOnConditions(module, ["f"]);
      expect(module.validate()).toBe(1);
      expect(answersOf(module)).toEqual(before);
    });
  });

  it("leaves no truth that is made only to be tested", () => {
    for (const name of ["a && b", "!(a || !b)", "(a || b) && (b || !a)", "a function's answer"]) {
      const module = moduleOf(TESTS["if"]?.(CONDITIONS[name] ?? "") ?? "");
      expect(testedTruths(module)).toBeGreaterThan(0);
      branchOnConditions(module, ["f"]);
      expect(testedTruths(module)).toBe(0);
    }
  });

  it("leaves a function as it is that is not named", () => {
    const module = moduleOf(TESTS["if"]?.(and(X, Y)) ?? "");
    const before = module.emitText();
    branchOnConditions(module, []);
    expect(module.emitText()).toBe(before);
  });
});
