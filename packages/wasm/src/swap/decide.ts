// Decide: which functions to replace, and whether that is safe; else why not.
//
// Owns:  the rules. Evidence must agree, and nothing that works on the old state may stay.
// Needs: module, dlmalloc, names, roles, room, threads.
//
// The clan is every function that uses the state block, calls a helper that does, or reads blocks' headers. Each member
// gets a role and is replaced, or nothing calls it once the others are replaced; otherwise the module is refused.

import { isStale, readExports, readSections } from "../format/binary.ts";
import { HEAP_EXPORT, LEAVE_EXPORT, type Share } from "../format/threads.ts";
import {
  type Flows,
  findStateBlocks,
  followAll,
  headerPeeks,
  roleByShape,
  type StateBlock,
  touchedWords,
  usesLock,
  withLocks,
} from "./dlmalloc.ts";
import type { FunctionFacts, ModuleFacts } from "./module.ts";
import { findNamed, findOtherAllocator, type NamedFunction } from "./names.ts";
import { RELATIVE } from "./origin.ts";
import type { FoundAction, FoundFunction, SwapReport } from "./report.ts";
import { CALLOC, FREE, MALLOC, MEMALIGN, REALLOC, type Role } from "./roles.ts";
import { findRoom, isMemoryFixed, isSbrkPlain } from "./room.ts";
import { decideShare, type OldMemory } from "./threads.ts";

const MINUS_ONE = 0xffffffff;

/** What the rewriting needs; only for a module that is not refused. */
export interface SwapPlan {
  readonly block: StateBlock;
  /** Function index → what it is to do. */
  readonly replaced: ReadonlyMap<number, Role>;
  /** The module's sbrk; undefined: its malloc uses memory.grow itself, or the memory is shared. */
  readonly sbrk: number | undefined;
  /** Where the malloc's part of the first memory begins, which needs no growth. */
  readonly room: number | undefined;
  /** Of a module whose memory is shared: the heap in which each instance has its own. */
  readonly share?: Share;
}

export interface Decision {
  readonly report: SwapReport;
  readonly plan: SwapPlan | undefined;
  /** Whether there is a dlmalloc, or several. If so and there is no plan, it cannot be replaced. */
  readonly isRecognised: boolean;
}

export interface DecideOptions {
  readonly glue?: string | undefined;
  /** The module may import the kernel's functions already, beside a malloc of its own. */
  readonly mayImportKernel?: boolean;
}

interface Member {
  readonly facts: FunctionFacts;
  readonly evidence: string[];
  role: Role | undefined;
}

export function decide(
  bytes: Uint8Array,
  facts: ModuleFacts,
  { glue, mayImportKernel = false }: DecideOptions = {},
): Decision {
  const named = findNamed(facts, glue);
  const early = refuseEarly(facts);
  const flows = early.length > 0 ? new Map<number, never>() : followAll(bytes, facts);
  const isShared = facts.memories[0]?.shared === true;
  const shown = findStateBlocks(facts, flows);
  const blocks = isShared ? withLocks(flows, shown) : shown;
  const [block] = blocks;
  const [malloc] = block?.mallocs ?? [];
  const isRecognised = block !== undefined && malloc !== undefined;
  const no = (...refusals: string[]): Decision => ({ ...refused(facts, named, refusals), isRecognised });
  if (early.length > 0) return no(...early);
  if (importsKernel(facts) && !(isRecognised && mayImportKernel)) return no(whyImporting(isRecognised));
  if (!isRecognised) return no(whyNotRecognised(facts, named));
  if (blocks.length > 1) return no(`it has ${blocks.length} dlmallocs`);
  // Beside morecore's it is one allocator more that takes what memory.grow gives to it.
  if (isShared && block.lockBytes === undefined) return { ...no(NO_LOCK), isRecognised: false };
  if (isShared && exportsHeap(bytes)) return no(`it exports ${HEAP_EXPORT} or ${LEAVE_EXPORT} already`);
  return new Deciding(facts, flows, block, malloc, named, !mayImportKernel).decision();
}

const NO_LOCK =
  "its memory is shared between threads, and no lock that its malloc and free take was found in dlmalloc's state";

function exportsHeap(bytes: Uint8Array): boolean {
  return readExports(readSections(bytes)).some(({ name }) => name === HEAP_EXPORT || name === LEAVE_EXPORT);
}

