// Rewrite: puts the kernel where the old allocator was.
//
// Owns:  the bodies that replace the family's, the growth through sbrk, and the merging.
// Needs: binaryen, features.
//
// Each function of the family keeps its place, its exports and its entries in tables, and gets a new body: a call of the
// kernel. The heap begins at the first call that needs it: before that, the module's data or its sbrk may not be ready. The heap
// of a module with threads begins at the start (threads.ts).

import type Binaryen from "binaryen";
import { type ExportName, exportSignature, PREFIX } from "morecore/engine";
import { guarded, loadBinaryen, mergeModules, readModuleWith } from "../format/binaryen.ts";
import { featureBits, featureFlags, featuresWith } from "../format/features.ts";
import { BinaryenError, readKernel } from "../format/parts.ts";
import { addThreadStart, LEAVE, SHARE, type Share } from "../format/threads.ts";
import type { SwapPlan } from "./decide.ts";
import { MALLINFO_CALLS, MALLINFO_LOCALS, mallinfoBody } from "./mallinfo.ts";
import type { ModuleFacts } from "./module.ts";
import { ERRNOS, type KernelFunction, MALLINFO, type Role } from "./roles.ts";

type Module = Binaryen.Module;

export interface RewriteOptions {
  /** Leave the kernel's functions as imports of module "morecore". */
  readonly keepImports: boolean;
}

export interface Rewritten {
  readonly bytes: Uint8Array;
  /** The same before the kernel was merged in: only the module's own functions. */
  readonly own: Uint8Array;
  /** For each function of `own`, its number in the module as it was; -1: it is new. */
  readonly origins: readonly number[];
}

const KERNEL = "morecore";
/** The name under which the kernel imports from the module; no module imports from a name with a colon in it by chance. */
const HOST = "morecore:host";
const MEMORY = "morecore:memory";
const GROW = "morecore:grow";
/** What `keepImports` exports for the host: the module's memory, if it has no export, and growth through its sbrk. */
const KEPT_GROW = "morecore_grow";
const KEPT_MEMORY = "morecore_memory";
const BEGUN = "morecore.begun";
const BEGIN = "morecore.begin";
const ALIGNMENT = 16;

export async function rewrite(
  bytes: Uint8Array,
  facts: ModuleFacts,
  plan: SwapPlan,
  options: RewriteOptions,
): Promise<Rewritten> {
  const binaryen = await loadBinaryen();
  return guarded(() => rewriteWith(binaryen, bytes, facts, plan, options));
}

function rewriteWith(
  binaryen: typeof Binaryen,
  bytes: Uint8Array,
  facts: ModuleFacts,
  plan: SwapPlan,
  options: RewriteOptions,
): Rewritten {
  const features = featuresWith([...facts.features], facts.memories[0]?.shared);
  const bits = featureBits(binaryen.Features, features);
  binaryen.setDebugInfo(facts.hasNames);
  const writer = new Writer(binaryen, bytes, bits);
  try {
    writer.replaceFamily(facts, plan, options);
    const { own, origins } = writer.finish();
    if (options.keepImports) return { bytes: own, own, origins };
    const kernel = kernelFor(binaryen, plan, bits);
    const parts = [
      { name: HOST, bytes: own },
      { name: KERNEL, bytes: kernel },
    ];
    const merged = mergeModules(parts, { flags: featureFlags(features), names: facts.hasNames });
    return { bytes: tidy(binaryen, merged, facts, bits), own, origins };
  } finally {
    writer.dispose();
  }
}

/** Changes one module. */
class Writer {
  private readonly binaryen: typeof Binaryen;
  private readonly module: Module;
  /** binaryen's names, by index in the module as it was. */
  private readonly names: readonly string[];
  /** binaryen's names of the kernel's functions, by theirs. */
  private readonly kernel = new Map<string, string>();

