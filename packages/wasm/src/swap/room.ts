// Room: the part of a module's first memory that its malloc takes for its own without asking anybody.
//
// Owns:  where that room begins, and whether the module's sbrk is more than memory.grow.
// Needs: module, flow, dlmalloc.
//
// wasi-libc's dlmalloc begins with a segment from __heap_base to the first memory's end, and asks sbrk only for more. A
// module that does so may have all of its memory there: one whose maximum is its minimum has no other. The address is a
// constant that malloc writes to two words of its state. It is believed only if both words get the same, and no other.

import { type Flows, firstSegmentWords, type StateBlock } from "./dlmalloc.ts";
import type { FunctionFacts, ModuleFacts } from "./module.ts";
import { RELATIVE } from "./origin.ts";

const WASM_PAGE = 65_536;
/** Less than this holds no heap's header and a few blocks. */
const LEAST_ROOM = 8192;

/** Where the room begins, which ends where the first memory does; undefined: there is none, or too little. */
export function findRoom(facts: ModuleFacts, flows: Flows, block: StateBlock): number | undefined {
  const from = findTaken(facts, flows, block);
  const [memory] = facts.memories;
  // What a memory that the host brings has in it, and how large it really is, is not known.
  if (from === undefined || memory === undefined || memory.imported !== undefined) return undefined;
  return memory.initialPages * WASM_PAGE - from >= LEAST_ROOM ? from : undefined;
}

/** From where on malloc takes the first memory without asking anybody, however much that is; undefined: it does not. */
export function findTaken(facts: ModuleFacts, flows: Flows, block: StateBlock): number | undefined {
  const [first, second] = firstSegmentWords(block).map((word) => constantsAt(flows, word));
  const [from, ...others] = first ?? [];
  if (from === undefined || others.length > 0 || second?.size !== 1 || !second.has(from)) return undefined;
  return from >= block.end && isBehindData(facts, from) ? from : undefined;
}

/** Whether all that the module's memory begins with lies below an address. */
export function isBehindData({ data }: ModuleFacts, from: number): boolean {
  return from < RELATIVE && data.every((segment) => isBelow(from, segment));
}

/** The constants that are ever written to a word, 0 left out. What is no constant is not counted. */
function constantsAt(flows: Flows, word: number): Set<number> {
  const found = new Set<number>();
  for (const { stored } of flows.values())
    for (const value of stored.get(word) ?? []) if (value > 0) found.add(value);
  return found;
}

function isBelow(from: number, { address, bytes }: ModuleFacts["data"][number]): boolean {
  return address !== undefined && address + bytes.length <= from;
}

/** Whether nothing but that room can be had: the memory has its maximum from the beginning. */
export function isMemoryFixed({ memories: [memory] }: ModuleFacts): boolean {
  return memory !== undefined && memory.initialPages === memory.maximumPages;
}

/**
 * Whether the module's sbrk does no more than memory.grow: it keeps no break that would have to know of others' growth.
 * Undefined for a module that has no sbrk.
 */
export function isSbrkPlain(facts: ModuleFacts, sbrk: number | undefined): boolean | undefined {
  const found = sbrk === undefined ? undefined : facts.functions[sbrk];
  if (found === undefined) return undefined;
  // It may call abort, which is given nothing and gives nothing.
  const callsAlone = [...found.calls.keys()].every((index) => isAlone(facts.functions[index]));
  return found.growsMemory && !found.readsState && callsAlone;
}

function isAlone(called: FunctionFacts | undefined): boolean {
  return called !== undefined && called.imported === undefined && called.signature.text === "->";
}
