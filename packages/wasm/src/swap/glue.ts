// Glue: which exports a module's JavaScript calls malloc and free.
//
// Owns:  the reading of Emscripten's glue, where the exports' names are minified: `k._malloc=c.Ia`.
// Needs: acorn.
//
// What counts is an assignment, a declaration or a property whose name is one of the family's. Its value,
// however it is wrapped, must read exactly one member that is named as an export of the module.

import { type Expression, type Node, parse } from "acorn";
import { full, simple } from "acorn-walk";

/**
 * The glue is no JavaScript that can be read.
 *
 * @example
 *
 * ```ts
 * const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
 * try {
 *   inspectModule(empty, { glue: "function (" });
 * } catch (error) {
 *   console.log(error instanceof GlueError); // true
 * }
 * ```
 */
export class GlueError extends Error {
  override readonly name = "GlueError";
}

/** C name → export name. A name that is used for two exports is left out. */
export function readGlue(
  source: string,
  exported: ReadonlySet<string>,
  names: (name: string) => boolean,
): Map<string, string> {
  const found = new Map<string, Set<string>>();
  const note = (name: string | undefined, value: Node | null | undefined) => {
    if (name === undefined || value === null || value === undefined || !names(name)) return;
    const members = membersOf(value, exported);
    if (members.size !== 1) return;
    const known = found.get(name) ?? new Set();
    for (const member of members) known.add(member);
    found.set(name, known);
  };
  const parsed = parseAny(source);
  try {
    simple(parsed, {
      AssignmentExpression: ({ left, right }) => note(nameOf(left), right),
      VariableDeclarator: ({ id, init }) => note(nameOf(id), init),
      Property: ({ key, value }) => note(nameOf(key), value),
    });
  } catch (error) {
    // What the parser reads in a loop, a sum of very many parts, the walk goes down into.
    if (error instanceof RangeError) throw new GlueError("its expressions are nested too deeply");
    throw error;
  }
  return new Map(
    [...found].filter(([, members]) => members.size === 1).map(([name, [member]]) => [name, String(member)]),
  );
}

function parseAny(source: string): Node {
  const options = { ecmaVersion: "latest", allowHashBang: true, allowReturnOutsideFunction: true } as const;
  try {
    return parse(source, { ...options, sourceType: "module" });
  } catch {
    // A classic script may use what modules forbid.
  }
  try {
    return parse(source, { ...options, sourceType: "script" });
  } catch (error) {
    throw new GlueError(
      `it cannot be read as JavaScript: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** `_malloc`, `Module._malloc`, `Module["_malloc"]`, `"_malloc"`. */
function nameOf(node: Node): string | undefined {
  // acorn's nodes are told apart by their `type`; only Expression is a union that TypeScript can narrow.
  const expression = node as Expression;
  if (expression.type === "Identifier") return expression.name;
  if (expression.type === "Literal")
    return typeof expression.value === "string" ? expression.value : undefined;
  if (expression.type === "MemberExpression") return nameOf(expression.property);
  return undefined;
}

/** The exports that an expression reads as members, or names in a call such as `J("malloc")`. */
function membersOf(value: Node, exported: ReadonlySet<string>): Set<string> {
  const members = new Set<string>();
  const note = (name: string | undefined) => {
    if (name !== undefined && exported.has(name)) members.add(name);
  };
  full(value, (node) => {
    const expression = node as Expression;
    if (expression.type === "MemberExpression" && expression.object.type !== "Super")
      note(nameOf(expression.property));
    if (expression.type === "CallExpression")
      for (const argument of expression.arguments) if (argument.type === "Literal") note(nameOf(argument));
  });
  return members;
}