function refuseEarly({ memories }: ModuleFacts): string[] {
  const [memory] = memories;
  if (memory === undefined) return ["it has no memory"];
  if (memories.length > 1) return ["it has several memories"];
  return [];
}

function importsKernel({ functions }: ModuleFacts): boolean {
  return functions.some(({ imported }) => imported?.startsWith("morecore.mc_"));
}

function whyImporting(hasOwn: boolean): string {
  return hasOwn
    ? "it imports morecore's functions already, beside a malloc of its own: `morecore link` puts both on one heap"
    : "it imports morecore's functions already: there is nothing to replace";
}

function whyNotRecognised(facts: ModuleFacts, named: readonly NamedFunction[]): string {
  const other = findOtherAllocator(facts);
  const isNotDlmalloc = "no function uses a state block as dlmalloc's malloc and free do";
  if (other !== undefined) return `its allocator is not dlmalloc but ${other}`;
  const malloc = named.find(({ role }) => role === MALLOC);
  if (malloc === undefined) return `no malloc was found: no function has its name, and ${isNotDlmalloc}`;
  return `its malloc (function ${malloc.index}, ${malloc.evidence}) is not dlmalloc: ${isNotDlmalloc}`;
}

function refused(
  facts: ModuleFacts,
  named: readonly NamedFunction[],
  refusals: string[],
): Pick<Decision, "plan" | "report"> {
  const functions = [...byFunction(named)].map(([index, all]): FoundFunction => {
    const { name, exportedAs } = facts.functions[index] as FunctionFacts;
    const role = all[0]?.role?.name ?? "sbrk";
    return { index, name, exportedAs, role, action: "left", evidence: all.map(({ evidence }) => evidence) };
  });
  const allocator = findOtherAllocator(facts) ?? "not recognised";
  const nothing = { stateBlock: undefined, growth: undefined, room: undefined, needsSbrk: false, notes: [] };
  return { plan: undefined, report: { allocator, functions, refusals, ...nothing } };
}

/** One dlmalloc was found: who belongs to it, and can all of it be replaced? */
class Deciding {
  private readonly facts: ModuleFacts;
  private readonly flows: Flows;
  private readonly block: StateBlock;
  private readonly malloc: number;
  private readonly isShared: boolean;
  /** Whether the module is to begin its heap, and not who brings the kernel. */
  private readonly beginsHeap: boolean;
  /** Undefined in a program that frees nothing. */
  private readonly free: number | undefined;
  /** By the function. */
  private readonly named: ReadonlyMap<number, readonly NamedFunction[]>;
  /** The functions whose results are blocks. */
  private readonly givers: ReadonlySet<number>;
  /** The functions that call an imported one. */
  private readonly callersOfHost: ReadonlySet<number>;
  private readonly members = new Map<number, Member>();
  private readonly refusals: string[] = [];

  constructor(
    facts: ModuleFacts,
    flows: Flows,
    block: StateBlock,
    malloc: number,
    named: readonly NamedFunction[],
    beginsHeap: boolean,
  ) {
    this.isShared = facts.memories[0]?.shared === true;
    this.beginsHeap = beginsHeap;
    this.facts = facts;
    this.flows = flows;
    this.block = block;
    this.malloc = malloc;
    this.free = block.frees[0];
    this.named = byFunction(named);
    const giving: readonly (Role | undefined)[] = [MALLOC, REALLOC, CALLOC, MEMALIGN];
    const byName = named.filter(({ role }) => role !== undefined && giving.includes(role));
    this.givers = new Set([malloc, ...byName.map(({ index }) => index)]);
    const isImported = (index: number) => facts.functions[index]?.imported !== undefined;
    this.callersOfHost = new Set(
      facts.functions.filter(({ calls }) => [...calls.keys()].some(isImported)).map(({ index }) => index),
    );
  }

