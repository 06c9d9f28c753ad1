// Heap, with what memory of the operating system's can do besides: addresses for C, pages given back, files, sharing.
//
// Owns:  when pages are given back; opening and closing.
// Needs: the Heap of the library, the memories, sound.
//
// It is the library's Heap, and serves any memory; in memories of this folder it does more. Large blocks are chunks like any
// other: in a reservation there is no need for a second kind. What glibc gets from a mapping for each, that freeing them
// gives memory back at once, comes from giving back the whole pages inside them (docs/OS.md).

import type { Attachable, WasmExports, WasmGlobalObject } from "morecore";
import {
  type ChunkInfo,
  Heap,
  type HeapOptions,
  type HeapSettings,
  type InsideOptions,
  type Mallinfo,
  type Memory,
  type ModuleParts,
} from "morecore";
import {
  type AddressInfo,
  type Calls,
  changeSettings,
  checkOptions,
  checkWord,
  describe,
  engine,
  FIXED_REGION,
  type Machine,
} from "morecore/engine";
import { OsError } from "./errors.ts";
import { FileMemory, openLocked } from "./file.ts";
import { FILE_BASE } from "./label.ts";
import { libc } from "./libc.ts";
import { idleStretches } from "./pages.ts";
import { checkReserve, type OsMemory, thresholdOf } from "./region.ts";
import { SbrkMemory } from "./sbrk.ts";
import { checkName, openSharedLocked, Turn } from "./shared.ts";
import { type RepairReport, repairIfBroken } from "./sound.ts";

/** What Heap.open and Heap.shared can be told. Settings are kept in the heap: those that are given here are set anew. */
export interface OpenOptions extends Partial<HeapSettings> {
  /**
   * The most bytes that the heap can have, label included: up to 4 GiB, rounded up to 64 KiB. Only what is used is there. It is
   * kept: without it, the heap can have as much as it was last told, or 4 GiB. A shared heap has the size that it was made
   * with; another one throws.
   */
  size?: number;
  /** false: a heap that is not sound is not repaired but refused. Default true. */
  repair?: boolean;
  /** As for mmapMemory. */
  mmapThreshold?: number | "dynamic";
}

/** Where glibc's dynamic threshold begins, and how far it goes. */
const FIRST_THRESHOLD = 128 * 1024;
const LAST_THRESHOLD = 32 * 1024 * 1024;
/** What trimThreshold is in a new heap. */
const DEFAULT_TRIM = 2 * 1024 * 1024;

/**
 * The library's Heap, which does more in memory of the operating system's: addresses for C, pages given back,
 * heaps in files and in shared memory. Exported as `Heap`.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create({ memory: mmapMemory({ reserve: 2 ** 20 }) });
 * const ptr = heap.malloc(100);
 * console.log(heap.fromNative(heap.native(ptr)) === ptr); // true
 * heap.free(ptr);
 * ```
 */
class OsHeap extends Heap {
  /** What was repaired when the heap was opened, or when another process had died inside a call; undefined: nothing. */
  repaired: RepairReport | undefined;
  private readonly system: OsMemory | undefined;
  /** The memory, if its break can be lowered after a trim. */
  private readonly breaking: SbrkMemory | undefined;
  private readonly file: FileMemory | undefined;
  private readonly turn: Turn | undefined = undefined;
  private readonly words: Uint32Array;
  private threshold: number;
  private closed = false;

  protected constructor(machine: Machine, base: number, shared?: Shared) {
    super(machine, base);
    const { memory } = machine;
    this.system = isOsMemory(memory) ? memory : undefined;
    this.breaking = memory instanceof SbrkMemory ? memory : undefined;
    this.file = memory instanceof FileMemory ? memory : undefined;
    this.words = new Uint32Array(memory.buffer, 0, Math.floor(memory.buffer.byteLength / 4));
    this.threshold = this.firstThreshold();
    if (shared !== undefined && this.file !== undefined) this.turn = this.takeTurns(this.file, shared.repair);
  }

  private firstThreshold(): number {
    const given = this.system?.mmapThreshold ?? Number.POSITIVE_INFINITY;
    return given === "dynamic" ? FIRST_THRESHOLD : given;
  }

  private takeTurns(file: FileMemory, repair: boolean): Turn {
    const turn = new Turn(file, () => {
      this.repaired = repairIfBroken(file, repair);
    });
    this.calls = turn.around(this.calls);
    return turn;
  }

