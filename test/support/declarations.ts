// Declarations: what a package's users see of it in an editor: the names that it exports, their members, and the comments on them.
//
// Owns:  reading dist/*.d.ts as tsc writes them: one declaration a line, members indented by four spaces. TypeScript 7 has no
//        interface for programs to ask.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A name that is exported, or a member of one. */
export interface Declaration {
  /** "Vec", or "Vec.push". */
  readonly name: string;
  readonly kind: "class" | "function" | "const" | "interface" | "type" | "member";
  /** Without its stars; empty: there is none. */
  readonly comment: string;
  /** The file, and the line in it. */
  readonly at: string;
}

/** Where an exported name is declared, and what it is called there. */
interface Place {
  readonly file: string;
  readonly local: string;
}

/** All that the entry of a package gives to its users. */
export function declarationsOf(entry: string): Declaration[] {
  return [...exportsOf(entry)].flatMap(([name, { file, local }]) => declarationsNamed(name, local, file));
}

/** The names that the entry of a package exports. */
export function namesOf(entry: string): string[] {
  return [...exportsOf(entry).keys()];
}

function exportsOf(file: string): Map<string, Place> {
  const text = readFileSync(file, "utf8");
  const found = new Map<string, Place>();
  for (const [, name = ""] of text.matchAll(
    /^export (?:declare )?(?:abstract )?(?:class|function|const|interface|type) (\w+)/gm,
  ))
    found.set(name, { file, local: name });
  for (const [, list = "", from] of text.matchAll(
    /^export (\*|(?:type )?\{[^}]*\})(?: from "([^"]+)")?;$/gm,
  )) {
    const there = from === undefined ? file : join(dirname(file), from.replace(/\.[tj]s$/, ".d.ts"));
    const inner = from === undefined ? found : exportsOf(there);
    if (list === "*") for (const [name, place] of inner) found.set(name, place);
    else
      for (const [local, name] of namesIn(list)) found.set(name, inner.get(local) ?? { file: there, local });
  }
  return found;
}

/** Of `{ type A, B as C }`: A as A, and B as C. */
function namesIn(list: string): [local: string, name: string][] {
  const names = list.replace(/^type |[{}]/g, "").split(",");
  return names
    .map((name) => name.trim().replace(/^type /, ""))
    .filter((name) => name !== "")
    .map((name) => [name.split(" as ")[0] ?? name, name.split(" as ").at(-1) ?? name]);
}

function declarationsNamed(name: string, local: string, file: string): Declaration[] {
  const lines = readFileSync(file, "utf8").split("\n");
  const found: Declaration[] = [];
  const head = new RegExp(
    `^(?:export )?(?:declare )?(?:abstract )?(class|function|const|interface|type) ${local}\\b`,
  );
  lines.forEach((line, index) => {
    const [, kind] = head.exec(line) ?? [];
    if (kind === undefined) return;
    const at = (row: number): string => `${file}:${row + 1}`;
    found.push({
      name,
      kind: kind as Declaration["kind"],
      comment: commentBefore(lines, index),
      at: at(index),
    });
    if (kind !== "class" && kind !== "interface") return;
    for (const [member, row] of membersFrom(lines, index))
      found.push({
        name: `${name}.${member}`,
        kind: "member",
        comment: commentBefore(lines, row),
        at: at(row),
      });
    for (const inherited of basesOf(line, name, lines, file)) found.push(...inherited);
  });
  // Of overloads, and of a getter with its setter, the first has the comment.
  return found.filter(({ name: one }, index) => found.findIndex((other) => other.name === one) === index);
}

/** What a class or an interface has from those of the package's that it extends, as members of its own. */
function basesOf(line: string, name: string, lines: readonly string[], file: string): Declaration[][] {
  const heritage = /\bextends (.*?)(?: implements .*)?\{/.exec(line)?.[1] ?? "";
  const bases = heritage
    .replace(/<(?:[^<>]|<[^<>]*>)*>/g, "")
    .split(",")
    .filter((text) => text.trim() !== "");
  return bases.map((text) => {
    const base = text.trim();
    const imported = new RegExp(`^import .*\\b${base}\\b.* from "(\\.[^"]+)";`).exec(
      lines.find((one) => new RegExp(`^import .*\\b${base}\\b`).test(one)) ?? "",
    );
    const there =
      imported === null ? file : join(dirname(file), (imported[1] ?? "").replace(/\.[tj]s$/, ".d.ts"));
    return declarationsNamed(base, base, there)
      .filter(({ kind }) => kind === "member")
      .map((member) => ({ ...member, name: member.name.replace(base, name) }));
  });
}

/** The public members by name, and their lines. */
function* membersFrom(lines: readonly string[], from: number): Generator<[string, number]> {
  if ((lines[from] ?? "").endsWith("}")) return;
  for (let row = from + 1; row < lines.length && lines[row] !== "}"; row++) {
    const line = lines[row] ?? "";
    const [, hidden, name] =
      /^ {4}(?:(private|protected)\s)?(?:static |abstract |readonly |get |set |override )*([\w$]+)\??[(<:;]/.exec(
        line,
      ) ?? [];
    if (name !== undefined && hidden === undefined && !line.startsWith("    *")) yield [name, row];
  }
}

/** The comment that ends on the line before. */
function commentBefore(lines: readonly string[], row: number): string {
  let first = row - 1;
  if (!(lines[first] ?? "").trimEnd().endsWith("*/")) return "";
  while (first > 0 && !(lines[first] ?? "").includes("/**")) first--;
  const text = lines.slice(first, row).join("\n");
  return text
    .replace(/^\s*\/\*\*|\*\/\s*$/g, "")
    .replace(/^\s*\* ?/gm, "")
    .trim();
}
