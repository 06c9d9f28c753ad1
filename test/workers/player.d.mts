import type { Heap } from "morecore";

export interface Character {
  readonly seed: number;
  /** Of the player, below 16: its blocks say it. */
  readonly number: number;
  /** The most bytes of a block. */
  readonly largest: number;
}

type Played = Pick<Heap, "malloc" | "calloc" | "alignedAlloc" | "realloc" | "free" | "usableSize" | "u32">;

export class Player {
  constructor(heap: Played, slots: Int32Array<SharedArrayBuffer>, character: Character);
  play(calls: number): void;
  step(): void;
  finish(): void;
}

export function stampAt(heap: Played, ptr: number): number | undefined;
