// Heaps in the system's memory pass the suite that all pass, and random programs.

import fc from "fast-check";
import { describe, test } from "vitest";
import { call, Program } from "../../../test/support/calls.ts";
import { conformance } from "../../../test/support/conformance.ts";
import { hasOs, OS_MAKERS } from "../../../test/support/os.ts";
import { seedOf } from "../../../test/support/seed.ts";
import { Shadow } from "../../../test/support/shadow.ts";
import { designClaims } from "../../morecore/test/kernel/design-claims.ts";

const MOST = 64 * 1024 * 1024;
const CERTAIN = 100_000;

describe.runIf(hasOs)("in the system's memory", () => {
  for (const { name, make, grows } of OS_MAKERS) {
    conformance(name, make, grows, true);
    designClaims(name, make);
  }

  test.each(OS_MAKERS)("any program of calls leaves a sound heap after each, in $name", ({ make }) => {
    const program = fc.array(call(MOST), { maxLength: 200, size: "max" });
    const property = fc.property(program, (calls) => new Program(new Shadow(make()), CERTAIN).run(calls));
    fc.assert(property, { seed: seedOf("os"), numRuns: 25, interruptAfterTimeLimit: 30_000 });
  });
});
