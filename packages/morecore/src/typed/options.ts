// Options of arenas, maps and containers: unknown names and bad values are refused by name.

import { describe } from "../memory/arguments.ts";
import { isType } from "./type.ts";

/** What an option may be: a string, a function or a type, or a whole number from one bound to the other. */
export type OptionRule = "a string" | "a function" | "a type" | readonly [least: number, most: number];

export function checkOptions(what: string, options: object, rules: Record<string, OptionRule>): void {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`${what}: expected options in an object, got ${describe(options)}`);
  for (const name in options) {
    const value: unknown = options[name as keyof typeof options];
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined)
      throw new TypeError(
        `${what}: unknown option ${describe(name)}; known are ${Object.keys(rules).join(", ")}`,
      );
    if (value !== undefined) checkValue(`${what}: ${name}`, value, rule);
  }
}

/** Throws a RangeError unless a value is as a rule says. */
export function checkValue(what: string, value: unknown, rule: OptionRule): void {
  if (holds(rule, value)) return;
  const wanted = typeof rule === "string" ? rule : `an integer from ${rule[0]} to ${rule[1]}`;
  throw new RangeError(`${what}: expected ${wanted}, got ${describe(value)}`);
}

function holds(rule: OptionRule, value: unknown): boolean {
  if (rule === "a string") return typeof value === "string";
  if (rule === "a function") return typeof value === "function";
  if (rule === "a type") return isType(value);
  return Number.isInteger(value) && (value as number) >= rule[0] && (value as number) <= rule[1];
}