  /** As the library's Heap.create. */
  static override create(options: HeapOptions = {}): OsHeap {
    const heap = new OsHeap(...Heap.made(options));
    if (options.checking !== undefined) heap.checking = options.checking;
    return heap;
  }

  /** As the library's Heap.inside. */
  static override inside(exports: WasmExports | ModuleParts, options: InsideOptions = {}): OsHeap {
    const heap = new OsHeap(...Heap.madeInside(exports, options));
    if (options.checking !== undefined) heap.checking = options.checking;
    return heap;
  }

  /** As the library's Heap.attach. */
  static override attach(memory: Attachable, base?: number | WasmGlobalObject): OsHeap {
    return new OsHeap(...Heap.found(memory, base));
  }

  /**
   * The heap in a file, or a new one if the file is empty or not there. It is checked, and repaired if the process that had
   * it died in the middle of a call (`repaired` then says what was found). One Heap at a time has a file open.
   *
   * Throws an OsError: not a heap (NOT_A_HEAP), open elsewhere (IN_USE), not to be repaired (BEYOND_REPAIR). Also for want of
   * address space for what it has (ENOMEM), and for a full disk (ENOSPC). Throws a HeapCorruptError, if it is broken and `repair` is false, and a
   * RangeError or TypeError for a bad option. The runtime's own error comes if the file cannot be opened. A file that is refused is
   * left as it was, byte for byte.
   */
  static open(path: string, options: OpenOptions = {}): OsHeap {
    checkOpenOptions(options);
    return OsHeap.opened(path, openLocked(path), options, false);
  }

  /**
   * The heap in the shared memory of a name ("/name"), or a new one if there is none. Any number of processes may have it
   * open; each call waits for its turn. It stays when all have closed it, until Heap.unlink or the system's end.
   * All that open it reserve the size that it was made with; throws an OsError (OTHER_SIZE) for another one.
   */
  static shared(name: string, options: OpenOptions = {}): OsHeap {
    checkOpenOptions(options);
    const descriptor = openSharedLocked(name);
    const heap = OsHeap.opened(name, descriptor, options, true);
    libc().unlock(descriptor);
    return heap;
  }

  /** Removes the name of a shared heap; those who have it open keep it. False: there is none of that name. */
  static unlink(name: string): boolean {
    checkName(name);
    return libc().unlinkShared(name);
  }

  /** The heap behind a descriptor that is ours and locked; closes it if there is none to be had. */
  private static opened(name: string, descriptor: number, options: OpenOptions, shared: boolean): OsHeap {
    const { size, repair = true, mmapThreshold, ...settings } = options;
    let memory: FileMemory | undefined;
    try {
      memory = new FileMemory(descriptor, {
        name,
        reserve: size === undefined ? undefined : checkReserve("size", size),
        mmapThreshold: thresholdOf(mmapThreshold),
        shared,
      });
      const repaired = memory.isNew ? undefined : repairIfBroken(memory, repair);
      const place = memory.isNew
        ? Heap.made({ memory, base: FILE_BASE, ...settings })
        : Heap.found(memory, FILE_BASE);
      memory.accept();
      const heap = new OsHeap(...place, shared ? { repair } : undefined);
      heap.repaired = repaired;
      changeSettings(heap.options, settings);
      return heap;
    } catch (error) {
      letGo(memory, descriptor);
      throw error;
    }
  }

  /** The address that C functions know a block, or any place in the memory, by. Throws if the heap is not in OS memory. */
  native(ptr: number): bigint {
    const { address, size } = this.inSystem();
    if (!Number.isInteger(ptr) || ptr < 0 || ptr > size)
      throw new RangeError(
        `ptr: expected an address inside the memory's ${size} bytes, got ${describe(ptr)}`,
      );
    return ptr === 0 ? 0n : address + BigInt(ptr);
  }

  /** The address in this heap of what C functions know by another; 0 for NULL. Throws if it lies outside of the memory. */
  fromNative(address: bigint | number): number {
    const system = this.inSystem();
    if (typeof address !== "bigint" && !Number.isInteger(address))
      throw new TypeError(`address: expected a bigint or an integer, got ${describe(address)}`);
    if (BigInt(address) === 0n) return 0;
    const offset = Number(BigInt(address) - system.address);
    if (offset < 0 || offset > system.size)
      throw new RangeError(`address: expected one inside the heap's memory, got 0x${address.toString(16)}`);
    return offset;
  }

