// Numbers: options that are counts.
//
// Owns:  which texts are taken for numbers.
// Needs: commander, whose errors name the option.

import { InvalidArgumentError } from "commander";

/**
 * 0 or more.
 *
 * @example
 *
 * ```ts
 * console.log(wholeNumber("0")); // 0
 * ```
 */
export function wholeNumber(text: string): number {
  if (isCount(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number, 0 or more.");
}

/**
 * 1 or more.
 *
 * @example
 *
 * ```ts
 * console.log(positiveNumber("3")); // 3
 * ```
 */
export function positiveNumber(text: string): number {
  if (isCount(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("It must be a whole number, 1 or more.");
}

function isCount(text: string): boolean {
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text));
}
