// Seed: in the place of test/support/seed.ts, so that each engine tries the same (suite.ts).

const SEED = 14;

export function seedOf(_suite: string, usual = SEED): number {
  return usual;
}

export function roundsOf(usual: number): number {
  return usual;
}
