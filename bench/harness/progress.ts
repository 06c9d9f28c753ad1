// Progress: how far a run has come, on the standard error, when somebody is looking.
//
// Owns:  the progress bar.
// Needs: cli-progress.

import cliProgress from "cli-progress";

/**
 * A bar on the terminal, where there is one.
 *
 * @example
 *
 * ```ts
 * const progress = new Progress();
 * progress.start(1);
 * progress.done("the only step");
 * progress.stop();
 * ```
 */
export class Progress {
  readonly #bar = new cliProgress.SingleBar({
    format: "{bar} {percentage}% | {what}",
    stream: process.stderr,
  });
  readonly #isShown = process.stderr.isTTY === true;

  /** Shows the bar; so many steps are to come. */
  start(count: number): void {
    if (this.#isShown) this.#bar.start(count, 0, { what: "starting" });
  }

  /** One step is done; says which. */
  done(what: string): void {
    if (this.#isShown) this.#bar.increment(1, { what });
  }

  /** Takes the bar away. */
  stop(): void {
    if (this.#isShown) this.#bar.stop();
  }
}
