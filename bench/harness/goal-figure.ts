// Goal figure: what was measured, beside what was aimed at.
//
// Owns:  the verdict, and its words.

export interface GoalFigure {
  /** "T1" … "A1": report/goals.ts says what they are. */
  readonly goal: string;
  readonly figure: string;
  readonly measured: number;
  /** Undefined: none was set, or the peer that it was set over is missing. */
  readonly aim: number | undefined;
  /** Behind the point; 3 unless told. */
  readonly digits?: number;
  /** More is better. */
  readonly isLeast?: true;
}

/** "≤ 0.7"; "" without an aim. */
export function aimText({ aim, isLeast }: GoalFigure): string {
  return aim === undefined ? "" : `${isLeast ? "≥" : "≤"} ${aim}`;
}

/** "met" or "missed"; "" without an aim. */
export function verdict({ measured, aim, isLeast }: GoalFigure): string {
  if (aim === undefined) return "";
  return (isLeast ? measured >= aim : measured <= aim) ? "met" : "missed";
}

/** "T5 … blocks: 5.637 (goal: ≤ 4, missed)" */
export function goalText(figure: GoalFigure): string {
  const measured = `${figure.goal} ${figure.figure}: ${figure.measured.toFixed(figure.digits ?? 3)}`;
  return figure.aim === undefined ? measured : `${measured} (goal: ${aimText(figure)}, ${verdict(figure)})`;
}

/** Those of which there is a figure. */
export function known(figures: readonly GoalFigure[]): GoalFigure[] {
  return figures.filter(({ measured }) => Number.isFinite(measured));
}
