// Heap: the malloc family, for people. Checks what it is given, keeps the views fresh, and calls the kernel.
//
// Holds: a memory and a base. All else lies in the image; any number of Heaps may be windows on one.
// Needs: begin.ts for the image, shared.ts for what threads share, the engine, errors; from each entry's Heap the kernel (serve.ts).
//
// Addresses are plain numbers here. Out of memory is an answer: 0, and the heap as it was. Misuse throws a
// HeapMisuseError with nothing changed, bad arguments a RangeError or TypeError that names the value.

import { Bump, type BumpOptions, type NoPromise, runScope, type Scope } from "../arena/bump.ts";
import { engine } from "../kernel/design.ts";
import { type AddressInfo, GRANULE } from "../kernel/engine.ts";
import type { Machine } from "../kernel/machine.ts";
import { checkPowerOfTwo, checkWord, describe, hex, isWord, refuseWord } from "../memory/arguments.ts";
import { bytesOf } from "../memory/memory.ts";
import { ModuleMemory } from "../memory/module.ts";
import type { ModuleParts } from "../memory/module-parts.ts";
import { bytesText } from "../memory/printed.ts";
import { wasmOf } from "../memory/wasm.ts";
import type { WasmExports, WasmGlobalObject } from "../memory/webassembly.ts";
import { DISPOSE } from "../typed/disposal.ts";
import { OwnedLife } from "../typed/life.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import { Space } from "../typed/space.ts";
import { type Attachable, foundHeap, laidOut } from "./begin.ts";
import { checkingByDefault } from "./checking.ts";
import { HeapMisuseError, ledAstray } from "./errors.ts";
import { exportsOf, type HeapExports, type HeapImports, importsOf } from "./exports.ts";
import type { Calls } from "./family-calls.ts";
import { type HeapIdentity, identityOf } from "./identity.ts";
import { type ChunkInfo, type HeapStatistics, type Mallinfo, readMallinfo } from "./info.ts";
import {
  checkOptions,
  type HeapOptions,
  type HeapSettings,
  INSIDE_OPTIONS,
  type InsideOptions,
  settingsOf,
} from "./options.ts";
import { placeHeap, placeInside } from "./place.ts";
import type { Serve } from "./serve.ts";
import { SharedHeap } from "./shared.ts";
import { joinThread, leaveThread } from "./thread.ts";

/** Of C's error numbers, what posix_memalign returns when there is no memory. */
const ENOMEM = 12;

/** All of a heap but the choice of its kernel, which is another one in each entry of the package. */
export abstract class HeapCore extends SharedHeap implements Disposable {
  /** The settings, as they are now; assign to change one. An unknown name or a bad value throws. */
  readonly options: HeapSettings;

  private readonly identity: HeapIdentity;
  readonly [LIFE]: OwnedLife;
  private space: Space | undefined;
  private isChecking = checkingByDefault();
  /** Who serves the malloc family. A subclass may put itself between. */
  protected calls: Calls;

  protected constructor(machine: Machine, base: number, serve: Serve) {
    const identity = identityOf(machine.memory, base);
    super(machine, base, identity);
    this.identity = identity;
    this[LIFE] = new OwnedLife("the heap", this, this.identity);
    this.options = settingsOf(() => this.fresh(), this.heap);
    const own = machine.threads ? joinThread(machine, this.heap, this.identity) : this.heap;
    this.calls = serve(machine, own);
    machine.around = (ask) => this.whileAsking(ask);
  }

  /** The memory may call anything when it is asked for more, but not this heap: that is in the middle of a call. */
  private whileAsking(ask: () => number): number {
    const { calls } = this;
    this.calls = ASKING;
    try {
      return ask();
    } finally {
      // It may have been disposed of.
      if (this.calls === ASKING) this.calls = calls;
    }
  }

  /** The heap, told what its options say that is not kept in its image. */
  protected told({ checking }: Pick<HeapOptions, "checking">): this {
    if (checking !== undefined) this.checking = checking;
    return this;
  }

  /** What create does, for a subclass: the new heap's bytes are laid out. */
  protected static made(options: HeapOptions): [machine: Machine, base: number] {
    checkOptions(options);
    return laidOut(placeHeap(options), options);
  }

