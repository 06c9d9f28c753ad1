// Traces that were damaged: the reader gives a trace that keeps every promise of the format, or a TraceFormatError.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { readTraceFile } from "../../packages/inspect/src/trace/file.ts";
import {
  decodeTrace,
  encodeTrace,
  HEADER_BYTES,
  KIND,
  recordsOf,
  type Trace,
  TraceFormatError,
  type TraceRecord,
} from "../../packages/inspect/src/trace/format.ts";
import { joined, mutatedBytes, mutatedWord } from "../support/mutate.ts";
import { randomFrom } from "../support/random.ts";
import { roundsOf, seedOf } from "../support/seed.ts";

type Random = (bound: number) => number;

const BYTES = roundsOf(6000);
const FILES = roundsOf(1500);
const seed = seedOf("traces", 5);
const folder = mkdtempSync(join(tmpdir(), "morecore-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Calls of all kinds, so that each varint of the format is there, one and more bytes long. */
function soundTrace(random: Random): Uint8Array {
  const records: TraceRecord[] = [];
  const live: number[] = [];
  const released: number[] = [];
  let slots = 0;
  for (let count = random(60); count > 0; count--) {
    const slot = live[random(live.length)] ?? 0;
    const size = random(2 ** random(32));
    const what = live.length > 0 ? random(6) : 5;
    if (what < 2) {
      records.push({ kind: KIND.free, slot });
      live.splice(live.indexOf(slot), 1);
      released.push(slot);
    } else if (what < 4) records.push({ kind: KIND.realloc, slot, size: size + 1 });
    else {
      const taken = released.pop() ?? slots++;
      live.push(taken);
      const aligned = { kind: KIND.aligned, slot: taken, size, alignment: 2 ** random(32) };
      records.push(
        random(4) === 0 ? aligned : { kind: random(2) === 0 ? KIND.malloc : KIND.calloc, slot: taken, size },
      );
    }
  }
  return encodeTrace(records);
}

/** A header's figure, a varint without end, or anything else. */
function damaged(random: Random, bytes: Uint8Array): Uint8Array {
  if (bytes.length < HEADER_BYTES) return mutatedBytes(random, bytes);
  if (random(4) === 0) {
    const changed = Uint8Array.from(bytes);
    const view = new DataView(changed.buffer);
    const at = 8 + 4 * random((HEADER_BYTES - 8) / 4);
    view.setUint32(at, mutatedWord(random, view.getUint32(at, true)), true);
    return changed;
  }
  if (random(6) === 0) {
    const at = HEADER_BYTES + random(bytes.length - HEADER_BYTES + 1);
    return joined(
      bytes.subarray(0, at),
      new Uint8Array(1 + random(12)).fill(128 + random(128)),
      bytes.subarray(at),
    );
  }
  return mutatedBytes(random, bytes);
}

/** The trace, if it is one; undefined for a TraceFormatError in one line. Anything else fails the test. */
function read(take: () => Trace): Trace | undefined {
  try {
    return take();
  } catch (error) {
    if (!(error instanceof TraceFormatError)) throw error;
    expect(error.message).toMatch(/^[^\n]+ \(byte \d+ of the (trace|file)\)$/);
    return undefined;
  }
}

function each(rounds: number, body: (random: Random) => void): void {
  for (let round = 0; round < rounds; round++) {
    try {
      body(randomFrom(seed + round));
    } catch (error) {
      throw new Error(`MORECORE_SEED=${seed}, round ${round}`, { cause: error });
    }
  }
}

describe("a damaged trace is refused in one line, or keeps every promise", () => {
  test(`as bytes, ${BYTES} times`, () => {
    let sound = 0;
    each(BYTES, (random) => {
      let bytes = soundTrace(random);
      for (let count = random(3); count >= 0; count--) bytes = damaged(random, bytes);
      const trace = read(() => decodeTrace(bytes));
      if (trace === undefined) return;
      sound++;
      // Its records and figures make a trace again, of the same figures.
      const again = decodeTrace(encodeTrace(recordsOf(trace), trace.threadCount));
      expect(again).toEqual(trace);
    });
    expect(sound).toBeGreaterThan(BYTES / 100);
    expect(sound).toBeLessThan(BYTES / 2);
  });

  test(`as gzip, ${FILES} times`, () => {
    const path = join(folder, "trace.mct.gz");
    each(FILES, (random) => {
      const trace = soundTrace(random);
      const contents = random(2) === 0 ? trace : damaged(random, trace);
      const zipped = gzipSync(contents, { level: random(10) });
      const file = random(3) === 0 ? zipped : mutatedBytes(random, zipped);
      writeFileSync(path, file);
      const found = read(() => readTraceFile(path));
      if (found !== undefined) expect(found).toEqual(decodeTrace(file[0] === 0x1f ? gunzipSync(file) : file));
    });
  });
});
