// Flow: follows values through one function, to see which static addresses it uses and which block headers it reads.
//
// Owns:  the simulation of WebAssembly's stack and locals with origins for values.
// Needs: origin, operators.
//
// Straight code is followed exactly. Where ways meet (end, else, loop), a local that was assigned may hold
// any of the values that it is assigned anywhere in the function. The passes repeat until that summary is
// stable. So nothing that flows through locals is missed; what flows through memory, or from one function
// into another, is.

import { WasmFormatError } from "../format/binary.ts";
import type { Instruction, Signature } from "./module.ts";
import { stackEffect } from "./operators.ts";
import {
  ANYTHING,
  constant,
  difference,
  either,
  isSame,
  type Origin,
  origin,
  RELATIVE,
  sum,
  type Value,
} from "./origin.ts";

/** A read of the word before an address that is masked as dlmalloc masks a chunk's head. */
export interface HeaderPeek {
  readonly of: Origin;
  readonly masks: Set<number>;
}

export interface Flow {
  /** Static addresses that loads and stores use. */
  readonly accessed: Set<number>;
  /** Static addresses that loads and stores of words may use, or use as beginnings of arrays. */
  readonly indexed: Set<number>;
  /** Constants, and beginnings of arrays, that are handed on: to calls, to memory, to the caller. */
  readonly escaping: Set<number>;
  /** Those of them that are arguments of calls. */
  readonly passed: Set<number>;
  /** Constants that are written to static addresses as words: address → what is written there. */
  readonly stored: Map<number, Set<number>>;
  readonly peeks: HeaderPeek[];
  /** Distances from each parameter at which memory is read: "0:-4" is the word before the first. */
  readonly readAt: Set<string>;
}

/** What readBodies hands out, kept for several passes. */
export interface Step {
  readonly name: string;
  readonly constant: number | undefined;
  readonly offset: number;
  /** A local, a global or a function. */
  readonly index: number;
  readonly params: number;
  readonly results: number;
  /** Depths of the blocks that a branch may go to. */
  readonly targets: readonly number[];
}

/** What flow has to know of the module. */
export interface Surroundings {
  readonly types: readonly Signature[];
  readonly signatures: readonly Signature[];
  /** The global that holds __memory_base, or -1. */
  readonly memoryBase: number;
  /** How much work following may still be; it follows from the module's size. */
  readonly budget: Budget;
}

/** Steps that may still be taken. Real programs take a small part of it. */
export class Budget {
  private left: number;

  constructor(bytes: number) {
    this.left = LEAST_WORK + bytes * WORK_PER_BYTE;
  }

  /** Throws a WasmFormatError when it is used up. */
  spend(steps: number): void {
    this.left -= steps;
    if (this.left < 0) throw new WasmFormatError("its functions are too entangled to follow what they do");
  }
}

const LEAST_WORK = 2_000_000;
const WORK_PER_BYTE = 150;

interface Frame {
  readonly height: number;
  readonly params: number;
  readonly results: number;
  readonly isLoop: boolean;
  readonly assigned: Set<number>;
  carried: Value | undefined;
}

const MOST_PASSES = 6;
/** Masks that dlmalloc uses on a head: the flags, together and one by one, and the size. */
const HEAD_MASKS: ReadonlySet<number> = new Set([1, 2, 3, 0xfffffff8, 7, 0xfffffffc, 0xfffffffe]);
const HEAD_DISTANCE = -4;
const EMPTY_BLOCK = -64;