  /** What inside does, for a subclass. */
  protected static madeInside(
    exports: WasmExports | ModuleParts,
    options: InsideOptions,
  ): [machine: Machine, base: number] {
    checkOptions(options, INSIDE_OPTIONS);
    // Each loan is a segment of its own: the fewer there are, the sooner a block's is found.
    return laidOut(placeInside(exports, options), { ...options, advance: options.advance ?? 1 });
  }

  /** What attach does, for a subclass: there is a heap. */
  protected static found(
    memory: Attachable,
    base?: number | WasmGlobalObject,
  ): [machine: Machine, base: number] {
    return foundHeap(memory, base);
  }

  /** ISO C `malloc`: the address of at least `bytes` bytes, a multiple of 16; 0: no memory. malloc(0) is unique. O(1). */
  malloc(bytes: number): number {
    if (!isWord(bytes)) refuseWord("bytes", bytes);
    return this.calls.malloc(bytes) || this.nothing();
  }

  /** ISO C `free`. 0 does nothing; what is no live block throws. O(1). */
  free(ptr: number): void {
    if (!isWord(ptr)) refuseWord("ptr", ptr);
    this.calls.free(ptr);
  }

  /** ISO C `calloc`: `count` times `bytes` bytes, all zero; 0: no memory, or the product is too large. O(bytes). */
  calloc(count: number, bytes = 1): number {
    checkWord("count", count);
    checkWord("bytes", bytes);
    return this.calls.calloc(count, bytes) || this.nothing();
  }

  /**
   * ISO C `realloc`: the block with another size, perhaps elsewhere; 0: no memory, and the block is as it was. realloc(0, n)
   * is malloc(n); realloc(p, 0) does what the option zeroSizeRealloc says. O(1) in place, else O(bytes).
   */
  realloc(ptr: number, bytes: number): number {
    if (!isWord(ptr)) refuseWord("ptr", ptr);
    if (!isWord(bytes)) refuseWord("bytes", bytes);
    const moved = this.calls.realloc(ptr, bytes);
    return moved !== 0 || bytes === 0 ? moved : this.nothing();
  }

  /**
   * dlmalloc's `realloc_in_place`: `ptr` if the block could get the size where it is, else 0, and it is as it was. O(1).
   */
  reallocInPlace(ptr: number, bytes: number): number {
    checkWord("ptr", ptr);
    checkWord("bytes", bytes);
    return this.calls.reallocInPlace(ptr, bytes) || this.nothing();
  }

  /**
   * POSIX `reallocarray`: realloc to `count` times `bytes`; 0 also when the product is too large. As realloc in cost.
   */
  reallocarray(ptr: number, count: number, bytes: number): number {
    checkWord("ptr", ptr);
    checkWord("count", count);
    checkWord("bytes", bytes);
    return this.calls.reallocarray(ptr, count, bytes) || this.nothing();
  }

  /** glibc `memalign`: an address that is a multiple of `alignment`, which is rounded up to a power of two. O(1). */
  memalign(alignment: number, bytes: number): number {
    checkWord("alignment", alignment);
    checkWord("bytes", bytes);
    return this.calls.memalign(alignment, bytes) || this.nothing();
  }

  /** ISO C `aligned_alloc`, with any size as in C23. An alignment that is no power of two throws a RangeError. O(1). */
  alignedAlloc(alignment: number, bytes: number): number {
    checkPowerOfTwo("alignment", alignment);
    checkWord("bytes", bytes);
    return this.calls.alignedAlloc(alignment, bytes) || this.nothing();
  }

  /**
   * POSIX `posix_memalign`, to the letter: stores the address in the word at `result` and returns 0. Else it leaves that word
   * alone, and returns 22 (EINVAL: the alignment is no power of two, or below 4) or 12 (ENOMEM). O(1).
   */
  posixMemalign(result: number, alignment: number, bytes: number): number {
    checkWord("result", result);
    if (result === 0 || result % 4 !== 0)
      throw new RangeError(`result: expected a multiple of 4 that is not 0, got ${result}`);
    checkWord("alignment", alignment);
    checkWord("bytes", bytes);
    const machine = this.fresh();
    if (result > machine.size() - 4)
      throw new RangeError(`result: expected an address inside the memory, got ${result}`);
    const error = this.calls.posixMemalign(result, alignment, bytes);
    if (error === ENOMEM) this.nothing();
    return error;
  }

