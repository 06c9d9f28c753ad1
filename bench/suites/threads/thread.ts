// Thread: plays its part of a pattern, slice by slice, each begun by all threads together.
//
// Owns:  the clock.
// Needs: to be a Worker that pool.ts has started.

import { type MessagePort, parentPort } from "node:worker_threads";
import { javascriptPlay } from "./calls.ts";
import { passGate } from "./gate.ts";
import { type Part, wasmPart } from "./part.ts";
import type { Order, ThreadAnswer } from "./protocol.ts";

export function listen(port: MessagePort): void {
  port.on("message", (order: Order) => port.postMessage(answered(order)));
}

function answered(order: Order): ThreadAnswer {
  try {
    return played(
      order,
      order.caller.kind === "wasm" ? wasmPart(order, order.caller.module) : javascriptPlay(order),
    );
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

function played({ gate, count, slices, steps }: Order, part: Part): ThreadAnswer {
  const begins: number[] = [];
  const ends: number[] = [];
  let blocks = 0;
  for (let turn = 0; turn < slices; turn++) {
    part.begin();
    passGate(gate, count);
    begins.push(now());
    blocks += part.play(turn, steps);
    ends.push(now());
  }
  passGate(gate, count);
  part.finish();
  return { kind: "done", begins, ends, blocks };
}

/** Nanoseconds. performance.now() has another beginning in each thread. */
function now(): number {
  return Number(process.hrtime.bigint());
}

// pool.ts alone starts it.
if (parentPort !== null) listen(parentPort);
