// Dlmalloc: finds Doug Lea's allocator in a module by the addresses that its functions use.
//
// Owns:  the shape of dlmalloc's state and of its functions.
// Needs: module, flow.
//
// Emscripten and wasi-libc compile the same dlmalloc.c. Its state is one static struct (`_gm_`), so its addresses are
// constants in the code, and malloc and free give its place away:
//
//     at + 0  smallmap   +4 treemap   +8 dvsize    +12 topsize   +16 least_addr   +20 dv   +24 top
//       +28   trim_check +32 release_checks        +36 magic     +40 smallbins[66]         +304 treebins[32]
//       +432  footprint, max_footprint, footprint_limit, mflags  +448 seg, extp, exts      +472 end
//
// Compiled for threads (USE_LOCKS), it has its lock at +448, and seg behind it. How long a lock is depends on its kind.

import {
  Budget,
  type Flow,
  followFlow,
  type HeaderPeek,
  type Step,
  type Surroundings,
  stepOf,
} from "./flow.ts";
import { type FunctionFacts, type ModuleFacts, memoryBaseOf, readBodies } from "./module.ts";
import { CALLOC, FREE, MALLOC, MEMALIGN, REALLOC, type Role, USABLE_SIZE } from "./roles.ts";

const SMALLBINS = 40;
const TREEBINS = 304;
const STATE_BYTES = 472;
const LEAST_ADDRESS = 16;
const FIRST_SEGMENT = 448;
const LOCK = FIRST_SEGMENT;
/** A word; Lea's recursive lock; a pthread_mutex_t of musl, and of older Emscripten. */
const LOCK_BYTES = [4, 12, 24, 28];
/** From the first segment's record on: what malloc writes when it has got its first memory (base, size, flags), and what nobody uses. */
const SEGMENT_WORDS = [0, 4, 12];
const UNUSED_WORDS = [16, 20];
/** Words that both malloc and free use, always. */
const SHARED_WORDS = [0, 4, 8, 12, 20, 24];
/** Words that malloc uses besides, once it may grow: trim_check, release_checks, magic, footprint, the first segment. */
const MALLOC_WORDS = [...SHARED_WORDS, 16, 28, 36, 432, 436, 448];
/** malloc compares its argument with MAX_REQUEST, -64. */
const MAX_REQUESTS = [0xffffffbf, 0xffffffc0];
const SIZE_MASK = 0xfffffff8;
const FLAG_MASKS = [1, 2, 3];
/** A sound program has one; so many are enough to find it, and no more are looked at. */
const MOST_PLACES = 1024;

export type Flows = ReadonlyMap<number, Flow>;

export interface StateBlock {
  /** Above RELATIVE in a position-independent module. */
  readonly at: number;
  readonly end: number;
  readonly mallocs: readonly number[];
  readonly frees: readonly number[];
  /** Of a dlmalloc for threads: how long its lock is. */
  readonly lockBytes?: number;
  /** Words besides that were its own alone. */
  readonly others?: readonly number[];
}

/** Follows all functions; those of which there is nothing to say are left out. Throws a WasmFormatError. */
export function followAll(bytes: Uint8Array, facts: ModuleFacts): Flows {
  const around: Surroundings = {
    types: facts.types,
    signatures: facts.functions.map(({ signature }) => signature),
    memoryBase: memoryBaseOf(facts),
    budget: new Budget(bytes.length),
  };
  const flows = new Map<number, Flow>();
  let current = -1;
  let currentLocals = 0;
  let steps: Step[] = [];
  readBodies(bytes, facts, {
    begin(index, locals) {
      current = index;
      currentLocals = locals;
      steps = [];
      return true;
    },
    instruction: (name, instruction) => void steps.push(stepOf(name, instruction, around)),
    end() {
      const flow = followFlow(steps, around.signatures[current]?.params ?? 0, currentLocals, around);
      if (saysSomething(flow)) flows.set(current, flow);
    },
  });
  return flows;
}

function saysSomething({ accessed, indexed, escaping, passed, stored, peeks, readAt }: Flow): boolean {
  const sizes = [accessed, indexed, escaping, passed, stored, readAt].map(({ size }) => size);
  return peeks.length > 0 || sizes.some((size) => size > 0);
}

