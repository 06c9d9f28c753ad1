// Stress: this thread and some Workers, each a player on one heap, in any engine.
//
// Owns:       the Workers, and the slots in which blocks change hands.
// Needs:      player.mjs, stress.worker.mjs.
// Invariants: S1  from `quiet` to `begin` no Worker is inside a call, unless it is on a leash: the heap may be checked
//
// This thread plays like any other, also where it may not wait: it is told by messages when all stand still.

import type { Heap } from "morecore";
import { expect } from "vitest";
import { Thread } from "../support/thread.ts";
import { type Character, Player, stampAt } from "./player.mjs";

const SLOTS = 64;

/** What a Worker is to do. */
export interface Part extends Character {
  /** Of the library: what serves the Worker's calls. */
  readonly entry: "index" | "js";
  readonly rounds: number;
  /** In each round, if that is not ended before. */
  readonly calls: number;
}

export class Stress {
  readonly heap: Heap;
  /** This thread. */
  readonly mine: Player;
  private readonly slots = ints(SLOTS);
  /** How many rounds were begun, and how many ended before all calls were made. */
  private readonly control = ints(2);
  private readonly workers: Thread[] = [];
  private readonly leashed: Leashed[] = [];

  constructor(heap: Heap, character: Character) {
    this.heap = heap;
    this.mine = new Player(heap, this.slots, character);
  }

  /** Starts a Worker. It waits for the first round. */
  async add(part: Part): Promise<void> {
    const { control, slots } = this;
    const worker = startPlayer({ ...part, handle: this.heap.handle, control, slots });
    this.workers.push(worker);
    expect(await worker.said()).toEqual({ thread: expect.any(Number) });
  }

  /** Starts a Worker that plays at once, until it is stopped. */
  async addLeashed(part: Part): Promise<Leashed> {
    const leash = ints(2);
    const control = ints(2);
    control[0] = 1;
    const { slots } = this;
    const worker = startPlayer({ ...part, handle: this.heap.handle, control, slots, leash });
    const { thread } = (await worker.said()) as { thread: number };
    const leashed = new Leashed(worker, thread, leash);
    this.leashed.push(leashed);
    return leashed;
  }

  /** When all stand still. */
  async quiet(): Promise<void> {
    for (const worker of this.workers) expect(await worker.said()).toBe("quiet");
  }

  begin(): void {
    Atomics.add(this.control, 0, 1);
    Atomics.notify(this.control, 0);
  }

  /** Ends the round that was begun last. */
  cut(): void {
    Atomics.store(this.control, 1, Atomics.load(this.control, 0));
  }

  /** After the last round: all that is in anybody's hands is freed, and the Workers leave. */
  async finish(): Promise<void> {
    await this.quiet();
    this.mine.finish();
    for (let slot = 0; slot < SLOTS; slot++) {
      const ptr = Atomics.exchange(this.slots, slot, 0);
      if (ptr === 0) continue;
      expect(stampAt(this.heap, ptr), `whose block lies at ${ptr}`).not.toBe(undefined);
      this.heap.free(ptr);
    }
    this.heap.check();
    this.begin();
    for (const worker of this.workers) expect(await worker.said()).toBe("done");
  }

  async end(): Promise<void> {
    // Where terminate does not end them, they would play for good.
    for (const leashed of this.leashed) leashed.stop();
    await Promise.all([...this.workers, ...this.leashed].map((worker) => worker.terminate()));
  }
}

/** A Worker that can be stopped at any moment, and watched afterwards. */
export class Leashed {
  /** Its number in the heap. */
  readonly thread: number;
  private readonly worker: Thread;
  private readonly leash: Int32Array<SharedArrayBuffer>;

  constructor(worker: Thread, thread: number, leash: Int32Array<SharedArrayBuffer>) {
    this.worker = worker;
    this.thread = thread;
    this.leash = leash;
  }

  /** How many it has made. Throws if it has failed. */
  get steps(): number {
    this.worker.checkFailure();
    return Atomics.load(this.leash, 0);
  }

  /** Ends it wherever it is. In some engines it goes on. */
  terminate(): Promise<void> {
    return this.worker.terminate();
  }

  /** Lets it stop after a step, if it goes on. It leaves nothing. */
  stop(): void {
    Atomics.store(this.leash, 1, 1);
  }
}

function ints(count: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * count));
}

function startPlayer(order: object): Thread {
  return new Thread(new URL("stress.worker.mjs", import.meta.url), order);
}
