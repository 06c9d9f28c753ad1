// Loop: one small thing done many times, in several ways.
//
// Owns:  what a loop is.

/** Does it so many times; gives something that depends on all of them, so that none can be left out. */
export type Run = (count: number) => number;

export interface Loop {
  readonly name: string;
  /** By name. Each is made and run in a process of its own. */
  readonly variants: Readonly<Record<string, () => Run>>;
}

export interface LoopGroup {
  readonly title: string;
  readonly loops: readonly Loop[];
}
