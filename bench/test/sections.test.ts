// Sections: each command that measures writes its own part of RESULTS.md.

import { describe, expect, it } from "vitest";
import { withSection, withSectionsOf } from "../report/sections.ts";

describe("a section of a text", () => {
  const text = "# Results\n\nfigures\n";

  it("is appended when there is none, and replaced when there is", () => {
    const once = withSection(text, "native programs", "first");
    expect(once).toContain("# Results\n\nfigures\n\n<!-- section: native programs -->\n\nfirst\n");
    expect(withSection(once, "native programs", "second")).toBe(
      withSection(text, "native programs", "second"),
    );
  });

  it("leaves the others and what follows them alone", () => {
    const both = withSection(withSection(text, "native programs", "one"), "native traces", "two");
    const changed = withSection(both, "native programs", "$& three");
    expect(changed).toBe(both.replace("one", () => "$& three"));
  });

  it("survives when the rest is written anew", () => {
    const both = withSection(withSection(text, "native programs", "one"), "native traces", "two");
    expect(withSectionsOf("# Results\n\nother figures\n", both)).toBe(
      both.replace("figures", "other figures"),
    );
    expect(withSectionsOf(text, "# Results\n")).toBe(text);
  });
});
