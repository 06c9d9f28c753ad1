// Folds what a module computes of numbers alone when it is loaded: `const LIVE = 2 ** 27` becomes `const LIVE = 134217728`.
//
// Owns:  which expressions are numbers, whoever reads them.
// Needs: pure; a module in one file, whose constants come before their use.
//
// To a bundler, `2 ** 27` may do anything: esbuild keeps it in pages that use nothing of it. Rolldown folds only what gets
// shorter by that.

import { parseAst } from "rolldown/parseAst";
import { type Expression, nodesIn } from "./pure.ts";

type Numbers = ReadonlyMap<string, number>;

const OPERATIONS: Readonly<Record<string, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "**": (left, right) => left ** right,
  "<<": (left, right) => left << right,
};

/** The code of a module in which such numbers are literals. */
export function fold(code: string): string {
  const numbers = new Map<string, number>();
  let text = "";
  let done = 0;
  for (const statement of parseAst(code).body) {
    if (statement.type !== "VariableDeclaration" || statement.kind !== "const") continue;
    for (const { id, init } of statement.declarations) {
      if (init === null) continue;
      // From the outermost on: what lies in one that is a number has been done with it.
      for (const node of nodesIn(init)) {
        const number = node.start < done || !isOperation(node) ? undefined : numberOf(node, numbers);
        if (number === undefined) continue;
        text += code.slice(done, node.start) + number;
        done = node.end;
      }
      const number = numberOf(init, numbers);
      if (id.type === "Identifier" && number !== undefined) numbers.set(id.name, number);
    }
  }
  return text + code.slice(done);
}

function isOperation(node: { readonly type: string }): node is Expression {
  return node.type === "BinaryExpression";
}

/** What an expression is, if it is a number whatever happens. */
function numberOf(expression: Expression, numbers: Numbers): number | undefined {
  if (expression.type === "Literal")
    return typeof expression.value === "number" ? expression.value : undefined;
  if (expression.type === "Identifier") return numbers.get(expression.name);
  if (expression.type === "UnaryExpression" && expression.operator === "-") {
    const number = numberOf(expression.argument, numbers);
    return number === undefined ? undefined : -number;
  }
  if (expression.type !== "BinaryExpression" || expression.left.type === "PrivateIdentifier")
    return undefined;
  const left = numberOf(expression.left, numbers);
  const right = numberOf(expression.right, numbers);
  return left === undefined || right === undefined
    ? undefined
    : OPERATIONS[expression.operator]?.(left, right);
}