  /**
   * C23 `free_sized`: free, of a block that was asked for with this size. Another size throws, nothing is freed; of a small
   * block (options.smallLimit) only one that is too large. O(1).
   */
  freeSized(ptr: number, bytes: number): void {
    checkWord("ptr", ptr);
    checkWord("bytes", bytes);
    this.calls.freeSized(ptr, bytes);
  }

  /** C23 `free_aligned_sized`: freeSized, and the address must have the alignment. O(1). */
  freeAlignedSized(ptr: number, alignment: number, bytes: number): void {
    checkWord("ptr", ptr);
    checkWord("alignment", alignment);
    checkWord("bytes", bytes);
    this.calls.freeAlignedSized(ptr, alignment, bytes);
  }

  /** glibc `malloc_usable_size`: the bytes that may be used at `ptr`, at least those asked for. 0 for 0. O(1). */
  usableSize(ptr: number): number {
    checkWord("ptr", ptr);
    return this.calls.usableSize(ptr);
  }

  /**
   * macOS `malloc_good_size`: the usable size that malloc(bytes) will give; 0 if it never can. A small block that there is no
   * slab for may have up to 4 bytes less: usableSize tells. O(1).
   */
  goodSize(bytes: number): number {
    checkWord("bytes", bytes);
    return engine.goodSize(this.fresh(), this.heap, bytes);
  }

  /**
   * dlmalloc's `independent_calloc`: zeroed blocks side by side, each freed on its own. Undefined: no memory. O(bytes).
   */
  independentCalloc(count: number, bytes: number): number[] | undefined {
    checkWord("count", count);
    checkWord("bytes", bytes);
    const array = this.calls.independentCalloc(count, bytes) || this.nothing();
    return this.takeList(array, count);
  }

  /**
   * dlmalloc's `independent_comalloc`: blocks of these sizes side by side, not zeroed. Undefined: no memory. O(sizes).
   */
  independentComalloc(sizes: readonly number[]): number[] | undefined {
    for (const bytes of sizes) checkWord("sizes", bytes);
    const given = this.malloc(sizes.length * 4);
    if (given === 0) return undefined;
    this.listAt(given, sizes.length).set(sizes);
    const array = this.calls.independentComalloc(sizes.length, given);
    this.free(given);
    return this.takeList(array || this.nothing(), sizes.length);
  }

  /** 0, for a call that has found no memory. Throws if that is because the memory threw, or answered what it must not. */
  private nothing(): 0 {
    this.fresh().raise();
    return 0;
  }

  /** Copies an array of addresses out of the heap and frees it. */
  private takeList(array: number, count: number): number[] | undefined {
    if (array === 0) return undefined;
    const list = Array.from(this.listAt(array, count));
    this.free(array);
    return list;
  }

  /** A list in a block of the heap's. Throws a HeapCorruptError if none can lie there. */
  private listAt(array: number, count: number): Uint32Array {
    if (array % GRANULE !== 0 || array + 4 * count > this.fresh().size()) throw ledAstray(this.base);
    return this.u32(array, count);
  }

  /**
   * dlmalloc's `bulk_free`: frees all; zeros are skipped. All are looked at before any is freed: if one is no live block, or
   * stands there twice, it throws and nothing is changed. O(n).
   */
  bulkFree(ptrs: Iterable<number>): void {
    const list = Array.from(ptrs);
    for (const ptr of list) checkWord("ptrs", ptr);
    engine.freeListed(this.fresh(), this.heap, Uint32Array.from(list), list.length);
  }

  /**
   * glibc `malloc_trim`: gives back unused slabs and what top has beyond `pad` bytes. True if there was any. O(size classes).
   */
  trim(pad = 0): boolean {
    checkWord("pad", pad);
    return this.calls.trim(pad);
  }