  decision(): Decision {
    this.checkAlone();
    this.checkInitialData();
    this.gather();
    this.assignRoles();
    this.checkNames();
    const sbrk = this.findSbrk();
    const reachable = this.reachable(this.isShared ? undefined : sbrk?.index);
    this.checkWhole(reachable);
    if (this.isShared) return this.concludeShared(sbrk, reachable);
    const room = this.findRoom(sbrk?.index);
    const growth = sbrk === undefined ? "memory.grow" : `its own sbrk (function ${sbrk.index})`;
    const needsSbrk = isSbrkPlain(this.facts, sbrk?.index) === false;
    const own = { block: this.block, sbrk: sbrk?.index, room };
    return this.conclude(own, this.functionsFound(sbrk, "used", reachable), { growth, room, needsSbrk });
  }

  private checkAlone(): void {
    const { mallocs, frees } = this.block;
    if (mallocs.length > 1) this.refusals.push(`malloc may be any of the functions ${mallocs.join(", ")}`);
    if (frees.length > 1) this.refusals.push(`free may be any of the functions ${frees.join(", ")}`);
  }

  private notes(): string[] {
    const notes: string[] = [];
    if (this.isShared && this.beginsHeap)
      notes.push(`each instance is a thread with a heap of its own: ${LEAVE_EXPORT}() gives it up`);
    const stale = this.facts.customSections.filter(isStale);
    if (stale.length > 0)
      notes.push(`debug information describes the module as it was, and is dropped: ${stale.join(", ")}`);
    return notes;
  }

  /** A snapshot of a program that ran already has blocks that the kernel would not know. */
  private checkInitialData(): void {
    const { at, end } = this.block;
    for (const { address, bytes } of this.facts.data) {
      if (address === undefined || address >= end || address + bytes.length <= at) continue;
      const own = bytes.subarray(Math.max(0, at - address), end - address);
      if (own.some((byte) => byte !== 0))
        this.refusals.push("its data begins with a heap in use: it is a snapshot of a program that ran");
    }
  }

  private gather(): void {
    const { mallocs, frees } = this.block;
    for (const [index, flow] of this.flows) {
      const words = touchedWords(flow, this.block).length;
      const lock = usesLock(flow, this.block) ? ", its lock among them" : "";
      if (words > 0) this.member(index, `uses ${words} words of the state block${lock}`);
    }
    const ends = new Set([...mallocs, ...frees]);
    // A caller of realloc is no member; a caller of dispose_chunk is.
    const helpers = new Set(
      [...this.members.keys()].filter(
        (index) => !ends.has(index) && this.shapeOf(index) === undefined && !this.isNamed(index),
      ),
    );
    for (const { index, calls } of this.facts.functions) {
      const peeks = headerPeeks(this.flows.get(index), this.givers);
      for (const helper of [...calls.keys()].filter((called) => helpers.has(called)))
        this.member(index, `calls function ${helper} of the family`);
      if (peeks.length > 0) this.member(index, "reads the header of a block");
    }
  }

  private member(index: number, evidence: string): void {
    const facts = this.facts.functions[index];
    if (facts === undefined) return;
    const member = this.members.get(index) ?? { facts, evidence: [], role: undefined };
    member.evidence.push(evidence);
    this.members.set(index, member);
  }

  private isNamed(index: number): boolean {
    return this.namesOf(index).some(({ role }) => role !== undefined);
  }

  private namesOf(index: number): readonly NamedFunction[] {
    return this.named.get(index) ?? [];
  }

  private shapeOf(index: number) {
    const flow = this.flows.get(index);
    const facts = this.facts.functions[index];
    if (flow === undefined || facts === undefined) return undefined;
    return roleByShape(facts, flow, { malloc: this.malloc, free: this.free, givers: this.givers });
  }

  private assignRoles(): void {
    for (const [index, member] of this.members) {
      const claims = new Set<Role>();
      if (index === this.malloc) claims.add(MALLOC);
      if (index === this.free) claims.add(FREE);
      const shape = index === this.malloc || index === this.free ? undefined : this.shapeOf(index);
      if (shape !== undefined) {
        claims.add(shape.role);
        member.evidence.push(shape.why);
      }
      for (const { role, evidence } of this.namesOf(index)) {
        if (role === undefined) continue;
        claims.add(role);
        member.evidence.push(evidence);
      }
      const [role] = claims;
      if (claims.size === 1) member.role = role;
      else if (claims.size > 1) this.refuseClaims(index, claims);
    }
  }

  private refuseClaims(index: number, claims: ReadonlySet<Role>): void {
    const roles = [...claims].map(({ name }) => name).join(" and ");
    this.refusals.push(`function ${index} is taken for ${roles} by different evidence`);
  }

