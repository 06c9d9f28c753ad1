// Thread: this thread's place in a heap that threads share: the heap that is its own, in the heap that is common to all.
//
// Owns:  which of the threads' heaps is this thread's, for all windows on one heap in this realm.
// Needs: the engine's sharing.
//
// A place is a thread's, not a window's: all windows of a thread allocate from it. It is given up when the last one is disposed of.

import type { Base } from "../kernel/address.ts";
import { engine } from "../kernel/design.ts";
import type { Machine } from "../kernel/machine.ts";
import type { WasmMemoryObject } from "../memory/webassembly.ts";

/** What another thread needs to use a heap: postMessage and workerData can carry it. */
export interface HeapHandle {
  /** The shared memory that the heap lies in. */
  readonly memory: WasmMemoryObject | SharedArrayBuffer;
  /** The address of its image there. */
  readonly base: number;
}

/** A thread's place in a shared heap. */
export interface HeapThread {
  /** Which of all that came it is, from 1 on; 0: the thread has left, and the next one goes on here. */
  readonly thread: number;
  /** Milliseconds since the thread was last heard of; undefined of a place that was left. */
  readonly silent: number | undefined;
  /** Bytes that the place has got from the memory. */
  readonly footprint: number;
}

/** Where windows on one heap meet. */
export interface Places {
  place?: Place | undefined;
  /** What was seen of threads that are to be released, by their numbers. */
  readonly watched: Map<number, Watched>;
}

/** What a thread had done when somebody first looked, and when that was. */
interface Watched {
  readonly doings: number;
  readonly since: number;
}

/** In milliseconds. */
export const DEFAULT_LEASE = 10_000;
/** So often in a lease does a thread say that it is there. */
const BEATS = 4;

/** This thread's heap, and how many windows it serves. */
interface Place {
  readonly thread: Base;
  windows: number;
  /** Ends what says that the thread is there. */
  readonly fallSilent: () => void;
}

/** Gives a machine this thread's heap in the shared heap at a base. Throws a RangeError if there is no memory for one. */
export function joinThread(machine: Machine, base: Base, places: Places): Base {
  const place = places.place ?? begun(machine, base);
  places.place = place;
  place.windows += 1;
  machine.thread = place.thread;
  return place.thread;
}

function begun(machine: Machine, base: Base): Place {
  const thread = engine.sharing.join(machine, base);
  if (thread === 0)
    throw new RangeError("attach: the shared heap has no memory left for another thread's place in it");
  return { thread, windows: 0, fallSilent: beating(machine, base, thread) };
}

/** Lets a thread say that it is there, as long as its event loop runs and its memory is in use. What ends that. */
function beating(machine: Machine, base: Base, thread: Base): () => void {
  engine.sharing.beat(machine, thread, now());
  if (typeof setInterval === "undefined") return () => undefined;
  const held = new WeakRef(machine);
  const number = engine.sharing.number(machine, thread);
  const beat = (): void => {
    const still = held.deref()?.fresh(base);
    // The memory is in no use any more, or others have taken the place back.
    if (still === undefined || engine.sharing.number(still, thread) !== number) stop();
    else engine.sharing.beat(still, thread, now());
  };
  const timer: unknown = setInterval(beat, Math.ceil(engine.sharing.lease(machine, base) / BEATS));
  const stop = (): void => clearInterval(timer as number);
  letProgramEnd(timer);
  return stop;
}

/** A timer of ours keeps no program from ending. Of Deno's timers one knows only the numbers. */
function letProgramEnd(timer: unknown): void {
  const { Deno } = globalThis as { readonly Deno?: { unrefTimer?(id: unknown): void } };
  if (typeof timer === "object" && timer !== null && "unref" in timer) (timer as { unref(): void }).unref();
  else Deno?.unrefTimer?.(timer);
}

/** Milliseconds, as all threads count them, in a word. */
function now(): number {
  return Date.now() % 2 ** 32;
}

/** How long ago a moment of `now` was. */
function since(moment: number): number {
  return (now() - moment) >>> 0;
}

/** What there is to be told of the places. */
export function threadsOf(machine: Machine, base: Base): HeapThread[] {
  return engine.sharing.threads(machine, base).map(({ thread, heap, footprint }) => ({
    thread,
    silent: thread === 0 ? undefined : since(engine.sharing.signs(machine, heap).beat),
    footprint,
  }));
}

/** Takes back the place of a thread that is gone; see Heap.release. */
export function releaseThread(machine: Machine, base: Base, thread: number, places: Places): boolean {
  const { sharing } = engine;
  if (!machine.threads || thread === 0 || thread > sharing.count(machine, base))
    throw new RangeError(`thread: expected the number of one that has come to this heap, got ${thread}`);
  if (thread === sharing.number(machine, machine.thread))
    throw new TypeError("thread: expected another thread than this one, which leaves by dispose()");
  const place = sharing.threads(machine, base).find((each) => each.thread === thread);
  if (place === undefined) return true;
  const { beat, doings } = sharing.signs(machine, place.heap);
  const lease = sharing.lease(machine, base);
  const watched = places.watched.get(thread);
  if (watched?.doings !== doings) places.watched.set(thread, { doings, since: now() });
  if (watched?.doings !== doings || since(watched.since) < lease || since(beat) < lease) return false;
  places.watched.delete(thread);
  return sharing.takeOver(machine, base, place.heap);
}

/** A window ends; with the last one, the thread's heap is left to the next thread that comes. */
export function leaveThread(machine: Machine, places: Places): void {
  const { place } = places;
  if (place === undefined) return;
  place.windows -= 1;
  if (place.windows > 0) return;
  places.place = undefined;
  place.fallSilent();
  engine.sharing.leave(machine, place.thread);
}
