// The examples of the typed layer and its arenas. Each checks itself as well: what it prints is printed only if all is equal.

import { describe, expect, it } from "vitest";
import { runExample } from "./example.ts";

describe.each(["particles", "type-graph", "json-arena", "linked-list"])("examples/%s", (name) => {
  it("prints what its README says", () => {
    const { wanted, printed } = runExample(name);
    expect(wanted.stdout).not.toBe("");
    expect(printed).toEqual(printed.map(() => wanted));
  });
});