  /** Bytes that the heap has got from its memory and uses, header included. O(1). */
  get footprint(): number {
    return engine.footprint(this.fresh(), this.heap);
  }

  /** The largest footprint since the heap was made. O(1). */
  get maxFootprint(): number {
    return engine.maxFootprint(this.fresh(), this.heap);
  }

  /** The footprint, and what the memory has given in advance and the heap has not touched yet. O(1). */
  get memorySize(): number {
    return engine.reserved(this.fresh(), this.heap);
  }

  /** The bound that the footprint may not exceed; Infinity: none; 0: it never grows. The same as options.footprintLimit. */
  get footprintLimit(): number {
    return this.options.footprintLimit;
  }

  set footprintLimit(bytes: number) {
    this.options.footprintLimit = bytes;
  }

  /** glibc `mallinfo2`: fields and meanings are its own. O(chunks). */
  mallinfo(): Mallinfo {
    return readMallinfo(this.fresh(), this.heap);
  }

  /** What has happened since the heap was made. Counters wrap at 2^32. O(1). */
  statistics(): HeapStatistics {
    return engine.statistics(this.fresh(), this.heap);
  }

  /**
   * dlmalloc's `malloc_inspect_all`: calls `visit` for each piece of the heap, in address order: each block of a slab, and
   * each chunk that is none. It must not change the heap. O(pieces).
   */
  inspectAll(visit: (chunk: ChunkInfo) => void): void {
    engine.walk(this.fresh(), this.heap, visit);
  }

  /**
   * C's malloc family on this heap as functions of WebAssembly, under C's names. Hand them to another module's imports, and
   * its calls go from wasm to wasm. Misuse throws through the module. Throws a TypeError if the heap does not lie in a
   * WebAssembly.Memory that is not shared.
   */
  get exports(): HeapExports {
    return exportsOf(this.instance);
  }

  /**
   * The same as an import object: `WebAssembly.instantiate(module, { ...heap.imports, … })`. `morecore` is for programs built
   * with lib/morecore.c. `env` is for modules that import malloc by C's names, and for JavaScript glue with an underscore
   * before them, as Emscripten's. Throws as `exports` does.
   */
  get imports(): HeapImports {
    return importsOf(this.instance);
  }

  /** What the instance of the kernel that serves this heap exports. */
  private get instance(): WebAssembly.Exports {
    const { all } = this.calls;
    if (all === undefined)
      throw new TypeError(
        "exports: expected a heap in a WebAssembly.Memory that is not shared, in an engine that may compile",
      );
    return all;
  }

  /** Checks every invariant; throws a HeapCorruptError that names the first that does not hold. O(chunks). */
  check(): void {
    engine.check(this.fresh(), this.heap);
  }

  /** Whether references made by this Heap look if they are still alive. Those that were made before a change stay as they were. */
  get checking(): boolean {
    return this.isChecking;
  }

  set checking(on: boolean) {
    if (typeof on !== "boolean") throw new TypeError(`checking: expected true or false, got ${describe(on)}`);
    if (on !== this.isChecking) this.space = undefined;
    this.isChecking = on;
  }

  /** malloc, or memalign where 16 is not enough. An alignment that is no power of two throws a RangeError. O(1). */
  override allocate(bytes: number, alignment: number): number {
    const usual = alignment <= GRANULE && alignment > 0 && (alignment & (alignment - 1)) === 0;
    return usual ? this.malloc(bytes) : this.alignedAlloc(alignment, bytes);
  }

  /** As `free`; the size and the alignment are not needed. O(1). */
  override deallocate(ptr: number, _bytes: number, _alignment: number): void {
    this.free(ptr);
  }

  protected override checkWhole(ptr: number, bytes: number): void {
    if (!this.isChecking) return;
    const usable = this.usableSize(ptr);
    if (engine.isExact(usable, bytes)) return;
    throw new HeapMisuseError(
      "size-mismatch",
      ptr,
      `delete: expected all of a block, got ${bytes} bytes at ${hex(ptr)}, where one of ${usable} begins (size-mismatch)`,
    );
  }

