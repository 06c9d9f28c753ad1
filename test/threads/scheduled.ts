// Scheduled: the kernel, from its sources as they are, with calls that can stop before any access to memory while another thread's call
// goes on. Every function of the kernel that takes a machine becomes a generator; machine.ts beside this file stands for the kernel's.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { parseAst } from "rollup/parseAst";
import type { Machine as KernelMachine } from "../../packages/morecore/src/kernel/machine.ts";
import type { Machine, Steps } from "./machine.ts";

type Common = typeof import("../../packages/morecore/src/kernel/common.ts");
type Family = typeof import("../../packages/morecore/src/kernel/family.ts");
type Check = typeof import("../../packages/morecore/src/kernel/check-common.ts");
type Idle = typeof import("../../packages/morecore/src/kernel/slab-idle.ts");
type Mail = typeof import("../../packages/morecore/src/kernel/slab-mail.ts");
type Units = typeof import("../../packages/morecore/src/kernel/units.ts");

type Sources = Omit<Family, keyof Common> &
  Common &
  Check &
  Pick<Idle, "flushSlabs" | "leaveClasses"> &
  Pick<Mail, "collectListed" | "readMail"> &
  Pick<Units, "giveUnits" | "takeUnits">;

type Stepwise<F> = F extends (m: KernelMachine, ...rest: infer Rest) => infer Result
  ? (m: Machine, ...rest: Rest) => Steps<Result>
  : F;

export type ScheduledKernel = { readonly [Name in keyof Sources]: Stepwise<Sources[Name]> };

/** A text of the kernel's sources, which occurs there once, and another in its place: a kernel that is wrong. */
export type Change = readonly [text: string, other: string];

const KERNEL = fileURLToPath(new URL("../../packages/morecore/src/kernel/", import.meta.url));
const MACHINE = fileURLToPath(new URL("machine.ts", import.meta.url));

const ENTRY = `
export * from "./family.ts";
export * from "./common.ts";
export * from "./check-common.ts";
export { flushSlabs, leaveClasses } from "./slab-idle.ts";
export { collectListed, readMail } from "./slab-mail.ts";
export { giveUnits, takeUnits } from "./units.ts";
`;

/** The calls of a machine that stop before they act, and those that stop at every word. */
const ACCESSES = new Set([
  "load32",
  "store32",
  "loadShared",
  "storeShared",
  "exchange",
  "compareExchange",
  "orShared",
  "andShared",
  "addShared",
]);
const LONG = new Set(["zero", "copy", "size", "grow"]);

export async function scheduledKernel(changes: readonly Change[] = []): Promise<ScheduledKernel> {
  const text = withStops(await bundle(changes));
  const folder = mkdtempSync(join(tmpdir(), "morecore-scheduled-"));
  try {
    const file = join(folder, "kernel.mjs");
    writeFileSync(file, text);
    return await import(/* @vite-ignore */ pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The kernel as one module, with other texts in the places of some. */
async function bundle(changes: readonly Change[]): Promise<string> {
  const left = new Set(changes);
  const plugin: Plugin = {
    name: "scheduled",
    setup(esbuild) {
      esbuild.onResolve({ filter: /(^|\/)machine\.ts$/ }, () => ({ path: MACHINE, sideEffects: false }));
      esbuild.onLoad({ filter: /\/kernel\/[^/]+\.ts$/ }, ({ path }) => ({
        contents: changed(readFileSync(path, "utf8"), changes, left),
        loader: "ts",
      }));
    },
  };
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: KERNEL, loader: "ts", sourcefile: "entry.ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    plugins: [plugin],
  });
  for (const [text] of left) throw new Error(`the kernel has no such text any more: ${text}`);
  return (outputFiles[0] as { readonly text: string }).text;
}

function changed(source: string, changes: readonly Change[], left: Set<Change>): string {
  let text = source;
  for (const change of changes) {
    const [from, to] = change;
    const parts = text.split(from);
    if (parts.length === 1) continue;
    if (parts.length > 2 || !left.delete(change)) throw new Error(`the kernel has this twice: ${from}`);
    text = parts.join(to);
  }
  return text;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

function* nodesIn(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* nodesIn(child);
  }
}

function nameOf(value: unknown): string {
  return isNode(value) && value.type === "Identifier" ? String(value["name"]) : "";
}

/** A text to put in at a place; at one place, in the order in which they were found. */
type Insertion = readonly [at: number, text: string, instead: number];

/** A module in which what takes a machine, or the words of one, is a generator that yields before each access. */
function withStops(module: string): string {
  const program: unknown = parseAst(module);
  if (!isNode(program)) throw new Error("the kernel could not be parsed");
  const nodes = [...nodesIn(program)];
  const functions = nodes.filter((node) => node.type === "FunctionDeclaration" && takesMachine(node));
  const generators = new Set(functions.map((node) => nameOf(node["id"])));
  const insertions = functions.flatMap(asGenerator);
  for (const node of nodes)
    if (node.type === "CallExpression") insertions.push(...stopsOf(node, module, generators));
  let text = "";
  let done = 0;
  for (const [at, added, instead] of insertions.sort((a, b) => a[0] - b[0])) {
    text += module.slice(done, at) + added;
    done = at + instead;
  }
  return text + module.slice(done);
}

/** A function that tells its machine when it begins, and that can stop. */
function asGenerator(node: Node): Insertion[] {
  const body = node["body"] as Node;
  const machine = nameOf((node["params"] as readonly unknown[])[0]);
  return [
    [node.start + "function".length, "*", 0],
    [body.start + 1, `${machine}.enter();`, 0],
  ];
}

function takesMachine(node: Node): boolean {
  const parameters = node["params"];
  return Array.isArray(parameters) && ["m", "words"].includes(nameOf(parameters[0]));
}

function stopsOf(call: Node, module: string, generators: ReadonlySet<string>): Insertion[] {
  const callee = call["callee"] as Node;
  const given = call["arguments"] as readonly Node[];
  const named = nameOf(callee);
  if (generators.has(named) && !ACCESSES.has(named)) return delegated(call, textOf(given[0], module));
  if (ACCESSES.has(named)) {
    return access(call, textOf(given[0], module), named, (given[1] as Node).start);
  }
  if (callee.type !== "MemberExpression" || nameOf(callee["object"]) !== "m") return [];
  const method = nameOf(callee["property"]);
  if (LONG.has(method)) return delegated(call, "m");
  return ACCESSES.has(method) ? access(call, "m", method, (given[0] as Node).start) : [];
}

function textOf(node: Node | undefined, module: string): string {
  return node === undefined ? "" : module.slice(node.start, node.end);
}

/** A call of a generator; its machine is told what it has returned. */
function delegated(call: Node, machine: string): Insertion[] {
  return [
    [call.start, `${machine}.back(yield* `, 0],
    [call.end, ")", 0],
  ];
}

/** An access, in two parts: all that goes in is known, then the call may stop, then it is done. */
function access(call: Node, machine: string, method: string, from: number): Insertion[] {
  return [
    [call.start, `(${machine}.ready(`, from - call.start],
    [call.end, ` && (yield), ${machine}.${method}())`, 0],
  ];
}