  /** What is named malloc or free must be the one found, or a wrapper that calls it. */
  private checkNames(): void {
    const reaching = new Map<number, ReadonlySet<number>>();
    for (const { index, role, evidence } of [...this.named.values()].flat()) {
      const target = role === MALLOC ? this.malloc : role === FREE ? this.free : undefined;
      if (target === undefined || index === target) continue;
      const callers = reaching.get(target) ?? this.reaching(target);
      reaching.set(target, callers);
      if (callers.has(index)) continue;
      const found = `function ${target}, which uses dlmalloc's state`;
      this.refusals.push(`function ${index} (${evidence}) neither is nor calls ${found}`);
    }
  }

  /** The functions that call `target`, by others or not, but not by way of a member of the family. */
  private reaching(target: number): Set<number> {
    const callers = new Map<number, number[]>();
    for (const { index, calls } of this.facts.functions)
      for (const called of calls.keys()) {
        const known = callers.get(called) ?? [];
        known.push(index);
        callers.set(called, known);
      }
    const found = new Set(callers.get(target));
    for (const index of found)
      if (!this.members.has(index)) for (const caller of callers.get(index) ?? []) found.add(caller);
    return found;
  }

  private findSbrk(): { index: number; evidence: string[] } | undefined {
    const members = [...this.members.values()];
    const callees = new Set(members.flatMap(({ facts }) => [...facts.calls.keys()]));
    const candidates = [...callees].filter((index) => {
      const callee = this.facts.functions[index];
      if (callee === undefined || this.members.has(index) || callee.imported !== undefined) return false;
      return callee.signature.text === "i32 -> i32" && this.isLikeSbrk(index);
    });
    const names = (index: number) =>
      this.namesOf(index)
        .filter(({ role }) => role === undefined)
        .map(({ evidence }) => evidence);
    const byName = candidates.filter((index) => names(index).length > 0);
    const [index, ...others] = byName.length > 0 ? byName : candidates;
    if (index !== undefined && others.length === 0)
      return { index, evidence: [...names(index), "called by the family, and makes the memory grow"] };
    if (index !== undefined)
      this.refusals.push(`sbrk may be any of the functions ${[index, ...others].join(", ")}`);
    else if (!members.some(({ facts }) => facts.growsMemory))
      this.refusals.push(
        "no sbrk was found: the family calls no function of one number that makes the memory grow",
      );
    return undefined;
  }

  /** It keeps a break in memory or counts the memory itself, can answer -1, and makes the memory grow. */
  private isLikeSbrk(index: number): boolean {
    const facts = this.facts.functions[index];
    const keepsBreak = (this.flows.get(index)?.accessed.size ?? 0) > 0 || facts?.growsMemory === true;
    return keepsBreak && facts?.numbers.has(MINUS_ONE) === true && this.growsMemory(index);
  }

  /** It, or what it calls, has memory.grow or asks the host. */
  private growsMemory(index: number): boolean {
    const facts = this.facts.functions[index];
    if (facts === undefined) return false;
    if (facts.growsMemory) return true;
    return [...facts.calls.keys()].some((called) => {
      const callee = this.facts.functions[called];
      return callee?.growsMemory === true || callee?.imported !== undefined || this.callersOfHost.has(called);
    });
  }

  /** What can still be called when the replaced functions call nothing but the kernel. */
  private reachable(sbrk: number | undefined): Map<number, string> {
    const why = new Map<number, string>();
    for (const { index, exportedAs } of this.facts.functions)
      if (exportedAs.length > 0) why.set(index, `exported as ${exportedAs.join(", ")}`);
    for (const index of this.facts.referenced) why.set(index, why.get(index) ?? "in a table");
    if (this.facts.start !== undefined) why.set(this.facts.start, "called at the start");
    if (sbrk !== undefined) why.set(sbrk, why.get(sbrk) ?? "called to grow");
    for (const [index] of why) {
      if (this.members.get(index)?.role !== undefined) continue;
      for (const called of this.facts.functions[index]?.calls.keys() ?? [])
        if (!why.has(called)) why.set(called, `called by function ${index}`);
    }
    return why;
  }