  constructor(binaryen: typeof Binaryen, bytes: Uint8Array, features: number) {
    this.binaryen = binaryen;
    this.module = readModuleWith(binaryen, bytes, features);
    // binaryen keeps the functions in the order of the binary, imports first.
    this.names = Array.from(
      { length: this.module.getNumFunctions() },
      (_, index) => binaryen.getFunctionInfo(this.module.getFunctionByIndex(index)).name,
    );
  }

  replaceFamily(facts: ModuleFacts, plan: SwapPlan, { keepImports }: RewriteOptions): void {
    const { module } = this;
    for (const [name, signature] of calledOfKernel(plan)) this.importKernel(name, signature);
    if (!keepImports && plan.share === undefined) this.addBegin(plan, facts);
    const hasBegun = keepImports || plan.share !== undefined;
    for (const [index, role] of plan.replaced) {
      const name = this.names[index] ?? "";
      const { params, results } = this.types(role.signature);
      const locals = role === MALLINFO ? MALLINFO_LOCALS : role.givesErrno ? 1 : 0;
      module.removeFunction(name);
      module.addFunction(
        name,
        params,
        results,
        Array(locals).fill(this.binaryen.i32),
        this.body(role, hasBegun),
      );
    }
    if (!keepImports && plan.share !== undefined) this.addShare(plan.share);
    if (plan.sbrk !== undefined) this.addGrow(this.names[plan.sbrk] ?? "", keepImports ? KEPT_GROW : GROW);
    const memory = memoryName(this.binaryen, module);
    if (!keepImports) module.addMemoryExport(memory, MEMORY);
    else if (facts.memoryExports.length === 0) module.addMemoryExport(memory, KEPT_MEMORY);
  }

  finish(): { own: Uint8Array; origins: number[] } {
    this.module.runPasses(["remove-unused-module-elements"]);
    if (!this.module.validate()) throw new BinaryenError("the rewritten module is not valid: a bug of swap");
    return { own: this.module.emitBinary(), origins: this.origins() };
  }

  dispose(): void {
    this.module.dispose();
  }

  /** In the binary, imports come first, in binaryen's order. */
  private origins(): number[] {
    const before = new Map(this.names.map((name, index) => [name, index]));
    const functions = Array.from({ length: this.module.getNumFunctions() }, (_, index) =>
      this.binaryen.getFunctionInfo(this.module.getFunctionByIndex(index)),
    );
    const imported = functions.filter(({ module }) => Boolean(module));
    const inOrder = [...imported, ...functions.filter(({ module }) => !module)];
    return inOrder.map(({ name }) => before.get(name) ?? -1);
  }

  /** The module may import the same by itself, and its own names may be any. */
  private importKernel(name: ExportName, signature: string): void {
    const { params, results } = this.types(signature);
    let own = `${KERNEL}.${name}`;
    while (this.names.includes(own)) own += "'";
    this.kernel.set(name, own);
    this.module.addFunctionImport(own, KERNEL, name, params, results);
  }

  private types(signature: string): { params: Binaryen.Type; results: Binaryen.Type; count: number } {
    const { i32, none, createType } = this.binaryen;
    const [params = "", results = ""] = signature.split("->");
    const count = params.split("i32").length - 1;
    return {
      params: createType(Array(count).fill(i32)),
      results: results.includes("i32") ? i32 : none,
      count,
    };
  }

  /**
   * begun = mc_begin(the old malloc's room): 0 if there is no memory, and then the next call tries again. When the memory
   * has grown already, its end is somebody else's, and the heap begins in memory of its own: mc_begin(0).
   */
  private addBegin({ room }: SwapPlan, { memories }: ModuleFacts): void {
    const { module } = this;
    const { i32, none } = this.binaryen;
    const [memory] = memories;
    const isFirst = () => module.i32.eq(module.memory.size(), module.i32.const(memory?.initialPages ?? 0));
    const zero = module.i32.const(0);
    const from = room === undefined ? zero : module.select(isFirst(), module.i32.const(room), zero);
    module.addGlobal(BEGUN, i32, true, module.i32.const(0));
    this.importKernel("mc_begin", exportSignature("mc_begin"));
    const begin = module.call(this.kernel.get("mc_begin") ?? "", [from], i32);
    const body = module.block(null, [module.global.set(BEGUN, begin), module.global.get(BEGUN, i32)], i32);
    module.addFunction(BEGIN, none, i32, [], body);
  }

