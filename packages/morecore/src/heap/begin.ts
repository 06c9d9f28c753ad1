// Begin: a machine over a heap's image, which is laid out or found there. What a window is opened with.
//
// Owns:  which image is taken for a heap, and that a new one has a layout, settings and an identity before anybody sees it.
// Needs: the engine; place.ts for where, options.ts for the settings, identity.ts.

import { asBase } from "../kernel/address.ts";
import { engine } from "../kernel/design.ts";
import type { Machine } from "../kernel/machine.ts";
import type { Memory } from "../memory/memory.ts";
import type { WasmGlobalObject, WasmMemoryObject } from "../memory/webassembly.ts";
import { refuseImage } from "./errors.ts";
import { newIdentity } from "./identity.ts";
import { applyOptions, growthStepOf, type HeapOptions, type HeapSettings } from "./options.ts";
import { baseOf, checkWays, memoryOf, type Place } from "./place.ts";
import { machineOver } from "./serve.ts";
import { DEFAULT_LEASE, type HeapHandle } from "./thread.ts";

/** What a heap can be attached to by: a memory, with a base; or the handle of a heap that threads share. */
export type Attachable = Memory | WasmMemoryObject | ArrayBufferLike | HeapHandle;

/** Lays out an empty heap. What lay there is overwritten. */
export function laidOut(
  place: Place,
  options: Partial<HeapSettings> & Pick<HeapOptions, "lease">,
): [machine: Machine, base: number] {
  const { memory, base, most } = place;
  const machine = machineOver(memory, base);
  newIdentity(memory, base);
  const step = growthStepOf(options);
  machine.threads = most !== undefined;
  if (most === undefined) engine.format(machine, asBase(base), place, step);
  else engine.sharing.format(machine, asBase(base), { ...place, most }, step);
  if (most !== undefined) engine.sharing.setLease(machine, asBase(base), options.lease ?? DEFAULT_LEASE);
  applyOptions(machine, asBase(base), options);
  return [machine, base];
}

/** The heap that lies there. Throws a HeapFormatError that says why there is none. */
export function foundHeap(
  memory: Attachable,
  base: number | WasmGlobalObject | undefined,
): [machine: Machine, base: number] {
  if (base === undefined && isHandle(memory)) return foundHeap(memory.memory, memory.base);
  const address = baseOf(base);
  const machine = machineOver(memoryOf(memory), address);
  const mismatch = engine.probe(machine.fresh(asBase(address)), asBase(address));
  if (mismatch !== undefined) refuseImage(address, mismatch);
  machine.threads = engine.sharing.isShared(machine, asBase(address));
  checkWays(machine, address);
  return [machine, address];
}

function isHandle(value: unknown): value is HeapHandle {
  return typeof value === "object" && value !== null && "memory" in value && "base" in value;
}
