// Marks what a module does when it is loaded as free of effects, so that any bundler drops what its user does not import.
//
// Owns:  where the marks stand: `/* @__PURE__ */` before calls, and around classes and values that bundlers keep to be safe.
// Needs: rolldown's parser; that loading our modules has no effects, which test/packages/bundles.test.ts holds.
//
// esbuild keeps a class that has a member with a computed name, and an object with a spread, since to compute either could do
// anything. Inside of a function that is marked, and called on the spot, all of them drop it.

import { parseAst } from "rolldown/parseAst";

type Tree = ReturnType<typeof parseAst>;
type Statement = Tree["body"][number];
type Declarations = Extract<Statement, { readonly type: "VariableDeclaration" }>["declarations"];
export type Expression = NonNullable<Declarations[number]["init"]>;
/** Any node, as far as a walk needs it. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** A class, as far as it matters what runs when it is made. */
interface ClassNode extends Node {
  readonly superClass: Node | null;
  readonly body: { readonly body: readonly Member[] };
}

interface Member extends Node {
  readonly computed?: boolean;
  readonly static?: boolean;
  readonly key?: Node;
  readonly value?: Node | null;
}

const PURE = "/* @__PURE__ */ ";
const CALLS = new Set(["CallExpression", "NewExpression"]);
/** What does not run when it is read. */
const LATER = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);
/** What bundlers keep, whatever is marked within. */
const KEPT = new Set(["SpreadElement", "TemplateLiteral", "MemberExpression", "BinaryExpression"]);

/** The code of a module with its marks. */
export function pure(code: string): string {
  const insertions = parseAst(code).body.flatMap((statement) => marksOf(statement, code));
  const ordered = insertions.map((one, order) => ({ ...one, order }));
  // From the last to the first, so that places stay right; of two at one place the first stays before.
  ordered.sort((a, b) => b.at - a.at || b.order - a.order);
  return ordered.reduce((text, { at, text: mark }) => text.slice(0, at) + mark + text.slice(at), code);
}

function marksOf(statement: Statement, code: string): Insertion[] {
  if (statement.type !== "VariableDeclaration") return [];
  return statement.declarations.flatMap(({ id, init }) => {
    if (init === null) return [];
    return id.type === "Identifier" && isClass(init) ? marksOfClass(id.name, init) : marksOfValue(init, code);
  });
}

/** Rolldown makes `var Name = class` of each: the name inside is what gives the class its own. */
function marksOfClass(name: string, made: ClassNode): Insertion[] {
  if (!runsCode(made)) return [];
  return [
    { at: made.start, text: `${PURE}(() => { const ${name} = ` },
    { at: made.end, text: `; return ${name}; })()` },
  ];
}

function marksOfValue(value: Node, code: string): Insertion[] {
  const nodes = nodesIn(value);
  const calls = nodes.filter(({ type, start }) => CALLS.has(type) && !code.slice(0, start).endsWith(PURE));
  const marks = calls.map(({ start }) => ({ at: start, text: PURE }));
  if (!nodes.some((node) => KEPT.has(node.type) || isClass(node))) return marks;
  return [{ at: value.start, text: `${PURE}(() => (` }, ...marks, { at: value.end, text: "))()" }];
}

function isClass(node: Node): node is ClassNode {
  return node.type === "ClassExpression";
}

/** Whether to make a class could have an effect, as far as bundlers look. */
function runsCode({ superClass, body }: ClassNode): boolean {
  const isComputed = body.body.some((member) => member.computed === true || isStaticValue(member));
  return isComputed || (superClass !== null && superClass.type !== "Identifier");
}

function isStaticValue({ type, static: isStatic }: Member): boolean {
  return type === "StaticBlock" || (type === "PropertyDefinition" && isStatic === true);
}

/** A node and those within that run when it is read. */
export function nodesIn(node: Node): Node[] {
  if (LATER.has(node.type) || isClass(node)) return [node];
  const within = Object.values(node)
    .flatMap((value: unknown) => (Array.isArray(value) ? value : [value]))
    .filter(isNode);
  return [node, ...within.flatMap(nodesIn)];
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