  private inSystem(): OsMemory {
    if (this.system === undefined)
      throw new TypeError("native: expected a heap in sbrkMemory, mmapMemory, a file or shared memory");
    this.fresh();
    return this.system;
  }

  /** As the library's free; the whole pages of a large block go back to the system. */
  override free(ptr: number): void {
    if (this.sizeHint(ptr) > this.threshold) this.freeing(ptr, () => super.free(ptr));
    else super.free(ptr);
    if (this.breaking?.trimmed === true) this.lowerBreak();
  }

  /** As the library's freeSized; the whole pages of a large block go back to the system. */
  override freeSized(ptr: number, bytes: number): void {
    this.freeing(ptr, () => super.freeSized(ptr, bytes));
  }

  /** As the library's freeAlignedSized; the whole pages of a large block go back to the system. */
  override freeAlignedSized(ptr: number, alignment: number, bytes: number): void {
    this.freeing(ptr, () => super.freeAlignedSized(ptr, alignment, bytes));
  }

  /** As the library's realloc; the whole pages that a large block leaves go back to the system. */
  override realloc(ptr: number, bytes: number): number {
    if (this.sizeHint(ptr) <= this.threshold) return super.realloc(ptr, bytes);
    return this.inTurn(() => {
      const had = this.usableSize(ptr);
      const moved = super.realloc(ptr, bytes);
      if (moved === 0 ? bytes === 0 : moved !== ptr) this.giveBack(ptr, ptr + had);
      else if (moved !== 0) this.giveBack(ptr + this.usableSize(moved), ptr + had);
      if (this.breaking?.trimmed === true) this.lowerBreak();
      return moved;
    });
  }

  /** As the library's bulkFree; the whole pages of large blocks go back to the system. */
  override bulkFree(ptrs: Iterable<number>): void {
    const list = Array.from(ptrs);
    this.inTurn(() => {
      const large = list.some((ptr) => this.sizeHint(ptr) > this.threshold);
      super.bulkFree(list);
      if (large) this.giveIdleBack();
      if (this.breaking?.trimmed === true) this.lowerBreak();
    });
  }

  /**
   * As the library's trim. In OS memory, all whole pages that hold nothing are given back to the system too, wherever they
   * lie, as glibc's malloc_trim does. O(pieces). True if the footprint has become smaller.
   */
  override trim(pad = 0): boolean {
    return this.inTurn(() => {
      const less = super.trim(pad);
      this.giveIdleBack();
      if (this.breaking !== undefined) this.lowerBreak();
      return less;
    });
  }

  /** As the library's check. Of a shared heap it waits for its turn. O(chunks). */
  override check(): void {
    this.inTurn(() => super.check());
  }

  /** As the library's mallinfo. Of a shared heap it waits for its turn. O(chunks). */
  override mallinfo(): Mallinfo {
    return this.inTurn(() => super.mallinfo());
  }

  /** As the library's inspectAll. Of a shared heap it waits for its turn. O(pieces). */
  override inspectAll(visit: (chunk: ChunkInfo) => void): void {
    this.inTurn(() => super.inspectAll(visit));
  }

  protected override describeAddress(address: number): AddressInfo {
    return this.inTurn(() => super.describeAddress(address));
  }

  /**
   * An address that a file-backed or shared heap keeps beside itself, to find the rest by; 0 at first. Throws a RangeError
   * when it is given one that is not in the heap. Throws an OsError (NOT_A_HEAP) when somebody has written such a one into
   * the file.
   */
  get root(): number {
    return this.inFile().root;
  }

  set root(ptr: number) {
    checkWord("root", ptr);
    this.inFile().root = ptr;
  }

  /** Writes a file-backed heap to the disk: what is there now survives a loss of power, too. */
  sync(): void {
    this.inTurn(() => this.inFile().sync());
  }

  /** Lets go of a file-backed or shared heap. Every later call throws; views that are left read zero. */
  close(): void {
    const file = this.inFile();
    this.closed = true;
    this.calls = refusing;
    file.close();
  }

