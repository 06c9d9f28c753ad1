// Seed: the number that a run's random choices come from. MORECORE_SEED repeats a run.

/** The run's seed, printed, so that a failure can be run again. Without MORECORE_SEED: the usual one, or any. */
export function seedOf(suite: string, usual = Math.floor(Math.random() * 0x7fff_ffff)): number {
  const given = process.env["MORECORE_SEED"];
  const seed = given === undefined ? usual : Number(given);
  if (!Number.isInteger(seed)) throw new RangeError(`MORECORE_SEED: expected an integer, got ${given}`);
  console.log(`${suite}: seed ${seed}`);
  return seed;
}
