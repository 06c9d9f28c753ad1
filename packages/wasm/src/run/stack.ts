// Stack: where in a program it was, from the stack of a JavaScript error.
//
// Owns:  reading V8's lines.
// Needs: nothing.
//
// V8 names a wasm frame "at NAME (wasm://wasm/MODULE:wasm-function[INDEX]:0xOFFSET)"; NAME comes from the module's name
// section, and without one the parentheses go too. The kernel's frames, and those of the JavaScript between, are left
// out: the outermost wasm frame is the program's, and so are all of its module.

export interface Frame {
  /** Of a function, if the module has a name section. */
  readonly name: string | undefined;
  /** The function's number. */
  readonly index: number;
  /** Where the call is, in bytes from the beginning of the file; undefined: in code that was rewritten. */
  readonly offset: number | undefined;
}

/** Where code that runs comes from in the file. */
export type CodeOrigin =
  /** The same code, so many bytes further on. */
  | { readonly shift: number }
  /** Rewritten: for each function, its number in the file, or -1. */
  | { readonly functions: readonly number[] };

/** The end of a line; what comes before is looked at apart, as a name may be anything, and long. */
const PLACE = /:wasm-function\[(\d+)\]:0x([0-9a-f]+)\)?$/;
const MODULE = "wasm://wasm/";
const AT = /^\s*at /;
/** Names come from the module: longer ones tell nobody anything. */
const LONGEST_NAME = 400;

/** How many frames are worth having: V8's own ten are too few for a C program. */
export const STACK_DEPTH = 64;

/** The program's frames, innermost first, as they are in the file. */
export function programFrames(stack: string | undefined, origin: CodeOrigin = { shift: 0 }): Frame[] {
  const frames = (stack ?? "").split("\n").flatMap((line) => {
    const found = PLACE.exec(line);
    const start = AT.exec(line);
    if (found === null || start === null) return [];
    const text = line.slice(start[0].length, found.index);
    const at = text.lastIndexOf(MODULE);
    const isNamed = at > 1 && text.slice(at - 2, at) === " (";
    if (at !== 0 && !isNamed) return [];
    const [, index, offset] = found;
    const name = isNamed ? text.slice(0, Math.min(at - 2, LONGEST_NAME)) : undefined;
    const place = placeIn(origin, Number(index), Number.parseInt(offset ?? "", 16));
    return [{ module: text.slice(at), frame: { name, ...place } }];
  });
  const program = frames.at(-1)?.module;
  return frames.filter(({ module }) => module === program).map(({ frame }) => frame);
}

function placeIn(origin: CodeOrigin, index: number, offset: number): Pick<Frame, "index" | "offset"> {
  if ("shift" in origin) return { index, offset: offset - origin.shift };
  return { index: origin.functions[index] ?? -1, offset: undefined };
}

/**
 * "    at main (app.wasm:0x1f3)"
 *
 * @example
 *
 * ```ts
 * console.log(frameText({ name: "main", index: 3, offset: 0x1f3 }, "app.wasm").trim()); // at main (app.wasm:0x1f3)
 * ```
 */
export function frameText({ name, index, offset }: Frame, file: string): string {
  const at = offset === undefined ? "" : `:0x${offset.toString(16)}`;
  return `    at ${name ?? `function[${index}]`} (${file}${at})`;
}
