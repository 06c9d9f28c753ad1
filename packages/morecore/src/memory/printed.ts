// Printed: what console.log, and an assertion that fails, show of an object: what it is and what is in it, in one to ten lines.
//
// Owns:  how printers ask, and how much of a value they get.
// Needs: slots.
// Invariants: PR1  printing only reads, and throws nothing: of what has ended it tells that
//
// The consoles of Node, Deno and Bun ask for Node's symbol, as chai does. pretty-format (Vitest, Jest) does not. It calls
// toJSON only where both sides are of one type and print differently, and else shows all that an object leads to: all of the
// memory. What it always looks at is `$$typeof`, and that decides about printing alone: equality asks for `asymmetricMatch`,
// which nothing here has. And Vitest copies first what has no toStringTag of its own.

import { isError } from "./slots.ts";

/** What Node's util.inspect, and so console.log, calls. */
export const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** Entries and characters that are shown; the rest is counted. */
const MOST_ENTRIES = 5;
const MOST_CHARACTERS = 60;
const LINE = 80;
/** How deep what lies in an entry is shown. */
const DEPTH = 2;

/** An object that says itself what is printed of it. */
export abstract class Printed {
  /** What it is, and what is in it. Reads only; may throw. */
  protected abstract summary(): string;

  get [Symbol.toStringTag](): string {
    return this.constructor.name;
  }

  [INSPECT](): string {
    return printed(() => this.summary());
  }

  protected get $$typeof(): symbol {
    return Symbol.for("jest.asymmetricMatcher");
  }

  protected toAsymmetricMatcher(): string {
    return this[INSPECT]();
  }

  /** For what writes JSON, as loggers do: the same in a string. */
  toJSON(): unknown {
    return this[INSPECT]();
  }
}

/** The same for a plain object: what is spread into it. A literal and nothing else, so that bundlers drop what is unused. */
export function printing(summary: (this: never) => string): object {
  return { [INSPECT]: summary, $$typeof: Symbol.for("jest.asymmetricMatcher"), toAsymmetricMatcher: summary };
}

/** The same for an object that has to be as it is for loops over its names. */
export function printable<T extends object>(made: T, summary: (this: T) => string): T {
  const ways = printing(summary);
  for (const way of Reflect.ownKeys(ways))
    Object.defineProperty(made, way, { value: ways[way as keyof typeof ways] });
  return made;
}

/** A summary, or what it throws. */
export function printed(summary: () => string): string {
  try {
    return summary();
  } catch (error) {
    return `<${isError(error) ? error.message : String(error)}>`;
  }
}

/** Some entries of many, in brackets: on one line, or on one each. */
export function listed(
  count: number,
  entry: (index: number) => string,
  brackets = "[]",
  width = LINE,
): string {
  const shown = Array.from({ length: Math.min(count, MOST_ENTRIES) }, (_, index) => entry(index));
  if (count > MOST_ENTRIES) shown.push(`… ${count - MOST_ENTRIES} more`);
  const [open, close] = brackets;
  if (shown.length === 0) return brackets;
  const line = shown.join(", ");
  return line.length <= width ? `${open} ${line} ${close}` : `${open}\n  ${shown.join(",\n  ")}\n${close}`;
}

/** A plain value, as a program would write it, as far as it is short. */
export function shown(value: unknown, depth = DEPTH): string {
  if (typeof value === "string") return JSON.stringify(cut(value));
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  const entries = Object.entries(value);
  const brackets = Array.isArray(value) ? "[]" : "{}";
  if (depth === 0 && entries.length > 0) return `${brackets[0]}…${brackets[1]}`;
  const entry = (index: number): string => {
    const [key, one] = entries[index] as [string, unknown];
    return brackets === "[]" ? shown(one, depth - 1) : `${cut(key)}: ${shown(one, depth - 1)}`;
  };
  return listed(entries.length, entry, brackets, Number.POSITIVE_INFINITY);
}

/** A text's beginning. */
export function cut(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}

/** A number of bytes, for people: 65536 is "64 KiB". */
export function bytesText(bytes: number): string {
  const unit = bytes < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** unit).toFixed(1))} ${["bytes", "KiB", "MiB", "GiB"][unit]}`;
}