  /** As `realloc`, with the alignment kept. 0: no memory, and the block is as it was. O(bytes) where it moves. */
  override reallocate(ptr: number, oldBytes: number, newBytes: number, alignment: number): number {
    // realloc(p, 0) may be a free.
    if (alignment <= GRANULE) return this.realloc(ptr, Math.max(1, newBytes));
    const moved = this.alignedAlloc(alignment, newBytes);
    if (moved === 0) return 0;
    this.u8(moved, newBytes).set(this.u8(ptr, Math.min(oldBytes, newBytes)));
    this.free(ptr);
    return moved;
  }

  /** As `reallocInPlace`: whether the block could get the size where it is. O(1). */
  override reallocateInPlace(ptr: number, _oldBytes: number, newBytes: number): boolean {
    return this.reallocInPlace(ptr, newBytes) !== 0;
  }

  /** An arena in this heap: `using frame = heap.bump()`. Throws a TypeError or RangeError for a bad option. O(1). */
  bump(options: BumpOptions = {}): Bump {
    return new Bump(this, options);
  }

  /**
   * Runs a function with an arena that ends when it returns. References that are made there have a lifetime that cannot leave
   * the function. Gives what the function gives. Throws a TypeError for a promise.
   */
  scope<R>(body: <L>(scope: Scope<L>) => R, ..._refused: NoPromise<R>): R {
    return runScope(this, body as unknown as (scope: Scope<never>) => R);
  }

  /**
   * Lets go of the heap: every later call throws. A heap that Heap.inside made gives its memory back to the module, and so
   * ends for all windows on it. Of a shared heap this thread's place is given up, if no other window here needs it. Blocks stay, and
   * the thread that comes next goes on with what this one kept. Twice does nothing. O(1), there O(slabs).
   */
  dispose(): void {
    if (this[LIFE].ended) return;
    const machine = this.fresh();
    if (machine.threads) leaveThread(machine, this.identity);
    this[LIFE].ended = true;
    this.calls = ENDED;
    if (!(machine.memory instanceof ModuleMemory)) return;
    // What lies there from now on is others', and no heap to attach to.
    engine.erase(machine, this.heap);
    machine.memory.giveBack();
  }

  [DISPOSE](): void {
    this.dispose();
  }

  protected override summary(): string {
    if (this[LIFE].ended) return "Heap (ended)";
    const { base, footprint, memory } = this;
    const kind = wasmOf(memory)
      ? "WebAssembly.Memory"
      : Object.prototype.toString.call(memory.buffer).slice(8, -1);
    return `Heap { base: ${base}, footprint: ${bytesText(footprint)}, memory: ${kind} of ${bytesText(bytesOf(memory))} }`;
  }

  protected override fresh(): Machine {
    if (this[LIFE].ended) throw endedError();
    return super.fresh();
  }

  get [SPACE](): Space {
    if (this.space === undefined) {
      this.space = new Space(this.memory, this.isChecking, this.identity.regions);
      this.space.root = this[LIFE];
    }
    return this.space;
  }

  /** Whether bytes lie within one live block: O(1) at its beginning, else O(chunks). */
  protected override isLive(at: number, bytes: number): boolean {
    const { state, ptr, usable } = this.describeAddress(at);
    return state === "live" && at >= ptr && at + bytes <= ptr + usable;
  }

  /** What is at an address. Changes nothing: a process that ends here leaves the heap as it was. */
  protected describeAddress(address: number): AddressInfo {
    return engine.describe(this.fresh(), this.heap, address);
  }

  /** The usable size of the block at an address, for views without a count. */
  protected override extentOf(ptr: number): number {
    return this.usableSize(ptr);
  }
}

function endedError(): TypeError {
  return new TypeError("the heap has been disposed of");
}

/** What serves a heap whose memory is being asked for more. */
const ASKING: Calls = new Proxy({} as Calls, {
  get: () => {
    throw new TypeError("memory.grow: the heap cannot be called while it asks its memory for more");
  },
});

/** What serves a heap that was disposed of. */
const ENDED: Calls = new Proxy({} as Calls, {
  get: () => {
    throw endedError();
  },
});
