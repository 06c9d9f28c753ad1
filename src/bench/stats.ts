// Stats: medians, minima and means, and the subtraction of the empty loop.
//
// Owns:  the arithmetic of the report.
// Needs: nothing.

export interface Sample {
  readonly median: number;
  readonly min: number;
}

export function summarize(values: readonly number[]): Sample {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return { median: (lower + upper) / 2, min: sorted[0] ?? Number.NaN };
}

/**
 * The time without that of the loop, which is the empty one's median, also under the minimum: so the two differ by as
 * much as before. A hundredth stays at the least, where noise is larger than the figure.
 */
export function net(gross: Sample, empty: Sample): Sample {
  return {
    median: Math.max(gross.median - empty.median, gross.median / 100),
    min: Math.max(gross.min - empty.median, gross.min / 100),
  };
}

export function scale({ median, min }: Sample, factor: number): Sample {
  return { median: median * factor, min: min * factor };
}

export function geometricMean(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

export function largest(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : Math.max(...values);
}
