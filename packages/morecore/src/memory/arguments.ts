// Arguments: telling good numbers from bad ones at the border between JavaScript and the kernel.
//
// The kernel takes unsigned 32-bit numbers. What is none is refused here, with the value and the rule in the message.

/** Whether a number can be handed to the kernel as it is. */
export function isWord(value: number): boolean {
  return typeof value === "number" && value >>> 0 === value;
}

/** Throws unless a value is an integer from 0 to 2^32 - 1. Call it where isWord said no. */
export function refuseWord(name: string, value: unknown): never {
  const isNumber = typeof value === "number";
  const wanted = isNumber ? "an integer from 0 to 4294967295" : "a number";
  throw new (isNumber ? RangeError : TypeError)(`${name}: expected ${wanted}, got ${describe(value)}`);
}

export function checkWord(name: string, value: number): void {
  if (!isWord(value)) refuseWord(name, value);
}

export function checkPowerOfTwo(name: string, value: number): void {
  checkWord(name, value);
  if (value === 0 || (value & (value - 1)) !== 0) {
    throw new RangeError(`${name}: expected a power of two, got ${describe(value)}`);
  }
}

/** Throws unless options are an object, all of whose keys are known. */
export function checkKeys(options: unknown, known: readonly string[]): asserts options is object {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`options: expected an object, got ${describe(options)}`);
  for (const key of Object.keys(options)) if (!known.includes(key)) refuseKey(key, known);
}

/** Throws for the name of an option that is none. */
export function refuseKey(key: string, known: readonly string[]): never {
  throw new TypeError(`options: unknown option ${describe(key)}; known are ${known.join(", ")}`);
}

/** A value as it is shown in messages. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null)
    return `an object of class ${value.constructor?.name ?? "null"}`;
  return String(value);
}

/** A 32-bit address as it is written in messages. */
export function hex(address: number): string {
  return `0x${address.toString(16).padStart(8, "0")}`;
}
