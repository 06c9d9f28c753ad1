// Fresh: a heap, together with the loops that are to drive it, compiled as a program with one heap would have them.
//
// Owns:  loading the loops and the adapters, and warming them up without using up the heap's freshness.
// Needs: an engine that compiles a module anew for each new query in its URL (all do), and the files as
//        tools/bench.ts builds them, side by side.
//
// Why:   a loop that has called one WebAssembly instance calls the next one 20 % slower, since its call sites have now
//        seen two targets. So each of these heaps, morecore's among them, gets copies that no other heap has run
//        through. thi.ng, written in JavaScript, has the same targets in every heap and keeps one copy.

import { setTimeout } from "node:timers/promises";
import type { Trace } from "@morecore/inspect";
import type { Peer, PeerModule, PeerName, PeerOptions } from "../peers/peer.ts";

export interface Player {
  readonly peer: Peer;
  readonly replay: typeof import("./replay.ts");
  readonly patterns: typeof import("./patterns.ts");
  /** What the loops are compiled on. */
  readonly warmUpPeer: Peer;
}

const ADAPTERS: Readonly<Record<PeerName, string>> = {
  nothing: "peers/nothing",
  // With the library in the same file, so that a copy of the one is a copy of the other.
  morecore: "peers/morecore",
  dlmalloc: "peers/wasm",
  mimalloc: "peers/wasm",
  tlsf: "peers/wasm",
  "thi.ng": "peers/thing",
  "v8-arrays": "peers/v8-arrays",
  "v8-objects": "peers/v8-objects",
};

let heapCount = 0;

export async function createFresh(name: PeerName, options: PeerOptions): Promise<Player> {
  heapCount++;
  const copy = options.module === undefined && name !== "morecore" ? 0 : heapCount;
  const adapter: PeerModule = await load(ADAPTERS[name], copy);
  const replay: Player["replay"] = await load("replay", copy);
  const patterns: Player["patterns"] = await load("patterns", copy);
  const peer = adapter.create(options);
  // thi.ng's realloc leaks, so warming it up would use it up; its loops are compiled on a second pool.
  return { peer, replay, patterns, warmUpPeer: name === "thi.ng" ? adapter.create(options) : peer };
}

function load<T>(name: string, copy: number): Promise<T> {
  return import(new URL(`${name}.js?copy=${copy}`, import.meta.url).href);
}

const WARM_UP_OPS = 4096;
const WARM_UP_MS = 15;
/** Pause in which the compiler's thread can finish. */
export const COMPILE_MS = 4;

/** Compiles one of the loops on calls that leave almost no trace in the heap: one block is live at a time. */
export async function warmUp({ warmUpPeer, replay }: Player, touched: boolean): Promise<void> {
  const play = touched ? replay.playTouched : replay.play;
  const trace = warmUpTrace();
  const ptrs = new Uint32Array(1);
  // Twice, with a pause in which the compiler's thread may finish: what it has compiled is taken up by the next call.
  for (let i = 0; i < 2; i++) {
    const start = performance.now();
    while (performance.now() - start < WARM_UP_MS) play(warmUpPeer, trace, ptrs, 0, trace.opCount);
    await setTimeout(COMPILE_MS);
  }
}

/** Allocation in each of the three ways in turn, realloc, free; 16 to 271 bytes. */
function warmUpTrace(): Trace {
  const kinds = new Uint8Array(WARM_UP_OPS);
  const sizes = new Uint32Array(WARM_UP_OPS);
  const alignments = new Uint32Array(WARM_UP_OPS);
  const allocations = [0, 1, 0, 4] as const;
  for (let i = 0; i < WARM_UP_OPS; i++) {
    const round = Math.floor(i / 4);
    const step = i % 4;
    const kind = allocations[round % allocations.length] ?? 0;
    kinds[i] = step === 0 ? kind : step === 3 ? 3 : 2;
    sizes[i] = step === 3 ? 0 : 16 + ((round + step * 40) % 256);
    alignments[i] = kinds[i] === 4 ? 64 : 0;
  }
  return {
    opCount: WARM_UP_OPS,
    slotCount: 1,
    threadCount: 1,
    peakLiveBytes: 0,
    totalAllocatedBytes: 0,
    kinds,
    threads: new Uint8Array(WARM_UP_OPS),
    slots: new Uint32Array(WARM_UP_OPS),
    sizes,
    alignments,
  };
}
