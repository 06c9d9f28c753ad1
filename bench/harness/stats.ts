// Stats: medians, spread and means, and the subtraction of the empty loop.
//
// Owns:  the arithmetic of the report.
// Needs: nothing.

/** The five numbers of a box plot, and of how many values they are. */
export interface Sample {
  readonly median: number;
  readonly min: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly max: number;
  readonly count: number;
}

export function summarize(values: readonly number[]): Sample {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    min: quantile(sorted, 0),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    max: quantile(sorted, 1),
    count: sorted.length,
  };
}

/** Between two values in proportion, as R, NumPy and spreadsheets have it by default. */
function quantile(sorted: readonly number[], part: number): number {
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/**
 * Half the distance of the quartiles over the median: about half of the values are within so much of it. One round that
 * was disturbed does not show here, but in the maximum. Undefined of a single value, which has none.
 */
export function spread({ median, lowerQuartile, upperQuartile, count }: Sample): number | undefined {
  return count > 1 ? (upperQuartile - lowerQuartile) / 2 / median : undefined;
}

/**
 * The time without that of the loop, which is the empty one's median, under all of the numbers: so they differ by as
 * much as before. A hundredth stays at the least, where noise is larger than the figure.
 */
export function net(gross: Sample, empty: Sample): Sample {
  return mapped(gross, (value) => Math.max(value - empty.median, value / 100));
}

export function scale(sample: Sample, factor: number): Sample {
  return mapped(sample, (value) => value * factor);
}

function mapped(sample: Sample, of: (value: number) => number): Sample {
  return {
    median: of(sample.median),
    min: of(sample.min),
    lowerQuartile: of(sample.lowerQuartile),
    upperQuartile: of(sample.upperQuartile),
    max: of(sample.max),
    count: sample.count,
  };
}

export function geometricMean(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

export function largest(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : Math.max(...values);
}
