// Way: which way to call C is taken, and what is said where there is none, or where it may not be used.

import { describe, expect, it } from "vitest";
import { hasOs } from "../../../test/support/os.ts";
import { OsError } from "../src/errors.ts";
import { foreign, takeWay } from "../src/way.ts";

/** A `require` that has these modules; what is an error is thrown. */
function having(modules: Readonly<Record<string, unknown>>): (name: string) => unknown {
  return (name) => {
    const found = modules[name];
    if (found instanceof Error) throw found;
    if (found !== undefined) return found;
    const code = name.startsWith("node:") ? "ERR_UNKNOWN_BUILTIN_MODULE" : "MODULE_NOT_FOUND";
    throw Object.assign(new Error(`Cannot find module '${name}'`), { code });
  };
}

/** As koffi; it answers with what it is called with. */
const KOFFI = {
  load: () => ({
    func:
      (prototype: string) =>
      (...values: unknown[]) => [prototype, ...values],
  }),
  view: () => new ArrayBuffer(8),
  errno: () => 5,
};

/** As node:ffi, with a function that takes no notice of what it is called with. */
function nodeFfi(int: unknown, long: unknown = 7n, at = 4096n): object {
  return {
    DynamicLibrary: class {
      getFunction(name: string) {
        return () => (name === "abs" ? int : name === "labs" ? long : 12_345n);
      }
    },
    toArrayBuffer: (_address: bigint, bytes: number) => new ArrayBuffer(bytes),
    getRawPointer: () => at,
    getInt32: (address: bigint) => Number(address),
  };
}

const DENIED = Object.assign(new Error("Use --allow-ffi to manage permissions."), {
  code: "ERR_ACCESS_DENIED",
});
const DISABLED = Object.assign(new Error("Cannot load native addon"), { code: "ERR_DLOPEN_DISABLED" });
const NOT_CAPABLE = Object.assign(new Error("run again with the --allow-ffi flag"), { name: "NotCapable" });

function refusal(modules: Readonly<Record<string, unknown>>): string {
  try {
    takeWay(having(modules), "linux");
  } catch (error) {
    if (error instanceof OsError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "none";
}

describe("the way to call C", () => {
  it("is node:ffi where there is one, else koffi", () => {
    const ffi = nodeFfi(7);
    expect(takeWay(having({ "node:ffi": ffi, koffi: KOFFI }), "linux").name).toBe("node:ffi");
    expect(takeWay(having({ "node:ffi": ffi }), "darwin").name).toBe("node:ffi");
    expect(takeWay(having({ koffi: KOFFI }), "linux").name).toBe("koffi");
  });

  it("is koffi, too, where node:ffi is another than it was, or is forbidden", () => {
    for (const ffi of [nodeFfi(undefined), nodeFfi(-7), nodeFfi(7, -7n), DENIED])
      expect(takeWay(having({ "node:ffi": ffi, koffi: KOFFI }), "linux").name).toBe("koffi");
  });

  it("says how to get koffi where there is none", () => {
    expect(refusal({})).toBe(
      "NO_KOFFI: @morecore/os needs the package koffi: npm install koffi (Node 26.12 needs none: it has node:ffi)",
    );
    expect(refusal({ koffi: new Error("Cannot find the native Koffi module") })).toBe(
      "NO_KOFFI: @morecore/os: the package koffi is there, but does not load: Cannot find the native Koffi module",
    );
  });

  it("says which permission it wants", () => {
    expect(refusal({ koffi: NOT_CAPABLE })).toBe(
      "NOT_ALLOWED: @morecore/os may not call C: run again with the --allow-ffi flag",
    );
    const asked = "NOT_ALLOWED: @morecore/os may not call C: Use --allow-ffi to manage permissions.";
    expect(refusal({ "node:ffi": DENIED })).toBe(asked);
    expect(refusal({ "node:ffi": DENIED, koffi: DISABLED })).toBe(asked);
  });

  it("refuses a node:ffi that gives a copy for a view", () => {
    const way = takeWay(having({ "node:ffi": nodeFfi(7) }), "linux");
    expect(way.view(4096n, 16).byteLength).toBe(16);
    expect(() => way.view(8192n, 16)).toThrow("node:ffi has copied the 16 bytes");
  });

  it("tells koffi the types that it was told", () => {
    const way = takeWay(having({ koffi: KOFFI }), "linux");
    expect(way.number("long", "f", "int", "long", "address", "text", "bytes")(1, "a")).toEqual([
      "int64_t f(int, int64_t, void *, const char *, void *)",
      1,
      "a",
    ]);
  });
});

describe.runIf(hasOs)(`the way of this process, ${hasOs ? foreign().name : "none"}`, () => {
  it("takes numbers and addresses, gives both, and knows the error of the call before", () => {
    const way = foreign();
    expect(way.number("int", "abs", "int")(-7)).toBe(7);
    expect(way.number("long", "labs", "long")(-(2 ** 40))).toBe(2 ** 40);
    expect(way.number("int", "close", "int")(-1)).toBe(-1);
    expect(way.errno()).toBe(9);
    expect(way.address("getenv", "text")("morecore=never")).toBe(0n);
  });

  it("sees the bytes themselves, and C sees what is written there", () => {
    const way = foreign();
    const at = way.address("calloc", "long", "long")(1, 64);
    const seen = new Uint8Array(way.view(at, 64));
    way.address("memset", "address", "int", "long")(at, 0x5a, 10);
    expect([...seen.subarray(8, 12)]).toEqual([0x5a, 0x5a, 0, 0]);
    seen[0] = 0;
    expect(way.number("long", "strlen", "address")(at)).toBe(0);
    expect(way.number("long", "strnlen", "bytes", "long")(Uint8Array.of(1, 2, 0, 4).subarray(1), 4)).toBe(1);
  });
});
