// Goal figure: what was measured, beside what was aimed at.
//
// Owns:  nothing.
// Needs: nothing.

export interface GoalFigure {
  readonly goal: string;
  readonly figure: string;
  readonly measured: number;
  /** Undefined: none was set, or the peer that it was set over is missing. */
  readonly aim: number | undefined;
  /** Behind the point; 3 unless told. */
  readonly digits?: number;
}
