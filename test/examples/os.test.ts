import { describe, expect, it } from "vitest";
import { hasOs } from "../support/os.ts";
import { runExample } from "./example.ts";

describe.runIf(hasOs)("examples/os", () => {
  it("prints what its README says", () => {
    const { wanted, printed } = runExample("os", { LC_ALL: "C" });
    expect(wanted.stdout).not.toBe("");
    expect(printed).toEqual(printed.map(() => wanted));
  });
});
