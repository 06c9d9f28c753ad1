import { describe, expect, it } from "vitest";
import { fold } from "../fold.ts";

describe("fold", () => {
  it("makes a literal of what is computed of literals", () => {
    expect(fold("const A = 2 ** 32 - 1;")).toBe("const A = 4294967295;");
    expect(fold("const A = -(2 ** 31);")).toBe("const A = -(2147483648);");
  });

  it("reads constants that came before", () => {
    expect(fold("const BITS = 3;\nconst UNIT = 1 << BITS, MASK = UNIT - 1;")).toBe(
      "const BITS = 3;\nconst UNIT = 8, MASK = 7;",
    );
  });

  it("folds within objects, arrays and calls", () => {
    expect(fold("const A = { most: [0, 2 ** 8 - 1], at: f(4 * 2) };")).toBe(
      "const A = { most: [0, 255], at: f(8) };",
    );
  });

  it.each([
    "const A = 1 - f();",
    "let a = 1 + 1;",
    'const A = "2" * 2;',
    "const f = () => 2 ** 3;",
    "g(2 ** 3);",
  ])("leaves %s as it is", (code) => expect(fold(code)).toBe(code));
});