/** Every state block of a dlmalloc in the module; a sound program has one. In one that frees nothing, malloc shows it. */
export function findStateBlocks(facts: ModuleFacts, flows: Flows): StateBlock[] {
  const shown = blocksAt(facts, flows, placesIn(facts, flows, FREE));
  if (shown.length > 0) return shown;
  // There are many functions of malloc's signature, so more is asked of them: each word by its own address.
  const isPlain = ({ at, mallocs }: StateBlock) =>
    mallocs.some((index) => MALLOC_WORDS.every((word) => flows.get(index)?.accessed.has(at + word)));
  return blocksAt(facts, flows, placesIn(facts, flows, MALLOC)).filter(isPlain);
}

function blocksAt(facts: ModuleFacts, flows: Flows, places: ReadonlySet<number>): StateBlock[] {
  const blocks = new Map<number, { mallocs: number[]; frees: number[] }>();
  for (const at of places) {
    const frees = usersOf(facts, flows, at, FREE);
    const mallocs = usersOf(facts, flows, at, MALLOC).filter((index) =>
      MAX_REQUESTS.some((number) => facts.functions[index]?.numbers.has(number)),
    );
    if (mallocs.length > 0) blocks.set(at, { mallocs, frees });
  }
  return [...blocks].map(([at, found]) => ({ at, end: at + STATE_BYTES, ...found }));
}

/**
 * The blocks of a module with threads, with their locks. Left out is what only looks like a block: words of another one's malloc, and
 * arrays of whose first words no malloc uses one by its own address.
 */
export function withLocks(flows: Flows, blocks: readonly StateBlock[]): StateBlock[] {
  const locked = blocks.flatMap((block) => withLock(flows, block) ?? []);
  const known = new Set(locked.flatMap(({ mallocs }) => mallocs));
  const isOther = ({ at, mallocs }: StateBlock) =>
    !mallocs.some((index) => known.has(index)) &&
    mallocs.some((index) => SHARED_WORDS.some((word) => flows.get(index)?.accessed.has(at + word)));
  return [...locked, ...blocks.filter(isOther)];
}

/** Undefined: malloc and free do not both take a lock, or malloc does not use the first segment's record behind it. */
function withLock(flows: Flows, block: StateBlock): StateBlock | undefined {
  const { at, mallocs, frees } = block;
  const uses = (index: number, address: number) => flows.get(index)?.accessed.has(address) === true;
  // A longer lock has words of its own where the record of a shorter one would lie, and the record where there would be unused words.
  const lockBytes = LOCK_BYTES.find((bytes) =>
    mallocs.every((index) => {
      const usesBehind = (word: number) => uses(index, at + LOCK + bytes + word);
      return SEGMENT_WORDS.every(usesBehind) && !UNUSED_WORDS.some(usesBehind);
    }),
  );
  if (lockBytes === undefined) return undefined;
  const locked = { ...block, lockBytes, end: at + STATE_BYTES + lockBytes };
  const takesLock = (index: number) => usesLock(flows.get(index), locked);
  return [...mallocs, ...frees].every(takesLock) ? locked : undefined;
}

/** Whether a function reads or writes the block's lock, or hands its address on. */
export function usesLock(flow: Flow | undefined, { at, lockBytes = 0 }: StateBlock): boolean {
  if (flow === undefined || lockBytes === 0) return false;
  const isInLock = (address: number) => address >= at + LOCK && address < at + LOCK + lockBytes;
  return flow.escaping.has(at + LOCK) || [...flow.accessed].some(isInLock);
}

function placesIn(facts: ModuleFacts, flows: Flows, { signature }: Role): Set<number> {
  const places = new Set<number>();
  for (const [index, flow] of flows) {
    if (facts.functions[index]?.signature.text !== signature) continue;
    for (const address of [...flow.escaping, ...flow.indexed, ...flow.accessed])
      if (places.size < MOST_PLACES && usesBlock(flow, address - SMALLBINS)) places.add(address - SMALLBINS);
  }
  return places;
}