  /** The threads' heap, which is there before any function of the family is called. */
  private addShare(share: Share): void {
    for (const name of [SHARE, LEAVE]) this.importKernel(name, exportSignature(name));
    addThreadStart(this.binaryen, this.module, share, (name) => this.kernel.get(name) ?? "");
  }

  /** `hasBegun`: the heap is there whenever it is called. */
  private body(role: Role, hasBegun: boolean): Binaryen.ExpressionRef {
    const { module } = this;
    const { i32, none } = this.binaryen;
    const { results, count } = this.types(role.signature);
    const failure = () => (results === none ? module.nop() : module.i32.const(role.failure));
    if (role === MALLINFO) return this.mallinfo(hasBegun);
    if (role.kernel === undefined) return failure();
    const values = Array.from({ length: count }, (_, local) => module.local.get(local, i32));
    const plain = this.answered(role.kernel, values, results);
    const call = role.givesErrno ? this.inModulesErrnos(plain, count) : plain;
    if (hasBegun) return call;
    // A block can only come from a heap that has begun.
    if (role.takesBlock) return module.if(module.local.get(0, i32), call, failure());
    const begun = module.if(module.global.get(BEGUN, i32), module.i32.const(1), module.call(BEGIN, [], i32));
    return module.if(begun, call, failure());
  }

  /** A call of the kernel's, with the answer that the family's function gives. */
  private answered(
    { name, signature, answeredBy }: KernelFunction,
    values: readonly Binaryen.ExpressionRef[],
    results: Binaryen.Type,
  ): Binaryen.ExpressionRef {
    const { module } = this;
    const { i32 } = this.binaryen;
    const own = this.types(signature).results;
    const call = module.call(this.kernel.get(name) ?? "", values, own);
    if (own === results) return call;
    const answer =
      answeredBy === undefined
        ? module.i32.const(0)
        : module.call(this.kernel.get(answeredBy) ?? "", [], i32);
    return module.block(null, [call, answer], i32);
  }

  private mallinfo(isBegun: boolean): Binaryen.ExpressionRef {
    const { module } = this;
    const { i32 } = this.binaryen;
    const hasBegun = isBegun ? module.i32.const(1) : module.global.get(BEGUN, i32);
    return mallinfoBody(this.binaryen, module, hasBegun, (name, ...values) =>
      module.call(this.kernel.get(name) ?? "", values, i32),
    );
  }

  /** An error number of the kernel's as the module's C library knows it. `local` is free. */
  private inModulesErrnos(errno: Binaryen.ExpressionRef, local: number): Binaryen.ExpressionRef {
    const { module } = this;
    const { i32 } = this.binaryen;
    const get = () => module.local.get(local, i32);
    const other = (ours: number, theirs: number, rest: Binaryen.ExpressionRef) =>
      module.if(module.i32.eq(get(), module.i32.const(ours)), module.i32.const(theirs), rest);
    const answer = ERRNOS.reduce((rest, [ours, theirs]) => other(ours, theirs, rest), get());
    return module.block(null, [module.local.set(local, errno), answer], i32);
  }

