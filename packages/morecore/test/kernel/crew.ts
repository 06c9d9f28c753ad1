// Crew: threads that share a heap, one after the other in this one: whoever calls is said with each call.

import { asBase, asPtr, type Base } from "../../src/kernel/address.ts";
import { checkCommon } from "../../src/kernel/check-common.ts";
import { formatCommon, joinHeap, openCommon } from "../../src/kernel/common.ts";
import { free, malloc } from "../../src/kernel/family.ts";
import * as at from "../../src/kernel/layout.ts";
import { Machine } from "../../src/kernel/machine.ts";
import { unitAt, unitEntry } from "../../src/kernel/units.ts";
import { bufferMemory } from "../../src/memory/buffer.ts";
import type { Memory } from "../../src/memory/memory.ts";
import { wasmMemory } from "../../src/memory/wasm.ts";
import { Refused } from "./broken.ts";

export const COMMON = asBase(16);
const PAGE = 65_536;
const GROWTH_STEP = 4096;

export interface CrewOptions {
  /** How many threads come at once. */
  readonly threads?: number;
  /** Of a memory that never grows. */
  readonly bytes?: number;
  /** Of one that does: wasm pages. */
  readonly pages?: number;
  readonly most?: number;
}

/** A new heap that threads share, the heaps of those that have come, and the bytes as words. */
export class Crew {
  readonly memory: Memory;
  readonly machine: Machine;
  readonly heaps: Base[];

  constructor({ threads = 2, bytes, pages = 16, most = 256 }: CrewOptions = {}) {
    const fixed = bytes !== undefined;
    this.memory = fixed
      ? bufferMemory(new SharedArrayBuffer(bytes))
      : wasmMemory(new WebAssembly.Memory({ initial: pages, maximum: most, shared: true }));
    this.machine = new Machine(this.memory, (code, address) => {
      throw new Refused(code, address);
    });
    this.machine.threads = true;
    const limit = bytes ?? pages * PAGE;
    const flags = fixed ? at.FIXED_MEMORY : 0;
    formatCommon(this.machine, COMMON, limit, bytes ?? most * PAGE, COMMON, flags, GROWTH_STEP);
    openCommon(this.machine, COMMON);
    this.poke(COMMON + at.AT_SMALL_LIMIT, at.FAR_MAX);
    this.poke(COMMON + at.AT_ADVANCE_LOG2, at.NO_ADVANCE);
    this.heaps = Array.from({ length: threads }, () => this.join());
  }

  /** The machine, with fresh views. */
  get m(): Machine {
    return this.machine.fresh(COMMON);
  }

  join(): Base {
    return joinHeap(this.m, COMMON);
  }

  malloc(heap: Base, bytes: number): number {
    return malloc(this.m, heap, bytes);
  }

  free(heap: Base, ptr: number): void {
    free(this.m, heap, asPtr(ptr));
  }

  check(): void {
    checkCommon(this.m, COMMON);
  }

  word(address: number): number {
    return this.m.load32(address);
  }

  poke(address: number, value: number): void {
    this.m.store32(address, value >>> 0);
  }

  /** The map's word for an address. */
  unit(address: number): number {
    return unitAt(this.m.words, COMMON, address);
  }

  pokeUnit(address: number, value: number): void {
    this.poke(unitEntry(this.m.words, COMMON, address), value);
  }

  /** The heaps or slabs or chunks of a list: what a word leads to, and from each the word at a distance, up to 0. */
  list(head: number, next: number): number[] {
    const found: number[] = [];
    for (let item = this.word(head); item !== 0; item = this.word(item + next)) found.push(item);
    return found;
  }

  /** All bytes of the memory. */
  bytes(): Uint8Array {
    return this.m.u8.slice();
  }
}

/** The code and the address that a call is refused with. */
export function refusalOf(call: () => unknown): [code: number, address: number] | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof Refused) return [error.code, error.address];
    throw error;
  }
  return undefined;
}