  private checkWhole(reachable: ReadonlyMap<number, string>): void {
    for (const [index, { facts, role, evidence }] of this.members) {
      if (role !== undefined || !reachable.has(index)) continue;
      const inlined = facts.calls.has(this.malloc) && this.free !== undefined && facts.calls.has(this.free);
      const guess = inlined ? ". It looks like a function that realloc was inlined into" : "";
      this.refusals.push(
        `function ${index} (${facts.signature.text}; ${reachable.get(index)}) is none of the family's that can be ` +
          `replaced, but ${evidence.join(", and ")}${guess}`,
      );
    }
  }

  /** Memory that is there from the beginning. An sbrk that keeps a break may have some, too. */
  private findRoom(sbrk: number | undefined): number | undefined {
    const room = findRoom(this.facts, this.flows, this.block);
    const isAll = isMemoryFixed(this.facts) && isSbrkPlain(this.facts, sbrk) !== false;
    if (room === undefined && isAll)
      this.refusals.push("its memory cannot grow, and which part of it is malloc's is not known");
    return room;
  }

  /** The kernel for threads makes the memory grow by itself, so the old sbrk is nobody's, or keeps no break. */
  private concludeShared(
    sbrk: { index: number; evidence: string[] } | undefined,
    reachable: ReadonlyMap<number, string>,
  ): Decision {
    const stays = (index: number) =>
      this.members.get(index)?.role === undefined ? reachable.get(index) : undefined;
    const old: OldMemory = { facts: this.facts, flows: this.flows, block: this.block, sbrk: sbrk?.index };
    const { share, whyNoShare, whyKept, words } = decideShare(old, stays);
    this.refusals.push(...whyKept, ...(this.beginsHeap ? whyNoShare : []));
    const action = sbrk !== undefined && reachable.has(sbrk.index) ? "left" : "dropped";
    const plan = { block: { ...this.block, others: words }, sbrk: undefined, room: undefined };
    return this.conclude(
      share === undefined ? plan : { ...plan, share },
      this.functionsFound(sbrk, action, reachable),
      { growth: "memory.grow, by each thread", room: share?.start, needsSbrk: false },
    );
  }

  private functionsFound(
    sbrk: { index: number; evidence: string[] } | undefined,
    action: FoundAction,
    reachable: ReadonlyMap<number, string>,
  ): FoundFunction[] {
    const isRefused = this.refusals.length > 0;
    const functions = [...this.members.values()].map((member) => {
      const done = member.role !== undefined ? "replaced" : "dropped";
      const role = member.role?.name ?? (reachable.has(member.facts.index) ? "unknown" : "helper");
      return found(member.facts, role, isRefused ? "left" : done, member.evidence);
    });
    const grower = sbrk === undefined ? undefined : this.facts.functions[sbrk.index];
    if (sbrk !== undefined && grower !== undefined)
      functions.push(found(grower, "sbrk", isRefused ? "left" : action, sbrk.evidence));
    return functions.sort((a, b) => a.index - b.index);
  }

  private conclude(
    plan: Omit<SwapPlan, "replaced">,
    functions: readonly FoundFunction[],
    memory: Pick<SwapReport, "growth" | "room" | "needsSbrk">,
  ): Decision {
    const { at } = this.block;
    const relative = at >= RELATIVE;
    const report: SwapReport = {
      allocator: "dlmalloc",
      stateBlock: { address: relative ? at - RELATIVE : at, relative },
      functions,
      ...memory,
      refusals: this.refusals,
      notes: this.notes(),
    };
    if (this.refusals.length > 0) return { report, plan: undefined, isRecognised: true };
    const replaced = new Map<number, Role>();
    for (const [index, { role }] of this.members) if (role !== undefined) replaced.set(index, role);
    return { report, plan: { ...plan, replaced }, isRecognised: true };
  }
}

function byFunction(named: readonly NamedFunction[]): Map<number, NamedFunction[]> {
  const all = new Map<number, NamedFunction[]>();
  for (const each of named) {
    const known = all.get(each.index) ?? [];
    known.push(each);
    all.set(each.index, known);
  }
  return all;
}

function found(
  facts: FunctionFacts,
  role: string,
  action: FoundAction,
  evidence: readonly string[],
): FoundFunction {
  return { index: facts.index, name: facts.name, exportedAs: facts.exportedAs, role, action, evidence };
}
