import binaryen from "binaryen";
import { describe, expect, it } from "vitest";
import { checkBinaryen, type Reading, readModuleWith } from "../src/format/binaryen.ts";
import { MissingToolError } from "../src/format/parts.ts";

/** A module with an instruction of bulk memory, (memory.fill), as bytes. */
const FILLS = Uint8Array.from(
  "0061736d010000000104016000000302010005030100010a0d010b00410041004100fc0b000b".match(/../g) ?? [],
  (byte) => Number.parseInt(byte, 16),
);

const read = (bytes: Uint8Array) => binaryen.readBinary(bytes);
const readWith = (bytes: Uint8Array, features: number) => binaryen.readBinaryWithFeatures(bytes, features);

/** How a binaryen of each age reads modules. */
const AGES: Readonly<Record<string, Reading>> = {
  "129": { readBinary: read, readBinaryWithFeatures: readWith },
  "132": { readBinary: readWith },
};

describe("the package binaryen", () => {
  it("that is installed here can do what is needed", () => {
    expect(() => checkBinaryen(binaryen, "this")).not.toThrow();
  });

  it.each(Object.entries(AGES))(
    "of version %s reads a module with the features that it is given",
    (_, age) => {
      expect(() => checkBinaryen(age, "this")).not.toThrow();
      const { BulkMemory, BulkMemoryOpt, MVP } = binaryen.Features;
      const features = BulkMemory | BulkMemoryOpt;
      expect(readModuleWith(age, FILLS, features).getFeatures()).toBe(features);
      expect(readModuleWith(age, FILLS, MVP).getFeatures()).toBe(MVP);
    },
  );

  it("that is too old is refused with its version and what to do", () => {
    const old: Reading = { readBinary: read };
    expect(() => checkBinaryen(old, "119.0.0")).toThrow(MissingToolError);
    expect(() => checkBinaryen(old, "119.0.0")).toThrow(
      "the package binaryen is needed in version 129 or later, 119.0.0 is here: npm install binaryen@latest",
    );
  });
});
