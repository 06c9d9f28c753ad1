import { describe, expect, it } from "vitest";
import { runExample } from "./example.ts";

describe("examples/buffer-suballocator", () => {
  it("prints what its README says", () => {
    const { wanted, printed } = runExample("buffer-suballocator");
    expect(wanted.stdout).not.toBe("");
    expect(printed).toEqual(printed.map(() => wanted));
  });
});
