// Shared: a heap in memory that has a name (shm_open), which any number of processes have open at once.
//
// Owns:  the turn: one process at a time is inside a call on the heap.
// Needs: file memory, libc.
//
// The turn is an advisory lock on the memory's descriptor (flock): the system gives it back when its holder dies. The
// label says who is inside; whoever gets the turn and finds another's number there knows that it died inside a call, and
// repairs before it goes on. That costs two calls of the system for each call on the heap: right first.

import { type Calls, describe } from "morecore/engine";
import { OsError } from "./errors.ts";
import type { FileMemory } from "./file.ts";
import { libc } from "./libc.ts";

/** Throws unless a value can be the name of shared memory. */
export function checkName(name: unknown): asserts name is string {
  const message = `name: expected a slash and a name without one, as "/state", got ${describe(name)}`;
  if (typeof name !== "string") throw new TypeError(message);
  // C would end the name at a NUL.
  if (!/^\/[^/]{1,250}$/.test(name) || name.includes("\0")) throw new RangeError(message);
}

/** Opens the memory of a name, or makes it. The descriptor is locked. */
export function openSharedLocked(name: string): number {
  checkName(name);
  const system = libc();
  for (let tries = 0; tries < 100; tries++) {
    const descriptor = system.openShared(name, true) ?? system.openShared(name, false);
    // Undefined: it was there, and has been unlinked since.
    if (descriptor === undefined) continue;
    try {
      system.lock(descriptor, true);
    } catch (error) {
      system.close(descriptor);
      throw error;
    }
    return descriptor;
  }
  throw new OsError("OTHER", `${name}: it came and went 100 times while it was opened`);
}

export class Turn {
  private readonly memory: FileMemory;
  /** Makes the heap sound again after a process has died inside a call. */
  private readonly recover: () => void;
  private depth = 0;

  constructor(memory: FileMemory, recover: () => void) {
    this.memory = memory;
    this.recover = recover;
  }

  /** Runs something while no other process is inside a call. May be nested. */
  hold<T>(act: () => T): T {
    if (this.depth === 0) this.enter();
    this.depth += 1;
    try {
      return act();
    } finally {
      this.depth -= 1;
      if (this.depth === 0) this.leave();
    }
  }

  private enter(): void {
    libc().lock(this.memory.descriptor, true);
    try {
      this.memory.follow();
      if (this.memory.busy !== 0) this.recover();
      this.memory.busy = process.pid;
    } catch (error) {
      // Nobody else should wait for a heap that is beyond repair.
      libc().unlock(this.memory.descriptor);
      throw error;
    }
  }

  private leave(): void {
    this.memory.busy = 0;
    libc().unlock(this.memory.descriptor);
  }

  /** The same calls, each in its turn. */
  around(calls: Calls): Calls {
    return new Proxy(calls, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return (...values: unknown[]) => this.hold(() => Reflect.apply(method, target, values));
      },
    });
  }
}
