// Markers: what the kernel's sources say of a function's place in the compiled kernel, beside the function.
//
// Owns:  the grammar of a marker, and what is refused.
// Needs: nothing: it is told the sources.
//
//   marker    =  "// @" WORD { " @" WORD } [ ": " why ]     a line of its own; the words are those of MARKERS
//   function  =  [ "export " ] "function " NAME "(" …       the next line; it begins in the first column
//
// No other line may begin with "// @": a marker that is misspelt, or has lost its function, would go unnoticed.

/** What a marker says. */
export const MARKERS = {
  hot: "most calls pass through it: in wasm, all that it calls is inlined into it, but for marked functions",
  rare: "hot functions call it seldom: never inlined, and made small",
  apart:
    "never inlined: its registers are not to be saved before it is called, and `morecore link` knows it by its name",
} as const;
export type Marker = keyof typeof MARKERS;

/** A source file's name without ".ts", and its text. */
export type Sources = ReadonlyMap<string, string>;

/** For each marker, the functions that have it: "file/function", as asc names them. In the order of the sources. */
export type Marked = Readonly<Record<Marker, ReadonlySet<string>>>;

const MARKER = /^\/\/ ((?:@\w+ )*@\w+)(?:: \S.*)?$/;
const FUNCTION = /^(?:export )?function (\w+)\(/;

/** Throws, with file and line, for what is no marker, and for one that stands beside no function. */
export function markersIn(sources: Sources): Marked {
  const marked: Record<Marker, Set<string>> = { hot: new Set(), rare: new Set(), apart: new Set() };
  for (const [file, text] of sources) {
    const lines = text.split("\n");
    for (const [index, line] of lines.entries()) {
      if (!/^\s*\/\/ *@/.test(line)) continue;
      const fail = (why: string): never => {
        throw new Error(`${file}.ts:${index + 1}: ${why}: ${line}`);
      };
      const words =
        MARKER.exec(line)?.[1] ?? fail("expected a marker, like `// @hot` or `// @hot @apart: why`");
      const name = FUNCTION.exec(lines[index + 1] ?? "")?.[1] ?? fail("the next line begins no function");
      for (const word of words.replaceAll("@", "").split(" ")) {
        if (!isMarker(word))
          fail(`no marker is called @${word}; there are @${Object.keys(MARKERS).join(", @")}`);
        else marked[word].add(`${file}/${name}`);
      }
    }
  }
  for (const name of marked.hot)
    if (marked.rare.has(name)) throw new Error(`${name} cannot be both hot and rare`);
  return marked;
}

function isMarker(word: string): word is Marker {
  return Object.hasOwn(MARKERS, word);
}

/** Throws unless a kernel has all the functions that are marked so that it matters there. */
export function checkMarked(names: ReadonlySet<string>, has: (name: string) => boolean): void {
  const missing = [...names].filter((name) => !has(name));
  if (missing.length > 0)
    throw new Error(
      `these have a marker in the kernel's sources, but are not in its wasm: ${missing.join(", ")}`,
    );
}
