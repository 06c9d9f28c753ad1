import { describe, expect, it } from "vitest";
import { frameText, programFrames } from "../src/run/stack.ts";

const STACK = `HeapMisuseError: 0x00010dc0: expected a live block
    at refuse (file:///somewhere/errors.js:98:11)
    at wasm://wasm/0badf00d:wasm-function[3]:0x1f
    at mc_free (wasm://wasm/0badf00d:wasm-function[9]:0x2a)
    at watched (file:///somewhere/watch.js:1:1)
    at free (wasm://wasm/app.wasm-00063c82:wasm-function[13]:0x354)
    at operator delete(void*) (wasm://wasm/app.wasm-00063c82:wasm-function[12]:0x300)
    at wasm://wasm/app.wasm-00063c82:wasm-function[8]:0x23b
    at start (node:wasi:140:7)`;

describe("the program's frames in a stack of V8's", () => {
  it("are those of the outermost module, innermost first, where they are in the file", () => {
    expect(programFrames(STACK, { shift: 0x0c })).toEqual([
      { name: "free", index: 13, offset: 0x348 },
      { name: "operator delete(void*)", index: 12, offset: 0x2f4 },
      { name: undefined, index: 8, offset: 0x22f },
    ]);
  });

  it("are none where no WebAssembly ran", () => {
    expect(programFrames("Error: x\n    at f (file:///a.js:1:1)")).toEqual([]);
    expect(programFrames(undefined)).toEqual([]);
  });

  it("of a rewritten program have the numbers of its functions as they were, and no place", () => {
    const functions = Array.from({ length: 13 }, (_, index) => index + 100);
    const frames = programFrames(STACK, { functions });
    expect(frames).toEqual([
      { name: "free", index: -1, offset: undefined },
      { name: "operator delete(void*)", index: 112, offset: undefined },
      { name: undefined, index: 108, offset: undefined },
    ]);
    expect(frames.map((frame) => frameText(frame, "app.wasm")).at(-1)).toBe(
      "    at function[108] (app.wasm)",
    );
  });

  it("are written with their names, or else with their numbers", () => {
    const lines = programFrames(STACK).map((frame) => frameText(frame, "app.wasm"));
    expect(lines[0]).toBe("    at free (app.wasm:0x354)");
    expect(lines[2]).toBe("    at function[8] (app.wasm:0x23b)");
  });
});
