// fast-check with fewer runs: what a property finds in one engine it finds in all, and Vitest runs them in full.
//
// The bundler puts it where a test says `fast-check`; in here that is the package itself.

import fc from "fast-check";

const SHARE = 10;

const assert: typeof fc.assert = ((property: never, { numRuns = 100, ...rest }: fc.Parameters<never> = {}) =>
  fc.assert(property, { ...rest, numRuns: Math.ceil(numRuns / SHARE) } as never)) as typeof fc.assert;

export * from "fast-check";
export default { ...fc, assert };
