// Part: what one thread does in a play of a pattern.
//
// Owns:  how a thread begins and ends, where its pattern's loop is in WebAssembly.

import { ThreadInstance } from "./instance.ts";
import { functionOf, type Order } from "./protocol.ts";

/** A part in a pattern: steps of a turn, then the end of the thread, if the pattern has threads that end. */
export interface Part {
  /** Before the clock starts. */
  begin(): void;
  play(turn: number, steps: number): number;
  /** After the last slice: all is freed. */
  finish(): void;
}

/** Of mstress each slice is the life of a thread, its end included. */
export function wasmPart(
  { memory, index, pattern, isChecked }: Pick<Order, "memory" | "index" | "pattern" | "isChecked">,
  module: WebAssembly.Module,
): Part {
  const name = `${functionOf(pattern)}${isChecked ? "_checked" : ""}`;
  const isMortal = pattern === "mstress";
  let instance = new ThreadInstance(module, memory, index);
  let hasEnded = false;
  const begin = (): void => {
    if (hasEnded) instance = new ThreadInstance(module, memory, index);
    hasEnded = false;
  };
  return {
    begin,
    play: (turn, steps) => {
      const blocks = instance.function(name)(index, turn, steps);
      if (isMortal) instance.leave();
      hasEnded = isMortal;
      return blocks;
    },
    finish: () => {
      begin();
      instance.call("finish", index);
      instance.leave();
    },
  };
}
