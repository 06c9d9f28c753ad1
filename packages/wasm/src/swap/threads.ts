// Threads: what a swap has to know of a module whose memory is shared, besides which functions are the family's.
//
// Owns:  where the heap of all threads begins; whether the old malloc's break can go.
// Needs: module, dlmalloc, room.
//
// Each instance of such a module is a thread. The kernel for threads makes the memory grow by itself, and takes all from where its
// heap begins. So that must be an address from which on all was the old malloc's, whatever the host does:
//
//     its sbrk keeps a break   what that is at first. Nobody but malloc may move it, or look at it
//     sbrk is memory.grow      what malloc takes without asking (room.ts), else the end of a memory that is the module's own

import { ADDRESS_END, asBase, engine } from "morecore/engine";
import type { Share } from "../format/threads.ts";
import { type Flows, type StateBlock, usesWord } from "./dlmalloc.ts";
import type { ModuleFacts } from "./module.ts";
import { RELATIVE } from "./origin.ts";
import { findTaken, isBehindData, isSbrkPlain } from "./room.ts";

const WASM_PAGE = 65_536;
const MOST_PAGES = 65_536;
const GRANULE = 16;
const WORD_BYTES = 4;
const SHARED = "its memory is shared between threads";

/** How the old malloc got memory. */
export interface OldMemory {
  readonly facts: ModuleFacts;
  readonly flows: Flows;
  readonly block: StateBlock;
  readonly sbrk: number | undefined;
}

export interface SharedDecision {
  readonly share: Share | undefined;
  /** Why there is none; empty: there is. */
  readonly whyNoShare: readonly string[];
  /** Why the old break cannot go; empty: it can, or there is none. */
  readonly whyKept: readonly string[];
  /** The words that the old malloc's memory begins with: nobody may use them any more. */
  readonly words: readonly number[];
}

/** `stays` tells why a function is there after the swap; undefined: it is not. */
export function decideShare(old: OldMemory, stays: (index: number) => string | undefined): SharedDecision {
  const from = beginningOf(old);
  const share = shareFrom(old, from);
  const isKnown = typeof share !== "string";
  const words = from === undefined ? [] : wordsWith(old.facts, from);
  return {
    share: isKnown ? share : undefined,
    whyNoShare: isKnown ? [] : [`${SHARED}, and ${share}`],
    whyKept: [...whySbrkKept(old, stays), ...whyWordsKept(old, words, stays)],
    words,
  };
}

function keepsBreak({ facts, sbrk }: OldMemory): boolean {
  return isSbrkPlain(facts, sbrk) === false;
}

/** A break that sbrk keeps knows nothing of memory that threads get otherwise. */
function whySbrkKept(old: OldMemory, stays: (index: number) => string | undefined): string[] {
  const why = old.sbrk === undefined || !keepsBreak(old) ? undefined : stays(old.sbrk);
  if (why === undefined) return [];
  return [
    `${SHARED}, and its sbrk (function ${old.sbrk}) keeps a break of its own for others than malloc (${why})`,
  ];
}

/** Who looks at the break, or is an sbrk that became a part of another function. */
function whyWordsKept(
  { flows, sbrk }: OldMemory,
  words: readonly number[],
  stays: (index: number) => string | undefined,
): string[] {
  return [...flows].flatMap(([index, flow]) => {
    const why = stays(index);
    if (index === sbrk || why === undefined || !words.some((word) => usesWord(flow, word))) return [];
    return [`${SHARED}, and function ${index} (${why}) uses the break, from which on memory is malloc's`];
  });
}

/** Where the old malloc's memory begins; undefined: not known. */
function beginningOf(old: OldMemory): number | undefined {
  const { facts, flows, block } = old;
  const [memory] = facts.memories;
  if (memory === undefined || block.at >= RELATIVE) return undefined;
  const end = memory.initialPages * WASM_PAGE;
  const ownEnd = memory.imported === undefined && !hidesBreak(old) ? end : undefined;
  const from = keepsBreak(old) ? breakOf(old) : (findTaken(facts, flows, block) ?? ownEnd);
  return from === undefined || from > end ? undefined : from;
}

/** The one break of sbrk's. */
function breakOf(old: OldMemory): number | undefined {
  const found = breaksIn(old, old.sbrk ?? -1);
  return found.length === 1 ? found[0] : undefined;
}

/** Whether an sbrk that became a part of another function, with memory.grow, keeps a break. */
function hidesBreak(old: OldMemory): boolean {
  return old.facts.functions.some(({ index, growsMemory }) => growsMemory && breaksIn(old, index).length > 0);
}

/** The addresses behind all data that are in a function's static words at first. */
function breaksIn({ facts, flows, block }: OldMemory, index: number): number[] {
  const values = [...(flows.get(index)?.accessed ?? [])].map((at) => firstWord(facts, at));
  return values.filter((value) => value >= block.end && isBehindData(facts, value));
}

/** What a static word is at first: 0 where no data is copied. */
function firstWord({ data }: ModuleFacts, at: number): number {
  const byteAt = (place: number): number => {
    for (const { address, bytes } of data)
      if (address !== undefined && place >= address && place < address + bytes.length)
        return bytes[place - address] ?? 0;
    return 0;
  };
  const bytes = Array.from({ length: WORD_BYTES }, (_, offset) => byteAt(at + offset));
  return new DataView(Uint8Array.from(bytes).buffer).getUint32(0, true);
}

/** The static words in which a number is at first. */
function wordsWith(facts: ModuleFacts, value: number): number[] {
  return facts.data.flatMap(({ address, bytes }) => {
    if (address === undefined) return [];
    const first = address & ~(WORD_BYTES - 1);
    const lowest = value & 0xff;
    const count = Math.ceil((address + bytes.length - first) / WORD_BYTES);
    return Array.from({ length: count }, (_, index) => first + index * WORD_BYTES).filter(
      (at) => (at < address || bytes[at - address] === lowest) && firstWord(facts, at) === value,
    );
  });
}

/** The threads' heap, if the old malloc's memory begins at an address; a string: why there cannot be one. */
function shareFrom({ facts }: OldMemory, from: number | undefined): Share | string {
  if (from === undefined) return "it is not known where its malloc's part of it begins";
  const most = Math.min((facts.memories[0]?.maximumPages ?? MOST_PAGES) * WASM_PAGE, ADDRESS_END);
  const start = Math.ceil(from / GRANULE) * GRANULE;
  const least = start < most ? start + engine.sharing.least(asBase(start), most) + WASM_PAGE : start;
  return least <= most && start > 0
    ? { start, most }
    : "it has too little room for a heap that threads share";
}