/** Keeps what flow needs of an instruction. */
export function stepOf(name: string, instruction: Instruction, { types, signatures }: Surroundings): Step {
  const { literal, memoryAddress, localIndex, globalIndex, funcIndex, typeIndex, blockType } = instruction;
  const { brDepth, brTable, relativeDepth } = instruction;
  let signature: { params: number; results: number } | undefined;
  if (name === "call" || name === "return_call") signature = signatures[funcIndex ?? -1];
  else if (name === "call_indirect" || name === "return_call_indirect") signature = types[typeIndex ?? -1];
  else if (blockType !== undefined)
    signature = blockType.isIndex
      ? types[blockType.index]
      : { params: 0, results: blockType.kind === EMPTY_BLOCK ? 0 : 1 };
  const depth = brDepth ?? relativeDepth;
  return {
    name,
    constant: name === "i32.const" && typeof literal === "number" ? literal >>> 0 : undefined,
    offset: memoryAddress?.offset ?? 0,
    index: localIndex ?? globalIndex ?? funcIndex ?? -1,
    params: signature?.params ?? 0,
    results: signature?.results ?? 0,
    targets: brTable ?? (depth === undefined ? [] : [depth]),
  };
}

/** Follows a function. `params` of its `locals` are parameters. */
export function followFlow(
  steps: readonly Step[],
  params: number,
  locals: number,
  around: Surroundings,
): Flow {
  // Only those that it names: a function may declare fifty thousand in four bytes.
  const slots = new Map<number, number>();
  for (const { name, index } of steps)
    if (name.startsWith("local.") && index < params + locals && !slots.has(index))
      slots.set(index, slots.size);
  const first = [...slots.keys()].map((local) => (local < params ? origin("param", local) : constant(0)));
  let summary: readonly Value[] = first;
  for (let pass = 1; ; pass++) {
    const walk = new Walk(summary, first, slots, around);
    for (const step of steps) walk.step(step);
    const isStable = walk.assigned.every((value, local) => value.length === summary[local]?.length);
    if (isStable || pass === MOST_PASSES) return walk.flow;
    summary = walk.assigned;
  }
}

class Walk {
  readonly flow: Flow = {
    accessed: new Set(),
    indexed: new Set(),
    escaping: new Set(),
    passed: new Set(),
    stored: new Map(),
    peeks: [],
    readAt: new Set(),
  };
  /** For each local, all that it was assigned so far, in this pass or the last. */
  readonly assigned: Value[];
  private readonly around: Surroundings;
  private readonly summary: readonly Value[];
  /** Local → its place in the lists of locals. */
  private readonly slots: ReadonlyMap<number, number>;
  private readonly locals: Value[];
  private readonly stack: Value[] = [];
  private readonly frames: Frame[] = [];

  constructor(
    summary: readonly Value[],
    first: readonly Value[],
    slots: ReadonlyMap<number, number>,
    around: Surroundings,
  ) {
    this.around = around;
    this.summary = summary;
    this.slots = slots;
    this.assigned = [...summary];
    this.locals = [...first];
    this.spend(first.length);
    this.frames.push(newFrame(0, 0, 0, false));
  }

  step(step: Step): void {
    const { name } = step;
    this.spend(1);
    if (step.constant !== undefined) this.stack.push(constant(step.constant));
    else if (name.startsWith("local.")) this.local(name, step.index);
    else if (name === "i32.add") this.arithmetic(sum);
    else if (name === "i32.sub") this.arithmetic(difference);
    else if (name === "i32.and") this.mask();
    else if (name.startsWith("select")) this.select();
    else if (name === "global.get") this.stack.push(this.global(step.index));
    else if (step.name.startsWith("call") || step.name.startsWith("return_call")) this.call(step);
    else if (!this.control(step)) this.plain(step);
  }

  private spend(steps: number): void {
    this.around.budget.spend(steps);
  }

  private either(left: Value, right: Value): Value {
    this.spend(left.length * right.length);
    return either(left, right);
  }

  private local(name: string, local: number): void {
    const index = this.slots.get(local) ?? -1;
    if (name === "local.get") {
      this.stack.push(this.locals[index] ?? ANYTHING);
      return;
    }
    const value = this.pop();
    this.locals[index] = value;
    this.assigned[index] = this.either(this.assigned[index] ?? [], value);
    this.frame().assigned.add(index);
    if (name === "local.tee") this.stack.push(value);
  }