function usersOf(facts: ModuleFacts, flows: Flows, at: number, { signature }: Role): number[] {
  return [...flows]
    .filter(([index, flow]) => facts.functions[index]?.signature.text === signature && usesBlock(flow, at))
    .map(([index]) => index);
}

function usesBlock({ accessed, escaping, indexed }: Flow, at: number): boolean {
  const uses = (address: number) => accessed.has(address) || indexed.has(address);
  const mentions = (address: number) => uses(address) || escaping.has(address);
  return SHARED_WORDS.every((word) => uses(at + word)) && mentions(at + SMALLBINS) && mentions(at + TREEBINS);
}

/**
 * The words of the block that a function reads or writes. Who uses arrays only, and no word by its own address, uses
 * arrays that begin nearby: dlmalloc looks at its bitmaps before its bins.
 */
export function touchedWords(flow: Flow | undefined, block: StateBlock): number[] {
  if (flow === undefined) return [];
  const { at, end, others = [] } = block;
  const isWithin = (address: number) => address >= at && address < end;
  const own = [...flow.accessed].filter(isWithin);
  if (flow.passed.has(at)) own.push(at);
  if (usesLock(flow, block)) own.push(at + LOCK);
  own.push(...others.filter((word) => usesWord(flow, word)));
  if (own.length === 0) return [];
  const indexed = [...flow.indexed].filter((address) => isWithin(address) && (address - at) % 4 === 0);
  return [...new Set([...own, ...indexed])].sort((a, b) => a - b);
}

/** Whether a function reads or writes a static word, or hands its address on. */
export function usesWord({ accessed, indexed, escaping }: Flow, word: number): boolean {
  return accessed.has(word) || indexed.has(word) || escaping.has(word);
}

/** The two words that get the beginning of the first segment. */
export function firstSegmentWords({ at, lockBytes = 0 }: StateBlock): readonly number[] {
  return [at + LEAST_ADDRESS, at + FIRST_SEGMENT + lockBytes];
}

/** Reads of blocks' headers: of the size and a flag at once, or of any part of what `givers` have given. */
export function headerPeeks(flow: Flow | undefined, givers: ReadonlySet<number>): HeaderPeek[] {
  return (flow?.peeks ?? []).filter(({ of, masks }) => {
    const isWhole = masks.has(SIZE_MASK) && FLAG_MASKS.some((mask) => masks.has(mask));
    return isWhole || (masks.size > 0 && of.kind === "result" && givers.has(of.id));
  });
}

/** The role that a function's shape shows, of those that need not have a name. */
export function roleByShape(
  facts: FunctionFacts,
  flow: Flow,
  { malloc, free, givers }: { malloc: number; free: number | undefined; givers: ReadonlySet<number> },
): { role: Role; why: string } | undefined {
  const peeks = headerPeeks(flow, givers);
  const ofParam = peeks.some(({ of }) => of.kind === "param" && of.id === 0);
  const ofMalloc = peeks.find(({ of }) => of.kind === "result" && of.id === malloc);
  const hasLimit = MAX_REQUESTS.some((number) => facts.numbers.has(number));
  const calls = (index: number | undefined) => index !== undefined && facts.calls.has(index);
  const { text } = facts.signature;
  if (text === REALLOC.signature && ofParam && calls(malloc) && calls(free) && hasLimit)
    return {
      role: REALLOC,
      why: "reads the header of its argument, calls malloc and free, and has the largest request",
    };
  if (text === MEMALIGN.signature && ofMalloc?.masks.has(SIZE_MASK) && hasLimit && !calls(free))
    return {
      role: MEMALIGN,
      why: "reads the size in the header of what malloc gave, and has the largest request",
    };
  if (text === CALLOC.signature && ofMalloc !== undefined && !ofMalloc.masks.has(SIZE_MASK) && !calls(free))
    return { role: CALLOC, why: "reads the flags in the header of what malloc gave" };
  if (text === USABLE_SIZE.signature && ofParam && facts.calls.size === 0)
    return { role: USABLE_SIZE, why: "reads the header of its argument and calls nothing" };
  return undefined;
}
