import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { scratchFolder } from "../../../test/support/scratch.ts";
import { readTraceFile, writeTraceFile } from "../src/trace/file.ts";
import { encodeTrace, HEADER_BYTES, KIND, recordsOf, TraceFormatError } from "../src/trace/format.ts";

const SQLITE = new URL("../../../traces/sqlite-20k.mct.gz", import.meta.url).pathname;
const gzipped = readFileSync(SQLITE);
const folder = scratchFolder("file");

function written(bytes: Uint8Array): string {
  const path = join(folder, "trace.mct.gz");
  writeFileSync(path, bytes);
  return path;
}

function inflatesTo(bytes: Uint8Array, contents: Uint8Array): boolean {
  try {
    return gunzipSync(bytes).equals(contents);
  } catch {
    return false;
  }
}

function broken(bytes: Uint8Array): TraceFormatError {
  try {
    readTraceFile(written(bytes));
  } catch (error) {
    if (error instanceof TraceFormatError) return error;
    throw error;
  }
  throw new Error("the broken file was taken for a trace");
}

describe("a trace file", () => {
  it.each([
    ["graphviz-dot-20k", 20_000, 8_063, 2, 221],
    ["perl-20k", 20_000, 4_897, 1, 2_451],
    ["sqlite-20k", 20_000, 342, 1, 3_681],
  ])("%s has the figures that were recorded with it", (name, opCount, slotCount, threadCount, reallocs) => {
    const trace = readTraceFile(new URL(`../../../traces/${name}.mct.gz`, import.meta.url).pathname);
    expect(trace).toMatchObject({ opCount, slotCount, threadCount });
    expect([...recordsOf(trace)].filter(({ kind }) => kind === 2)).toHaveLength(reallocs);
  });

  it("may be uncompressed", () => {
    expect(readTraceFile(written(gunzipSync(gzipped)))).toEqual(readTraceFile(SQLITE));
  });

  it("may be several gzip members", () => {
    const bytes = gunzipSync(gzipped);
    const members = [bytes.subarray(0, 5000), bytes.subarray(5000)].map((part) => gzipSync(part));
    expect(readTraceFile(written(Buffer.concat(members)))).toEqual(readTraceFile(SQLITE));
  });

  it("that does not exist is Node's own error", () => {
    expect(() => readTraceFile(join(folder, "none"))).toThrow("ENOENT");
  });
});

describe("a broken trace file is refused in one line that says where", () => {
  it("empty", () => {
    expect(broken(new Uint8Array(0)).message).toBe("empty: the file has no bytes (byte 0 of the file)");
  });

  it("foreign", () => {
    expect(broken(Uint8Array.of(0x89, 0x50, 0x4e, 0x47)).message).toContain("it starts with 89 50 4e 47");
  });

  it("foreign, in gzip", () => {
    expect(broken(gzipSync("a letter to nobody")).message).toContain("not a morecore trace");
  });

  it("truncated, wherever", () => {
    for (const cut of [3, 10, 11, 100, 2000, gzipped.length - 8, gzipped.length - 1]) {
      const { message, offset, layer } = broken(gzipped.subarray(0, cut));
      expect(message).toBe(`truncated: the gzip data ends early (byte ${cut} of the file)`);
      expect({ offset, layer }).toEqual({ offset: cut, layer: "file" });
    }
  });

  it("with one flipped bit past the gzip header, unless it inflates to the same", () => {
    const contents = gunzipSync(gzipped);
    let refused = 0;
    for (let at = 10; at < gzipped.length; at += 13) {
      const flipped = Uint8Array.from(gzipped);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      // Some bits do not matter: padding, and matches that may as well be taken from elsewhere.
      if (inflatesTo(flipped, contents)) continue;
      refused++;
      const { message, offset, layer } = broken(flipped);
      expect(message, `byte ${at}`).not.toContain("\n");
      expect(layer, `byte ${at}: ${message}`).toBe("file");
      // It is noticed at the flipped byte or after it.
      expect(offset, `byte ${at}: ${message}`).toBeGreaterThanOrEqual(at);
    }
    expect(refused).toBeGreaterThan(300);
  });

  it("with a wrong checksum, at the checksum", () => {
    const flipped = Uint8Array.from(gzipped);
    const at = gzipped.length - 8;
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    const { message, offset } = broken(flipped);
    expect(message).toContain("damaged gzip: incorrect data check");
    expect(offset).toBe(at + 3);
  });

  it.each([
    ["anything", [9]],
    ["more of it", [1, 2, 3]],
    ["zeros", [0, 0, 0, 0]],
    ["the start of more gzip", [0x1f, 0x8b, 8]],
  ])("with bytes after the gzip data: %s", (_, more) => {
    const { message, offset } = broken(Uint8Array.of(...gzipped, ...more));
    const end = gzipped.length;
    expect(message).toBe(`${more.length} bytes follow the end of the gzip data (byte ${end} of the file)`);
    expect(offset).toBe(end);
  });

  it("with bytes after gzip data that has a name in its header", () => {
    const header = Uint8Array.from(gzipped.subarray(0, 10));
    header[3] = 8;
    const named = Uint8Array.of(...header, 0x61, 0, ...gzipped.subarray(10));
    expect(readTraceFile(written(named)).opCount).toBe(20_000);
    expect(broken(Uint8Array.of(...named, 7)).offset).toBe(named.length);
  });

  it("with bytes after the last record", () => {
    const { message } = broken(gzipSync(Buffer.concat([gunzipSync(gzipped), Buffer.of(0)])));
    expect(message).toContain("1 bytes follow the last of 20000 records");
  });
});

/** A trace of `count` mallocs and frees of one block, made by hand: it would take long to encode. */
function loopTrace(count: number): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES + 5 * count);
  bytes.set(encodeTrace([{ kind: KIND.malloc, slot: 0, size: 16 }]));
  bytes.writeUInt32LE(2 * count, 8);
  bytes.writeBigUInt64LE(BigInt(16 * count), 32);
  for (let at = HEADER_BYTES; at < bytes.length; at += 5) bytes.set([0, 0, 16, 3, 0], at);
  return bytes;
}

describe("how far a file may inflate follows from its size", () => {
  const long = loopTrace(3_500_000);

  it("so a regular trace of more than 16 MiB is refused, gzipped as well as can be", () => {
    const best = gzipSync(long);
    const { message, offset, layer } = broken(best);
    expect(message).toContain(`inflates to more than 16777216 bytes: expected at most 32 times the file's`);
    expect({ offset, layer }).toEqual({ offset: best.length, layer: "file" });
  });

  it("and writeTraceFile gzips it less well, so that it can be read", () => {
    const path = join(folder, "regular.mct.gz");
    writeTraceFile(path, long);
    expect(readTraceFile(path).opCount).toBe(7_000_000);
    expect(statSync(path).size * 8).toBeGreaterThan(long.length);
  });

  it("and uncompressed it is read as it is", () => {
    const path = join(folder, "regular.mct");
    writeTraceFile(path, long);
    expect(readTraceFile(path).opCount).toBe(7_000_000);
  });

  it("a short one may be as regular as it likes", () => {
    const short = gzipSync(loopTrace(100_000));
    expect(short.length * 100).toBeLessThan(500_040);
    expect(readTraceFile(written(short)).opCount).toBe(200_000);
  });
});