  private global(index: number): Value {
    return index === this.around.memoryBase ? constant(RELATIVE) : ANYTHING;
  }

  private arithmetic(combine: (left: Value, right: Value) => Value): void {
    const right = this.pop();
    const left = this.pop();
    this.stack.push(combine(left, right));
  }

  private select(): void {
    this.pop();
    const right = this.pop();
    this.stack.push(this.either(this.pop(), right));
  }

  private mask(): void {
    const values = [this.pop(), this.pop()];
    for (const [at, value] of values.entries())
      for (const { kind, id } of value) {
        if (kind !== "head") continue;
        for (const other of values[1 - at] ?? [])
          if (other.kind === "constant" && HEAD_MASKS.has(other.delta))
            this.flow.peeks[id]?.masks.add(other.delta);
      }
    this.stack.push(ANYTHING);
  }

  private call({ name, params, results, index }: Step): void {
    if (name.endsWith("_indirect") || name.endsWith("_ref")) this.pop();
    for (let count = 0; count < params; count++) {
      const value = this.pop();
      this.escape(value);
      for (const { kind, delta } of value) if (kind === "constant") this.flow.passed.add(delta);
    }
    if (name.startsWith("return_")) return;
    for (let count = 0; count < results; count++)
      this.stack.push(name === "call" && results === 1 ? origin("result", index) : ANYTHING);
  }

  private escape(value: Value): void {
    for (const { kind, delta } of value)
      if (kind === "constant" || kind === "indexed") this.flow.escaping.add(delta);
  }

  /** Blocks and branches; false: it is neither. */
  private control({ name, params, results, targets }: Step): boolean {
    switch (name) {
      case "if":
        this.pop();
        this.open(params, results, false);
        return true;
      case "block":
      case "try":
      case "try_table":
        this.open(params, results, false);
        return true;
      case "loop":
        this.open(params, results, true);
        this.spend(this.locals.length);
        this.locals.forEach((_, local) => {
          this.locals[local] = this.summary[local] ?? ANYTHING;
        });
        return true;
      case "else":
      case "catch":
      case "catch_all":
        this.turn(name);
        return true;
      case "end":
      case "delegate":
        this.close();
        return true;
      case "br_if":
      case "br_table":
        this.pop();
        this.carry(targets);
        return true;
      case "br":
        this.carry(targets);
        return true;
      case "return":
        if (this.stack.length > 0) this.escape(this.stack[this.stack.length - 1] ?? ANYTHING);
        return true;
      default:
        return name === "unreachable" || name.startsWith("throw") || name === "rethrow";
    }
  }

  private open(params: number, results: number, isLoop: boolean): void {
    this.frames.push(newFrame(Math.max(0, this.stack.length - params), params, results, isLoop));
  }

  /** From one arm of a block to the next. */
  private turn(name: string): void {
    const frame = this.frame();
    if (frame.results === 1 && this.stack.length > frame.height) this.carryTo(frame);
    this.stack.length = frame.height;
    // A tag's values are not known here; C++'s and longjmp's have one.
    const given = name === "else" ? frame.params : name === "catch" ? 1 : 0;
    for (let count = 0; count < given; count++) this.stack.push(ANYTHING);
    this.meet(frame);
  }

  private close(): void {
    const frame = this.frames.pop() ?? newFrame(0, 0, 0, false);
    if (frame.results === 1 && this.stack.length > frame.height) this.carryTo(frame);
    this.stack.length = frame.height;
    const isOne = frame.results === 1;
    for (let count = 0; count < frame.results; count++)
      this.stack.push((isOne ? frame.carried : undefined) ?? ANYTHING);
    this.meet(frame);
    const outer = this.frames[this.frames.length - 1];
    if (outer === undefined) this.escape(frame.carried ?? ANYTHING);
    else {
      this.spend(frame.assigned.size);
      for (const local of frame.assigned) outer.assigned.add(local);
    }
  }