  /**
   * grow(bytes): memory from the module's sbrk, at a multiple of 16, or 0. The break may lie at a multiple of 4 only;
   * then a few bytes more make up for it, once: all that the kernel asks for are multiples of 64 KiB.
   */
  private addGrow(sbrk: string, name: string): void {
    const { module } = this;
    const { i32 } = this.binaryen;
    const call = (bytes: Binaryen.ExpressionRef) => module.call(sbrk, [bytes], i32);
    const get = (local: number) => module.local.get(local, i32);
    const number = (value: number) => module.i32.const(value);
    const refuse = () => module.return(number(0));
    const padding = () => module.i32.and(module.i32.sub(number(0), get(1)), number(ALIGNMENT - 1));
    const isBehind = module.i32.eq(call(padding()), module.i32.add(get(1), get(0)));
    module.addFunction(
      GROW,
      i32,
      i32,
      [i32],
      module.block(
        null,
        [
          // sbrk's argument is signed: a request of 2 GiB would give memory back.
          module.if(module.i32.lt_s(get(0), number(0)), refuse()),
          module.if(module.i32.eq(module.local.tee(1, call(get(0)), i32), number(-1)), refuse()),
          module.if(module.i32.eqz(padding()), module.return(get(1))),
          module.if(module.i32.eqz(isBehind), refuse()),
          module.i32.add(get(1), padding()),
        ],
        i32,
      ),
    );
    module.addFunctionExport(GROW, name);
  }
}

/** What the new bodies call: name → signature. */
function calledOfKernel({ replaced }: SwapPlan): Map<ExportName, string> {
  const called = new Map<ExportName, string>();
  for (const role of replaced.values()) {
    const { name, signature, answeredBy } = role.kernel ?? {};
    if (name !== undefined && signature !== undefined) called.set(name, signature);
    if (answeredBy !== undefined) called.set(answeredBy, exportSignature(answeredBy));
    if (role === MALLINFO) for (const each of MALLINFO_CALLS) called.set(each, exportSignature(each));
  }
  return called;
}

/** binaryen's name of the memory: an export tells it; else what binaryen calls those without a name. */
function memoryName(binaryen: typeof Binaryen, module: Module): string {
  for (let index = 0; index < module.getNumExports(); index++) {
    const { kind, value } = binaryen.getExportInfo(module.getExportByIndex(index));
    if (kind === binaryen.ExternalMemory) return value;
  }
  const name = ["mimport$0", "0", "memory"].find((each) => hasMemory(module, each));
  if (name === undefined)
    throw new BinaryenError("the memory has no name that binaryen knows: a bug of swap");
  return name;
}

function hasMemory(module: Module, name: string): boolean {
  try {
    module.getMemoryInfo(name);
    return true;
  } catch {
    return false;
  }
}

/** The kernel, with imports that the module's exports can meet. */
function kernelFor(binaryen: typeof Binaryen, plan: SwapPlan, features: number): Uint8Array {
  const isShared = plan.share !== undefined;
  const which = isShared ? "threads" : plan.sbrk === undefined ? "growing" : "asking";
  const module = readModuleWith(binaryen, readKernel(which), features);
  module.addMemoryImport(memoryName(binaryen, module), HOST, MEMORY, isShared);
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const info = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    if (info.module !== KERNEL) continue;
    module.removeFunction(info.name);
    if (info.base === "abort")
      module.addFunction(info.name, info.params, info.results, [], module.unreachable());
    else module.addFunctionImport(info.name, HOST, GROW, info.params, info.results);
    index -= 1;
  }
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/** Removes what only the merging needed, and what nothing calls any more: the old allocator. */
function tidy(
  binaryen: typeof Binaryen,
  merged: Uint8Array,
  facts: ModuleFacts,
  features: number,
): Uint8Array {
  const module = readModuleWith(binaryen, merged, features);
  const own = new Set(facts.functions.flatMap(({ exportedAs }) => exportedAs));
  const added: string[] = [];
  for (let index = 0; index < module.getNumExports(); index++) {
    const { name } = binaryen.getExportInfo(module.getExportByIndex(index));
    if (name === MEMORY || name === GROW || (name.startsWith(PREFIX) && !own.has(name))) added.push(name);
  }
  for (const name of added) module.removeExport(name);
  module.runPasses(["remove-unused-module-elements"]);
  if (!module.validate()) throw new BinaryenError("the merged module is not valid: a bug of swap");
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}
