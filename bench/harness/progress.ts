// Progress: how far a run has come, on the standard error, when somebody is looking.
//
// Owns:  the progress bar.
// Needs: cli-progress.

import cliProgress from "cli-progress";

export class Progress {
  readonly #bar = new cliProgress.SingleBar({
    format: "{bar} {percentage}% | {what}",
    stream: process.stderr,
  });
  readonly #isShown = process.stderr.isTTY === true;

  start(count: number): void {
    if (this.#isShown) this.#bar.start(count, 0, { what: "starting" });
  }

  done(what: string): void {
    if (this.#isShown) this.#bar.increment(1, { what });
  }

  stop(): void {
    if (this.#isShown) this.#bar.stop();
  }
}
