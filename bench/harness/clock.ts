// Clock: milliseconds that this thread has had a processor for, where the system tells, else those on the wall.
//
// Owns:  the choice.
// Why:   on a busy machine a program waits for a processor as long as it runs, or longer; what it waits is not its own.

import { readFileSync } from "node:fs";

/** Linux: of the main thread, nanoseconds on a processor, in the kernel too; then others. Threads that compile are apart. */
const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;

export const clock: () => number =
  onProcessor() === undefined ? () => performance.now() : () => onProcessor() ?? 0;

function onProcessor(): number | undefined {
  try {
    const nanoseconds = Number(readFileSync(SCHEDSTAT, "utf8").split(" ")[0]);
    return nanoseconds > 0 ? nanoseconds / 1e6 : undefined;
  } catch {
    return undefined;
  }
}
