// Worker: the process that drives one peer, and never another one.
//
// Owns:  the timing of single samples.
// Needs: argv: the peer's name and, for WebAssembly, the file of its module; --expose-gc, so that the memory of dropped
//        heaps is given back between samples and not during them.
// Note:  the main process lets only one worker run at a time.

import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { readTraceFile, type Trace } from "@morecore/inspect";
import { PEER_NAMES, type PeerName } from "../peers/peer.ts";
import { COMPILE_MS, createFresh, type Player, warmUp } from "./fresh.ts";
import { type Answer, type Request, TIME_LIMIT_MS } from "./protocol.ts";
import { liveAtEnd } from "./replay.ts";

interface LoadedTrace {
  readonly file: string;
  readonly trace: Trace;
  readonly live: Uint32Array;
  readonly largestBytes: number;
}

/** The deadline is looked at once in so many records, for slow peers; others play in one go. */
const PIECE_OPS = 1024;
const FIRST_PAIRS = 1000;
const MAX_PAIRS = 20_000_000;
const PATTERN_RESERVE_BYTES = 64 * 1024 * 1024;
/** A block of runScale with what any of the peers adds to it. */
const SCALE_BLOCK_BYTES = 176;
const REPLAY_SLACK_BYTES = 64 * 1024 * 1024;

const name = peerName(process.argv[2]);
/** Slow peers are watched by the clock, and get slower with each play, since they leak. */
const isSlow = name === "thi.ng";
const moduleFile = process.argv[3];
const module = moduleFile === undefined ? undefined : new WebAssembly.Module(readFileSync(moduleFile));
let loaded: LoadedTrace | undefined;

/**
 * A heap that lives as long as the process. Without any, a collection would take the heaps' hidden classes, and with
 * them all compiled code of the allocator, and every cold play would start uncompiled.
 */
const anchors: Player[] = [];

process.on("message", (request: Request) => {
  answer(request).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      process.send?.({ kind: "skipped", reason } satisfies Answer);
    },
  );
});

async function answer(request: Request): Promise<Answer> {
  if (anchors.length === 0) anchors.push(await createFresh(name, { module, reserveBytes: 0 }));
  switch (request.job) {
    case "load":
      load(request.file);
      return { kind: "done" };
    case "warm-up":
      for (const touched of [false, true, false, true])
        if (!isSlow) await replay(load(request.file), touched, 2);
      return { kind: "done" };
    case "pattern":
      return await pattern(request.targetMs, PATTERN_RESERVE_BYTES, ({ patterns, peer }, pairs) =>
        patterns.runPattern(request.pattern, peer, pairs),
      );
    case "scale":
      return await pattern(request.targetMs, scaleReserve(request.live), ({ patterns, peer }, pairs) =>
        patterns.runScale(peer, request.live, pairs),
      );
    case "replay":
      return await replay(load(request.file), request.touched, isSlow ? 1 : request.warmPlays);
    case "space":
      return await space(load(request.file));
  }
}

function load(file: string): LoadedTrace {
  if (loaded?.file === file) return loaded;
  loaded = undefined;
  const trace = readTraceFile(file);
  let largestBytes = 0;
  for (const bytes of trace.sizes) largestBytes = Math.max(largestBytes, bytes);
  loaded = { file, trace, live: liveAtEnd(trace), largestBytes };
  globalThis.gc?.();
  return loaded;
}

/** One sample of about targetMs on a fresh heap, after some that warm up and tell how many pairs that is. */
async function pattern(
  targetMs: number,
  reserveBytes: number,
  run: (player: Player, pairs: number) => number,
): Promise<Answer> {
  globalThis.gc?.();
  const player = await createFresh(name, { module, reserveBytes });
  let pairs = FIRST_PAIRS;
  for (const wantedMs of [targetMs / 8, targetMs / 4, targetMs / 4, targetMs]) {
    const elapsed = run(player, pairs);
    if (elapsed > TIME_LIMIT_MS) return { kind: "skipped", reason: tooSlow() };
    pairs = Math.min(Math.ceil((pairs * wantedMs) / Math.max(elapsed, 0.01)), MAX_PAIRS);
    // The compiler works beside; what it has compiled is taken up by the next call.
    await setTimeout(COMPILE_MS);
  }
  const elapsed = run(player, pairs);
  return { kind: "pattern", nsPerPair: (elapsed * 1e6) / pairs };
}

function scaleReserve(live: number): number {
  return PATTERN_RESERVE_BYTES + live * SCALE_BLOCK_BYTES;
}

async function replay(
  { trace, live, largestBytes }: LoadedTrace,
  touched: boolean,
  warmPlays: number,
): Promise<Answer> {
  globalThis.gc?.();
  const reserveBytes = name === "nothing" ? largestBytes : 2 * trace.peakLiveBytes + REPLAY_SLACK_BYTES;
  const player = await createFresh(name, { module, reserveBytes });
  await warmUp(player, touched);
  const ptrs = new Uint32Array(trace.slotCount);
  const times: number[] = [];
  for (let i = 0; i <= warmPlays; i++) {
    const elapsed = timePlay(player, trace, ptrs, touched);
    if (elapsed === undefined) return { kind: "skipped", reason: tooSlow() };
    times.push(elapsed);
    player.replay.releaseRest(player.peer, ptrs, live);
  }
  const [coldMs = 0, ...warmMs] = times;
  return { kind: "replay", coldMs, warmMs };
}

/** Milliseconds, or undefined when it takes too long. */
function timePlay(
  { peer, replay }: Player,
  trace: Trace,
  ptrs: Uint32Array,
  touched: boolean,
): number | undefined {
  const play = touched ? replay.playTouched : replay.play;
  const piece = isSlow ? PIECE_OPS : trace.opCount;
  const start = performance.now();
  for (let begin = 0; begin < trace.opCount; begin += piece) {
    play(peer, trace, ptrs, begin, Math.min(begin + piece, trace.opCount));
    if (isSlow && performance.now() - start > TIME_LIMIT_MS) return undefined;
  }
  return performance.now() - start;
}

/** Nothing is reserved here, and nothing has been played before. */
async function space({ trace }: LoadedTrace): Promise<Answer> {
  const player = await createFresh(name, { module, reserveBytes: 0 });
  const ptrs = new Uint32Array(trace.slotCount);
  if (timePlay(player, trace, ptrs, false) === undefined) return { kind: "skipped", reason: tooSlow() };
  return {
    kind: "space",
    footprintBytes: player.peer.maxFootprintBytes(),
    reservedBytes: player.peer.reservedBytes(),
  };
}

function tooSlow(): string {
  return `too slow (> ${TIME_LIMIT_MS / 1000} s)`;
}

function peerName(given: string | undefined): PeerName {
  for (const known of PEER_NAMES) if (known === given) return known;
  throw new Error(`bench: no peer named ${given}`);
}
