// Sound: whether the heap in a file can be served from, and if not, a repair: tried on a copy first.
//
// Owns:  when a file is written to by a repair.
// Needs: the engine's check, its repairs; file memory.
//
// check() looks at what the kernel wrote. A file may have been written by anyone, so the words that the kernel reads
// without looking are compared with what they can be, too. A repair is played on a copy of the pages. Only if that is sound
// afterwards, the heap's header is kept in the label, and the same repair is done in the file. So a file that is refused has not been written to.

import { HeapCorruptError, type Memory } from "morecore";
import {
  asBase,
  BeyondRepairError,
  engine,
  hex,
  Machine,
  type Repaired,
  refuse,
  repairs,
} from "morecore/engine";
import { beyondRepair } from "./errors.ts";
import type { FileMemory } from "./file.ts";
import { FILE_BASE } from "./label.ts";

/** What was repaired in a file. */
export interface RepairReport extends Repaired {
  /** The heap's header as it was, from the heap's first byte on. It is kept in the file's label, too, until the next repair. */
  readonly header: Uint8Array;
}

const BASE = asBase(FILE_BASE);

/**
 * Checks the heap in a file, and makes it sound if it is not. Throws, with the file as it was: a HeapCorruptError if it may
 * not be repaired, an OsError if it cannot be, or if there is no room to try it.
 */
export function repairIfBroken(memory: FileMemory, allowed: boolean): RepairReport | undefined {
  const fault = faultOf(memory);
  if (fault === undefined) {
    repairs.adoptGrowth(repairMachine(memory), BASE);
    return undefined;
  }
  if (!allowed) throw fault;
  rehearse(memory, fault);
  const header = memory.keepHeader();
  const report = repairHeap(memory, fault.message);
  memory.endRepair();
  return { ...report, header };
}

/** Repairs a copy. Throws an OsError if that does not help. */
function rehearse(memory: FileMemory, fault: HeapCorruptError): void {
  const draft = memory.draft();
  try {
    repairHeap(draft, fault.message);
    const still = faultOf(draft);
    if (still !== undefined) throw beyondRepair(still.message, fault);
  } finally {
    draft.end();
  }
}

/** Makes the heap sound. Throws an OsError when too little of it is left: it may then have written already. */
function repairHeap(memory: Memory, reason: string): Repaired {
  try {
    return repairs.repair(repairMachine(memory), BASE, reason);
  } catch (error) {
    throw error instanceof BeyondRepairError ? beyondRepair(error.message) : error;
  }
}

/** A machine on which a repair is done. What the kernel refuses there cannot be repaired. */
function repairMachine(memory: Memory): Machine {
  return new Machine(memory, (code, address) => {
    throw new BeyondRepairError(`code ${code} at ${address}`);
  });
}

/** What is wrong with the heap in a file; undefined: nothing. */
function faultOf(memory: Memory): HeapCorruptError | undefined {
  const machine: Machine = new Machine(memory, (code, address) => refuse(machine, BASE, code, address));
  try {
    engine.check(machine, BASE);
  } catch (error) {
    if (error instanceof HeapCorruptError) return error;
    throw error;
  }
  const fault = repairs.faultIn(machine, BASE);
  if (fault === undefined) return undefined;
  const { address, sentence } = fault;
  return new HeapCorruptError("file", address, `heap corrupted at ${hex(address)}: ${sentence}`);
}
