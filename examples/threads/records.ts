// Records: lines of JSON, and what is wanted of each line. Nothing here knows of a heap or of threads.

/** What a line of JSON has: of a line that is no JSON, only the error. */
export interface Measures {
  values: number;
  sum: number;
  longest: string;
  error: string;
}

const LINE_FEED = 10;
const LINE_END = /\r?\n$/;

/** Where each line begins, and where the last one ends. A line has its line feed. O(bytes). */
export function startsOf(bytes: Uint8Array): Uint32Array {
  const starts: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    starts.push(at);
    const end = bytes.indexOf(LINE_FEED, at);
    at = end < 0 ? bytes.length : end + 1;
  }
  return Uint32Array.from([...starts, bytes.length]);
}

/** Parses a line: how many values it has, the sum of its numbers, its longest text. Undefined: the line is blank. */
export function measured(line: string): Measures | undefined {
  if (line.trim() === "") return undefined;
  const found: Measures = { values: 0, sum: 0, longest: "", error: "" };
  try {
    // Without its end: the error shows what was given.
    measure(JSON.parse(line.replace(LINE_END, "")), found);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    found.error = error.message;
  }
  return found;
}

/** Visits a value and all within it. A list of what is still to do, as JSON may be nested deeper than calls can be. */
function measure(value: unknown, found: Measures): void {
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    found.values += 1;
    if (typeof next === "number") found.sum += next;
    else if (typeof next === "string" && next.length > found.longest.length) found.longest = next;
    else if (typeof next === "object" && next !== null)
      for (const inner of Object.values(next)) waiting.push(inner);
  }
}

/** The sums over all lines, and the numbers of those that are no JSON with what is wrong there. */
export class Totals {
  values = 0;
  sum = 0;
  characters = 0;
  longest = "";
  readonly broken: string[] = [];

  /** The lines have to come in their order: a sum of doubles depends on it. */
  add(line: number, { values, sum, longest, error }: Readonly<Measures>): void {
    if (error !== "") {
      this.broken.push(inUtf8(`line ${line + 1}: ${error}`));
      return;
    }
    this.values += values;
    this.sum += sum;
    this.characters += longest.length;
    if (longest.length > this.longest.length) this.longest = inUtf8(longest);
  }
}

/** Half of a surrogate pair, which JSON may contain, comes back from a struct's text as U+FFFD. So it does from here. */
function inUtf8(text: string): string {
  return Buffer.from(text).toString();
}

/** Orders of a shop, the same in every run. */
export function generated(lines: number): Uint8Array {
  // Numerical Recipes' generator, from 0 up to a bound.
  let state = 2026;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const item = () => ({
    article: `article ${random(5000)}`,
    count: 1 + random(9),
    price: random(100_000) / 100,
    tags: Array.from({ length: random(4) }, () => `tag-${random(50)}`),
  });
  const order = (id: number) => ({
    id,
    customer: { name: `customer ${random(9000)} ☃`, since: 1990 + random(36), active: random(5) > 0 },
    items: Array.from({ length: 1 + random(40) }, item),
    note: random(3) === 0 ? null : "as always, ".repeat(random(6)),
  });
  const text = Array.from({ length: lines }, (_, id) => `${JSON.stringify(order(id))}\n`).join("");
  return new TextEncoder().encode(text);
}
