// Seed: the number that a run's random choices come from. MORECORE_SEED repeats a run; MORECORE_FUZZ=10 makes the fuzz tests
// try ten times as many inputs.

/** The run's seed, printed, so that a failure can be run again. Without MORECORE_SEED: the usual one, or any. */
export function seedOf(suite: string, usual = Math.floor(Math.random() * 0x7fff_ffff)): number {
  const given = process.env["MORECORE_SEED"];
  const seed = given === undefined ? usual : Number(given);
  if (!Number.isInteger(seed)) throw new RangeError(`MORECORE_SEED: expected an integer, got ${given}`);
  console.log(`${suite}: seed ${seed}`);
  return seed;
}

/** How many inputs a fuzz test tries, where it usually tries so many. */
export function roundsOf(usual: number): number {
  const factor = Number(process.env["MORECORE_FUZZ"] ?? 1);
  if (!(factor > 0)) throw new RangeError(`MORECORE_FUZZ: expected a number above 0, got ${factor}`);
  return Math.ceil(usual * factor);
}