  /**
   * Closes a file-backed or shared heap, if it is still open; `using` does so at its end. Any other heap holds nothing of the
   * system's: its memory goes when nothing leads to it any more.
   */
  override dispose(): void {
    if (this.file === undefined) super.dispose();
    else if (!this.closed) this.close();
  }

  protected override summary(): string {
    return this.closed ? "Heap (closed)" : super.summary();
  }

  private inFile(): FileMemory {
    if (this.file === undefined) throw new TypeError("expected a heap from Heap.open or Heap.shared");
    this.fresh();
    return this.file;
  }

  protected override fresh(): Machine {
    if (this.closed) throw closedError();
    return super.fresh();
  }

  private inTurn<T>(act: () => T): T {
    return this.turn === undefined ? act() : this.turn.hold(act);
  }

  /** The size of the block at an address, if it is a large one; else anything. */
  private sizeHint(ptr: number): number {
    return this.system !== undefined && ptr < this.system.size ? engine.sizeHint(this.words, ptr) : 0;
  }

  /** Frees a block, and gives its pages back if it was large. */
  private freeing(ptr: number, free: () => void): void {
    if (this.sizeHint(ptr) <= this.threshold) free();
    else {
      this.inTurn(() => {
        const had = this.usableSize(ptr);
        free();
        this.giveBack(ptr, ptr + had);
      });
    }
    if (this.breaking?.trimmed === true) this.lowerBreak();
  }

  /** Gives back the pages of what a block has left, less what the kernel keeps in them from now on. */
  private giveBack(start: number, end: number): void {
    const bytes = end - start;
    if (bytes <= this.threshold || this.system === undefined) return;
    const { from, to } = engine.idlePart("free", start, end);
    this.system.release?.(from, to);
    if (this.system.mmapThreshold === "dynamic" && bytes <= LAST_THRESHOLD) this.raise(bytes);
  }

  /** glibc's rule: a block of this size came and went, so its like will come again. */
  private raise(bytes: number): void {
    const trim = this.options.trimThreshold;
    // A threshold that is neither the default nor what was set here is the user's.
    if (trim === DEFAULT_TRIM || trim === 2 * this.threshold)
      this.options.trimThreshold = Math.max(trim, 2 * bytes);
    this.threshold = bytes;
  }

  private giveIdleBack(): void {
    const { system } = this;
    if (system === undefined) return;
    idleStretches(
      (visit) => super.inspectAll(visit),
      engine.limit(this.fresh(), this.heap),
      (from, to) => system.release?.(from, to),
    );
  }

  /** Lets the break follow the heap's end down, if nothing of others' lies between. */
  private lowerBreak(): void {
    const { breaking, heap } = this;
    if (breaking === undefined) return;
    const machine = this.fresh();
    const fixed = (engine.flags(machine, heap) & FIXED_REGION) !== 0;
    const isLast = engine.limit(machine, heap) === breaking.size;
    breaking.trimmed = false;
    if (!fixed && isLast) engine.setLimit(machine, heap, breaking.giveBack(engine.end(machine, heap)));
  }
}

export { OsHeap as Heap };

/** Closes what an opening that failed has got. What fails here is not what is to be told. */
function letGo(memory: FileMemory | undefined, descriptor: number): void {
  try {
    if (memory === undefined) libc().close(descriptor);
    else memory.close();
  } catch {
    // The descriptor is closed all the same.
  }
}

function closedError(): OsError {
  return new OsError("CLOSED", "the heap has been closed");
}

/** What serves a heap that was closed. */
const refusing: Calls = new Proxy({} as Calls, {
  get: () => {
    throw closedError();
  },
});

function isOsMemory(memory: Memory): memory is OsMemory {
  return "address" in memory && "mmapThreshold" in memory && "pageBytes" in memory;
}

/** How a shared heap is opened. */
interface Shared {
  /** Whether it may be repaired when another process has died inside a call. */
  readonly repair: boolean;
}

function checkOpenOptions(options: OpenOptions): void {
  checkOptions(options, ["size", "repair", "mmapThreshold"]);
  const { size, repair, mmapThreshold } = options;
  if (size !== undefined) checkReserve("size", size);
  if (repair !== undefined && typeof repair !== "boolean")
    throw new TypeError(`repair: expected true or false, got ${describe(repair)}`);
  thresholdOf(mmapThreshold);
}
