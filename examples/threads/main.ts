// Parses lines of JSON in several threads, and in one by JSON.parse alone; both must find the same.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { Heap } from "morecore";
import { freeJob, type Given, makeJob, sumUp } from "./job.ts";
import { generated, measured, startsOf, Totals } from "./records.ts";

const USAGE = "usage: node main.ts [--threads N] [--memory MIB] [FILE]";
const MOST_THREADS = 64;
const MOST_MIB = 4095;
const GENERATED_LINES = 8000;
/** Of lines that are no JSON, so many are named. */
const MOST_NAMED = 10;
const FAILED = 1;
const BAD_ARGUMENTS = 2;

interface Options {
  readonly threads: number;
  /** The most bytes that the heap may grow to. */
  readonly maximum: number;
  readonly bytes: Uint8Array;
}

/** Throws an error whose message says what is wrong with the arguments. */
function readArguments(): Options {
  const { values, positionals } = parseArgs({
    options: { threads: { type: "string", default: "2" }, memory: { type: "string", default: "1024" } },
    allowPositionals: true,
  });
  const threads = readNumber("--threads", values.threads, MOST_THREADS);
  const maximum = readNumber("--memory", values.memory, MOST_MIB) * 2 ** 20;
  const [file, ...others] = positionals;
  if (others.length > 0) throw new TypeError(`expected one file, got ${positionals.length}`);
  return { threads, maximum, bytes: file === undefined ? generated(GENERATED_LINES) : readFileSync(file) };
}

function readNumber(name: string, given: string, most: number): number {
  if (!/^\d+$/.test(given) || Number(given) < 1 || Number(given) > most)
    throw new RangeError(`${name}: expected a number from 1 to ${most}, got "${given}"`);
  return Number(given);
}

/** What an action gives, and how many milliseconds it takes. */
async function timed<R>(action: () => R | Promise<R>): Promise<[result: R, time: string]> {
  const from = performance.now();
  const result = await action();
  return [result, `${Math.round(performance.now() - from)} ms`];
}

/** Without a heap: a string, an object and a result for each line, one after the other. */
function parseAlone(bytes: Uint8Array): Totals {
  const starts = startsOf(bytes);
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const totals = new Totals();
  for (let line = 0; line + 1 < starts.length; line++) {
    const found = measured(source.toString("utf8", starts[line], starts[line + 1]));
    if (found !== undefined) totals.add(line, found);
  }
  return totals;
}

/** The next message of each Worker. Rejects with the error of one that fails. */
async function heardOf(workers: readonly Worker[]): Promise<void> {
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.once("message", () => resolve());
          worker.once("error", reject);
        }),
    ),
  );
}

/** Has so many Workers parse all lines: how long they took to start, and how long to parse. */
async function parseTogether(count: number, given: Given): Promise<[started: string, parsed: string]> {
  // Beside this file: TypeScript as it is, or compiled, as this is.
  const url = new URL(`worker${extname(import.meta.url)}`, import.meta.url);
  const workers: Worker[] = [];
  try {
    const [, started] = await timed(() => {
      for (let i = 0; i < count; i++) workers.push(new Worker(url, { workerData: given }));
      return heardOf(workers);
    });
    const [, parsed] = await timed(() => {
      for (const worker of workers) worker.postMessage("begin");
      return heardOf(workers);
    });
    return [started, parsed];
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function liveBlocks(heap: Heap): number {
  let live = 0;
  heap.inspectAll(({ state }) => {
    if (state === "live") live += 1;
  });
  return live;
}

const inKiB = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;

/** Resolves to what is wrong with the lines that are no JSON. */
async function run({ threads, maximum, bytes }: Options): Promise<readonly string[]> {
  const [alone, timeAlone] = await timed(() => parseAlone(bytes));
  const heap = Heap.create({ shared: true, maximum });
  const [job, timePut] = await timed(() => makeJob(heap, bytes));
  const [timeStarted, timeParsed] = await parseTogether(threads, { handle: heap.handle, job });
  const totals = new Totals();
  const [, timeRead] = await timed(() => sumUp(heap, job, totals));
  assert.deepStrictEqual(totals, alone);
  const footprint = inKiB(heap.footprint);
  const [, timeFreed] = await timed(() => freeJob(heap, job));
  heap.trim();
  // All Workers have left the heap: nobody changes what is looked at.
  heap.check();
  assert.equal(liveBlocks(heap), 0);

  const { values, sum, longest } = totals;
  console.log(`${inKiB(bytes.length)} of JSON: ${values} values, their sum ${sum}`);
  console.log(`longest text: ${longest.length} characters`);
  const rows: readonly (readonly [what: string, figure: string])[] = [
    ["one thread, JSON.parse alone", timeAlone],
    [`${threads === 1 ? "1 Worker" : `${threads} Workers`}, into the shared heap`, timeParsed],
    ["starting them", timeStarted],
    ["putting the text into the heap", timePut],
    ["reading all results in place", timeRead],
    ["freeing all", timeFreed],
    ["footprint", footprint],
    ["footprint, all freed", inKiB(heap.footprint)],
  ];
  for (const [what, figure] of rows) console.log(what.padEnd(32) + figure.padStart(10));
  heap.dispose();
  return totals.broken;
}

/** Also of an error that a Worker has thrown: of its class only the name comes here. */
function isOutOfMemory(error: unknown): error is Error {
  return error instanceof RangeError || (error instanceof Error && error.name === "OutOfMemoryError");
}

function fail(code: number, ...lines: readonly string[]): void {
  for (const line of lines) console.error(line);
  process.exitCode = code;
}

async function main(): Promise<void> {
  let options: Options;
  try {
    options = readArguments();
  } catch (error) {
    fail(BAD_ARGUMENTS, error instanceof Error ? error.message : String(error), USAGE);
    return;
  }
  try {
    const broken = await run(options);
    const more = broken.length > MOST_NAMED ? [`and ${broken.length - MOST_NAMED} more`] : [];
    if (broken.length > 0) fail(FAILED, ...broken.slice(0, MOST_NAMED), ...more);
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    fail(FAILED, `${error.message} (--memory ${options.maximum / 2 ** 20})`);
  }
}

await main();
