// Protocol: what a worker of typed/ is started with, and what it prints.
//
// Owns:  the messages, and the names of the variants.

/** In the order of the tables. The first is what is taken off the others. */
export const GRAPH_NAMES = [
  "nothing",
  "objects",
  "arrays",
  "raw",
  "raw, unchecked",
  "refs",
  "refs, unchecked",
  "elements",
  "pool",
  "blocks",
] as const;
export type GraphName = (typeof GRAPH_NAMES)[number];

export const GRAPH_TEXTS: Readonly<Record<GraphName, string>> = {
  nothing: "no nodes, only the calls",
  objects: "plain objects",
  arrays: "typed arrays by hand",
  raw: "Bump, raw pointers and a cursor",
  "raw, unchecked": "the same, checking off",
  refs: "Bump, references",
  "refs, unchecked": "the same, checking off",
  elements: "TypedArena, raw pointers",
  pool: "Pool, raw pointers, each freed",
  blocks: "a heap's block for each, raw pointers, each freed",
};

export interface GraphJob {
  readonly part: "graph";
  readonly variant: GraphName;
  readonly nodes: number;
}

export interface LoopJob {
  readonly part: "loops";
  readonly loop: string;
  readonly variant: string;
  readonly targetMs: number;
}

/** The one argument of a worker, as JSON. */
export type Job = GraphJob | LoopJob;

export interface Phase {
  readonly ms: number;
  /** The longest time between two looks at the clock. */
  readonly longestMs: number;
}

export interface GraphAnswer {
  readonly build: Phase;
  readonly walk: Phase;
  readonly drop: Phase;
  readonly sum: number;
  /** The most resident memory, over what there was before the build. */
  readonly residentBytes: number;
  /** Of the collector's runs in all three phases, the longest; 0: none. */
  readonly longestGcMs: number;
}

export interface LoopAnswer {
  readonly ns: number;
  /** What the JavaScript heap has grown by, for each operation. */
  readonly heapBytes: number;
}
