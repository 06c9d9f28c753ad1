// Explore: every order of the steps of some threads' calls, from one heap. A step goes from one access to a word that several threads
// touch, in no order that they keep to, to the next. Which words those are is found by trying, until no other is met. Where two orders have led to the same
// bytes, and each thread has read the same, what follows is tried once.

import { auditToTheEnd } from "./audit.ts";
import type { Machine, Steps } from "./machine.ts";
import type { ScheduledKernel } from "./scheduled.ts";
import { type Shape, World } from "./world.ts";

export interface Scenario<Prepared> {
  readonly name: string;
  readonly shape: Shape;
  /** Calls on the new heap, before any thread begins. */
  readonly prepare: (world: World) => Prepared;
  /** What each thread does. */
  readonly threads: readonly ((world: World, prepared: Prepared) => Steps<unknown>)[];
  /** What must hold after each order, besides what is always checked. */
  readonly end?: (world: World, prepared: Prepared) => void;
}

export interface Explored {
  /** How many orders there are. */
  readonly orders: number;
  /** How many moments there are in them, the same one reached by several orders counted once. */
  readonly states: number;
  /** How many words the threads share. */
  readonly shared: number;
}

/** The first order that was wrong. */
export class Violation extends Error {}

const MOST_STATES = 400_000;

/** A type that says nothing of what was prepared, for lists of scenarios. */
export interface AnyScenario {
  readonly name: string;
  readonly explore: (kernel: ScheduledKernel) => Explored;
}

export function scenario<Prepared>(what: Scenario<Prepared>): AnyScenario {
  return { name: what.name, explore: (kernel) => new Exploration(kernel, what).all() };
}

class Exploration<Prepared> {
  private readonly what: Scenario<Prepared>;
  private readonly world: World;
  private readonly prepared: Prepared;
  private readonly live: ReadonlyMap<number, number>;
  private readonly heaps: World["heaps"];
  private readonly points: Uint8Array;
  /** How many orders go on from a moment. */
  private readonly known = new Map<number, number>();
  private threads: Steps<unknown>[] = [];
  private done: boolean[] = [];
  /** The threads that made the steps so far. */
  private order: number[] = [];

  constructor(kernel: ScheduledKernel, what: Scenario<Prepared>) {
    this.what = what;
    this.world = new World(kernel, what.shape);
    this.prepared = what.prepare(this.world);
    this.live = this.world.live;
    this.heaps = this.world.heaps;
    this.points = new Uint8Array(this.world.memory.words.length);
    this.world.memory.begin();
    for (const machine of this.world.machines) machine.stops = (_, index) => this.points[index] === 1;
  }

  all(): Explored {
    try {
      for (;;) {
        this.known.clear();
        this.begin();
        const orders = this.orders();
        const shared = this.shared();
        if (!shared.grown) return { orders, states: this.known.size, shared: shared.count };
      }
    } catch (error) {
      throw this.violation(error);
    }
  }

  /** Marks the words that threads have touched in no order: their calls stop there from now on. */
  private shared(): { readonly count: number; readonly grown: boolean } {
    let count = 0;
    let grown = false;
    for (const [index, unordered] of this.world.memory.clocks.unordered.entries()) {
      if (unordered === 0) continue;
      count += 1;
      if (this.points[index] === 0) grown = true;
      this.points[index] = 1;
    }
    return { count, grown };
  }

  /** The heap as it was prepared; each thread stands before its first step. */
  private begin(): void {
    const { world } = this;
    world.memory.restore();
    world.live = new Map(this.live);
    world.heaps = [...this.heaps];
    for (const machine of world.machines) machine.reset();
    this.order = [];
    this.threads = this.what.threads.map((thread) => thread(world, this.prepared));
    this.done = this.threads.map(() => false);
    for (const thread of this.threads.keys()) this.go(thread);
  }

  private go(thread: number): void {
    const { done } = (this.threads[thread] as Steps<unknown>).next();
    this.done[thread] = done === true;
  }

  private step(thread: number): void {
    this.order.push(thread);
    this.go(thread);
  }

  /** How many orders go on from here; tries them all. */
  private orders(): number {
    const key = this.key();
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size >= MOST_STATES) throw new Error("too many states");
    const next = [...this.threads.keys()].filter((thread) => this.done[thread] !== true);
    const before = [...this.order];
    let orders = next.length === 0 ? 1 : 0;
    if (next.length === 0) this.end();
    for (const [index, thread] of next.entries()) {
      if (index > 0) this.replay(before);
      this.step(thread);
      orders += this.orders();
    }
    this.known.set(key, orders);
    return orders;
  }

  private replay(order: readonly number[]): void {
    this.begin();
    for (const thread of order) this.step(thread);
  }

  private end(): void {
    this.what.end?.(this.world, this.prepared);
    auditToTheEnd(this.world);
  }

  /** Says which moment this is, in 53 bits. */
  private key(): number {
    const { memory, machines } = this.world;
    let low = memory.sum;
    let high = memory.sum2;
    for (const [index, machine] of machines.entries()) {
      const done = this.done[index] === true ? 1 : 0;
      low = Math.imul(low ^ machine.past ^ done, 0x0100_0193) ^ (low >>> 13);
      high = Math.imul(high ^ machine.past2 ^ done, 0x0100_01b3) ^ (high >>> 11);
    }
    return (low >>> 0) * 0x20_0000 + (high >>> 11);
  }

  /** What went wrong, with the steps that led there. */
  private violation(error: unknown): Violation {
    const { order } = this;
    const lines: string[] = [];
    const trace = (machine: Machine): void => {
      machine.trace = (line) => lines.push(line);
    };
    for (const machine of this.world.machines) trace(machine);
    try {
      this.replay([...order]);
    } catch {
      // As before.
    }
    const why = error instanceof Error ? error.message : String(error);
    const steps = `${this.what.name}: ${why}\norder: ${order.join("")}\n${lines.join("\n")}`;
    return new Violation(steps, { cause: error });
  }
}