  private meet({ assigned }: Frame): void {
    for (const local of assigned)
      this.locals[local] = this.either(this.summary[local] ?? ANYTHING, this.assigned[local] ?? []);
  }

  private carry(targets: readonly number[]): void {
    for (const depth of targets) {
      const frame = this.frames[this.frames.length - 1 - depth];
      if (frame !== undefined && !frame.isLoop && frame.results === 1) this.carryTo(frame);
    }
  }

  private carryTo(frame: Frame): void {
    const value = this.stack[this.stack.length - 1] ?? ANYTHING;
    frame.carried = frame.carried === undefined ? value : this.either(frame.carried, value);
  }

  /** Loads, stores and whatever else has a fixed effect. */
  private plain(step: Step): void {
    const effect = stackEffect(step.name);
    if (effect === undefined) {
      this.stack.length = this.frame().height;
      return;
    }
    const taken = Array.from({ length: effect.takes }, () => this.pop());
    if (step.name.includes(".store")) {
      this.access(taken[1] ?? ANYTHING, step);
      this.escape(taken[0] ?? ANYTHING);
      if (step.name === "i32.store") this.store(taken[1] ?? ANYTHING, taken[0] ?? ANYTHING, step.offset);
    } else if (/\.load|\.atomic\./.test(step.name)) this.access(taken[taken.length - 1] ?? ANYTHING, step);
    else if (/^memory\./.test(step.name) && !isBeginning(step.name, taken))
      for (const value of taken) this.access(value, step);
    const gives = step.name.startsWith("i32.load")
      ? this.loaded(taken[0] ?? ANYTHING, step.offset)
      : ANYTHING;
    for (let count = 0; count < effect.gives; count++) this.stack.push(gives);
  }

  private store(address: Value, value: Value, offset: number): void {
    const [to] = address;
    if (address.length !== 1 || to?.kind !== "constant") return;
    const at = to.delta + offset;
    const known = this.flow.stored.get(at) ?? new Set();
    this.flow.stored.set(at, known);
    for (const { kind, delta } of value) known.add(kind === "constant" ? delta : Number.NaN);
  }

  private access(address: Value, { name, offset }: Step): void {
    for (const { kind, id, delta } of address) {
      if (kind === "constant" && address.length === 1) this.flow.accessed.add(delta + offset);
      else if ((kind === "constant" || kind === "indexed") && /^i(32|64)\.(load|store)$/.test(name))
        this.flow.indexed.add(delta + offset);
      if (kind === "param") this.flow.readAt.add(`${id}:${delta + offset}`);
    }
  }

  /** What a load gives: the head of a block, if it may be the word before one. */
  private loaded(address: Value, offset: number): Value {
    let value: Value | undefined;
    for (const one of address) {
      if (one.kind === "constant" || one.kind === "indexed" || one.delta + offset !== HEAD_DISTANCE) continue;
      const of = { ...one, delta: 0 };
      this.spend(this.flow.peeks.length);
      let id = this.flow.peeks.findIndex((peek) => isSame(peek.of, of));
      if (id < 0) id = this.flow.peeks.push({ of, masks: new Set() }) - 1;
      value = this.either(value ?? [], origin("head", id));
    }
    return value ?? ANYTHING;
  }

  private frame(): Frame {
    return this.frames[this.frames.length - 1] ?? newFrame(0, 0, 0, false);
  }

  private pop(): Value {
    return this.stack.length > this.frame().height ? (this.stack.pop() ?? ANYTHING) : ANYTHING;
  }
}

/** Whether an instruction writes what memory begins with: all it is given are numbers. No program's own use looks like that. */
function isBeginning(name: string, taken: readonly Value[]): boolean {
  const isNumber = ([origin, ...others]: Value) => origin?.kind === "constant" && others.length === 0;
  return (name === "memory.init" || name === "memory.fill") && taken.every(isNumber);
}

function newFrame(height: number, params: number, results: number, isLoop: boolean): Frame {
  return { height, params, results, isLoop, assigned: new Set(), carried: undefined };
}
