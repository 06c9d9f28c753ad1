import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { hasCommand, needs } from "../../../test/support/c-program.ts";
import { nativeLibrary, needsNative } from "../../../test/support/native.ts";
import { type Host, LEAST_GLIBC, libraryPath, whyUnfit } from "../src/library.ts";
import { nativeEnvironment, ProgramError, runNative } from "../src/run.ts";

const DEBIAN: Host = { platform: "linux", arch: "x64", glibc: "2.36" };

describe("whether a machine can have libmorecore.so", () => {
  it.each([
    [{ platform: "darwin" }, "libmorecore.so is for Linux on x64 only: this is darwin on x64"],
    [{ arch: "arm64" }, "libmorecore.so is for Linux on x64 only: this is linux on arm64"],
    [{ glibc: undefined }, "libmorecore.so needs glibc: this Linux has another C library"],
    [{ glibc: "2.31" }, `libmorecore.so needs glibc ${LEAST_GLIBC} or later: this is 2.31`],
    [{ glibc: "2.4" }, `libmorecore.so needs glibc ${LEAST_GLIBC} or later: this is 2.4`],
  ])("it cannot with %o, and why is said", (change, why) => {
    expect(whyUnfit({ ...DEBIAN, ...change })).toBe(why);
  });

  it("it can with Debian 12's glibc, the least one, and later ones", () => {
    for (const glibc of [DEBIAN.glibc, LEAST_GLIBC, "2.100", "3.0"])
      expect(whyUnfit({ ...DEBIAN, glibc })).toBeUndefined();
  });
});

describe.skipIf(!needsNative() || process.arch !== "x64")("the library that was built here", () => {
  it("is found", () => {
    expect(libraryPath()).toBe(nativeLibrary());
  });

  it.skipIf(!needs(hasCommand("objdump"), "binutils"))(
    "calls nothing that the least glibc does not have",
    () => {
      const symbols = execFileSync("objdump", ["-T", nativeLibrary()], { encoding: "utf8" });
      const versions = Array.from(symbols.matchAll(/GLIBC_([\d.]+)/g), ([, version = ""]) => version);
      const newest = versions.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
      expect(newest).toBe(LEAST_GLIBC);
    },
  );

  it("runs a program and gives its exit code, or throws why it cannot", () => {
    nativeLibrary();
    expect(runNative("sh", ["-c", "exit 7"])).toBe(7);
    expect(runNative("sh", ["-c", "kill -9 $$"])).toBe(128 + 9);
    expect(() => runNative("no-such-program", [])).toThrow(
      new ProgramError("there is no program no-such-program"),
    );
    expect(() => runNative("/", [])).toThrow(new ProgramError("cannot run /: permission denied"));
  });
});

describe("the environment of a program", () => {
  it("has the library, before what is preloaded already, and else what it had", () => {
    expect(nativeEnvironment("/m.so", {}, { HOME: "/" })).toEqual({ HOME: "/", LD_PRELOAD: "/m.so" });
    expect(nativeEnvironment("/m.so", {}, { LD_PRELOAD: "/a.so" })).toEqual({ LD_PRELOAD: "/m.so:/a.so" });
    expect(nativeEnvironment("/m.so", {}, { LD_PRELOAD: "" })).toEqual({ LD_PRELOAD: "/m.so" });
  });

  it("tells the library what it is told", () => {
    const settings = { memory: "mmap", options: "growthStep=4096", stats: true, trace: "%p.mct" } as const;
    expect(nativeEnvironment("/m.so", settings, {})).toEqual({
      LD_PRELOAD: "/m.so",
      MORECORE_MEMORY: "mmap",
      MORECORE_OPTIONS: "growthStep=4096",
      MORECORE_STATS: "1",
      MORECORE_TRACE: "%p.mct",
    });
  });
});
