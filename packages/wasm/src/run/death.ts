// Death: how a program ends that does not end by itself.
//
// Owns:  what is told of it; which errors are a program's, and not ours.
// Needs: stack. Nothing of a heap: a Worker that is a program's thread loads this, too.

import type { Frame } from "./stack.ts";

/** How a program died that did not end by itself. */
export interface Death {
  /** "misuse" and "corrupt" are the heap's; "exception" is one of WebAssembly's that nobody caught. */
  readonly kind: "trap" | "misuse" | "corrupt" | "exception";
  /** What was thrown. */
  readonly error: Error;
  /** Where the program was, innermost first; none when it was not running. */
  readonly frames: readonly Frame[];
  /** The number of the heap's call that it died in or after, if the calls were watched. */
  readonly call: number | undefined;
  /** The thread that died, by the number that its program has for it; undefined: the first, or the only one. */
  readonly thread: number | undefined;
}

/** An exception that the program threw and nobody caught. */
class UncaughtError extends Error {
  override readonly name = "UncaughtError";
}

/** An exception of WebAssembly's is no Error: it has neither a message nor, by default, a stack. */
export function asError(thrown: unknown): unknown {
  return "Exception" in WebAssembly && thrown instanceof WebAssembly.Exception
    ? new UncaughtError("the program threw it, and did not catch it", { cause: thrown })
    : thrown;
}

/** What an error of the engine's says about the program; undefined: it is none of the program's. */
export function engineDeath(error: unknown): "trap" | "exception" | undefined {
  if (error instanceof WebAssembly.RuntimeError) return "trap";
  // V8 says so of a stack that is too deep.
  if (error instanceof RangeError && error.message.includes("call stack")) return "trap";
  return error instanceof UncaughtError ? "exception" : undefined;
}

/** The engine's words without the call's name: "WebAssembly.compile(): …". */
export function engineMessage(error: Error): string {
  return error.message.replace(/^WebAssembly\.\w+\(\): /, "");
}
