// File memory: the bytes of a file, mapped. What is written there is the file's, whatever becomes of the process.
//
// Owns:       the file's lock, its length, the label's words, the mapping.
// Needs:      label, region, libc. Of node:fs only what finds or makes a file by its path.
// Invariants: F1  what is mapped lies within the own reservation and within the file: `map` is the only way      O(1)
//             F2  the label's reserve is what the heap may have: for sharers, what each of them has reserved     O(1)
//             F3  nothing is written before the file has been read, and not if it is refused                     (accept)
//
// The file is given blocks before it is written (posix_fallocate): a full disk refuses a growth, it does not kill.
// What is above `bytes` in the reservation is zero pages of the process's own, so nothing that is read there kills either.
// Who makes the file shorter while it is mapped takes away pages that views lead to: to touch one ends the process
// (SIGBUS). What maps more, each growth and `sync` look at the length and throw before; nothing can look between.

import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { type Memory } from "morecore";
import { bytesText, describe, Printed, shown } from "morecore/engine";
import { OsError, refused } from "./errors.ts";
import {
  AT_BUSY,
  AT_BYTES,
  AT_COPY_STATE,
  AT_MAGIC,
  AT_RESERVE,
  AT_ROOT,
  AT_VERSION,
  COPY_BYTES,
  COPY_IN_REPAIR,
  COPY_KEPT,
  FILE_BASE,
  FILE_UNIT,
  LABEL_MAGIC,
  LABEL_UNFINISHED,
  LABEL_VERSION,
  type Label,
  NO_COPY,
  readLabel,
  reserveWord,
} from "./label.ts";
import { libc } from "./libc.ts";
import { LEAST_RESERVE, MAX_RESERVE, type OsMemory, reachOf, reserveRegion, wholePages } from "./region.ts";
import type { Libc } from "./system.ts";

const ENOSPC = 28;

export interface FileMemoryOptions {
  /** What messages call it. */
  readonly name: string;
  /** The most bytes that it can have; undefined: what its label says, or 4 GiB. */
  readonly reserve: number | undefined;
  readonly mmapThreshold: number | "dynamic";
  /** Memory that others have open at once. It lies in memory only: pages that are given back lose what they hold. */
  readonly shared: boolean;
}

export class FileMemory extends Printed implements OsMemory {
  readonly buffer: ArrayBuffer;
  readonly address: bigint;
  readonly pageBytes: number;
  readonly mmapThreshold: number | "dynamic";
  /** There was no heap before: one has to be made at FILE_BASE. */
  readonly isNew: boolean;
  private mapped = 0;
  private file: number;
  /** What the label is to say that the heap may have. */
  private readonly reserve: number;
  private readonly label: Uint32Array;
  private readonly options: FileMemoryOptions;
  private readonly libc: Libc;

  /**
   * The descriptor is ours from here on, and locked. Throws an OsError, and has written nothing: no heap, a label that
   * contradicts itself, another size than its sharers', no room for a reservation. `accept` ends the opening.
   */
  constructor(descriptor: number, options: FileMemoryOptions) {
    super();
    this.libc = libc();
    this.file = descriptor;
    this.options = options;
    this.pageBytes = this.libc.pageBytes;
    this.mmapThreshold = options.mmapThreshold;
    const found = readLabel(descriptor, options.name);
    this.isNew = found === undefined;
    const { reserve, least } = wantedReserve(options, found);
    const { address, buffer } = reserveRegion(reserve, least);
    this.address = address;
    this.buffer = buffer;
    // Sharers have all the same; a file's next opener need not live with the limits of this one.
    this.reserve = options.shared ? buffer.byteLength : reserve;
    this.label = new Uint32Array(buffer, 0, FILE_BASE / Uint32Array.BYTES_PER_ELEMENT);
    if (this.isNew) this.begin();
    else this.map((found as Label).bytes);
  }

  /** -1 after `close`: the number may then be another file's. */
  get descriptor(): number {
    return this.file;
  }

  protected override summary(): string {
    return `FileMemory ${shown(this.options.name)} { size: ${bytesText(this.mapped)} of ${bytesText(this.reserve)} }`;
  }

  private read(index: number): number {
    return this.label[index] as number;
  }

  /** A file of one unit with a label that says that nothing is there yet. */
  private begin(): void {
    this.libc.setLength(this.file, 0);
    this.libc.write(this.file, new Uint8Array(Uint32Array.of(LABEL_UNFINISHED).buffer), 0);
    if (!this.lengthen(FILE_UNIT)) throw refused(`${this.options.name}: ${FILE_UNIT} bytes`, ENOSPC);
    this.label.set([LABEL_VERSION, FILE_BASE, reserveWord(this.reserve), FILE_UNIT, 0, 0], AT_VERSION);
  }

  /** There is a heap, and it is sound: from now on the label says what it may have, and that nobody is inside. */
  accept(): void {
    this.label[AT_RESERVE] = reserveWord(this.reserve);
    this.label[AT_BUSY] = 0;
    this.label[AT_MAGIC] = LABEL_MAGIC;
  }

  /** Sharers may have made it larger: what they have added is mapped here first. */
  get size(): number {
    if (this.options.shared) this.follow();
    return this.mapped;
  }

  get untouched(): number {
    return this.size;
  }

  /** Throws an OsError if somebody has made the file shorter. */
  grow(bytes: number): number {
    const from = this.size;
    this.checkLength(from);
    if (bytes > reachOf(this.buffer) - from || !this.extend(from + bytes)) return 0;
    this.label[AT_BYTES] = this.mapped;
    return from;
  }

  /** Makes the file larger, and maps what came. False: no room, and all is as it was. */
  private extend(bytes: number): boolean {
    // What others have put behind the heap is not zero, as new memory is.
    if (this.libc.length(this.file) > this.mapped) this.libc.setLength(this.file, this.mapped);
    return this.lengthen(bytes);
  }

  private lengthen(bytes: number): boolean {
    if (this.libc.length(this.file) < bytes) {
      if (!this.libc.allocate(this.file, this.mapped, bytes - this.mapped)) return false;
      if (this.libc.length(this.file) < bytes) this.libc.setLength(this.file, bytes);
    }
    try {
      this.map(bytes);
    } catch (error) {
      // The process may have no more mappings. What the file has got stays empty.
      if (error instanceof OsError && error.code === "ENOMEM") return false;
      throw error;
    }
    return true;
  }

  /** F1: maps the file up to so many bytes, which came from a label, and so perhaps from others. Throws an OsError. */
  private map(bytes: number): void {
    const { name } = this.options;
    const most = this.buffer.byteLength;
    if (bytes > most)
      throw new OsError("OTHER_SIZE", `${name}: it has ${bytes} bytes, this process has reserved ${most}`);
    if (bytes % FILE_UNIT !== 0 || bytes < this.mapped)
      throw new OsError("NOT_A_HEAP", `${name}: its label says that it has ${bytes} bytes`);
    this.checkLength(bytes);
    this.put(this.mapped, bytes);
    this.mapped = bytes;
  }

  private put(from: number, to: number): void {
    const file = { descriptor: this.file, offset: from };
    this.libc.mapOver(this.address + BigInt(from), to - from, file);
  }

  /** Throws if the file has fewer bytes than it had. */
  private checkLength(bytes: number): void {
    const size = this.libc.length(this.file);
    if (size < bytes)
      throw new OsError(
        "TRUNCATED",
        `${this.options.name}: somebody has made it shorter while it was open: it had ${bytes} bytes, now ${size}`,
      );
  }

  /** Maps what another process has added. Throws an OsError if that is more than was agreed on, or is not there. */
  follow(): void {
    const bytes = this.read(AT_BYTES);
    if (bytes > this.mapped) this.map(bytes);
  }

  /**
   * A file keeps its blocks, so that writing there later cannot fail: its pages leave the process and can leave the
   * system's memory, but not the disk.
   */
  release(from: number, to: number): void {
    wholePages(this, from, to, this.options.shared ? this.libc.remove : this.libc.drop);
  }

  /** An offset that is kept beside the heap, to find things by; 0 at first. Throws an OsError if it leads out of the heap. */
  get root(): number {
    const root = this.read(AT_ROOT);
    if (!this.isInside(root))
      throw new OsError(
        "NOT_A_HEAP",
        `${this.options.name}: its label says that the root is at ${root}, outside of its ${this.size} bytes`,
      );
    return root;
  }

  set root(ptr: number) {
    if (!this.isInside(ptr))
      throw new RangeError(
        `root: expected 0 or an address in the heap, from ${FILE_BASE} to ${this.size}, got ${ptr}`,
      );
    this.label[AT_ROOT] = ptr;
  }

  private isInside(ptr: number): boolean {
    return ptr === 0 || (ptr >= FILE_BASE && ptr < this.size);
  }

  /** The process that is inside a call; 0: none. Under the lock only. */
  get busy(): number {
    return this.read(AT_BUSY);
  }

  set busy(pid: number) {
    this.label[AT_BUSY] = pid;
  }

  /** The same bytes in pages of the process's own, to try something on. Throws an OsError when there is no room for them. */
  draft(): Draft {
    return new Draft(this.file, this.mapped);
  }

  /** Copies the heap's header into the label, before a repair writes to it; unless one that did not end has done so. The copy. */
  keepHeader(): Uint8Array {
    const at = (AT_COPY_STATE + 1) * Uint32Array.BYTES_PER_ELEMENT;
    const copy = new Uint8Array(this.buffer, at, COPY_BYTES);
    if (this.read(AT_COPY_STATE) !== COPY_IN_REPAIR) {
      this.label[AT_COPY_STATE] = NO_COPY;
      copy.set(new Uint8Array(this.buffer, FILE_BASE, COPY_BYTES));
      this.label[AT_COPY_STATE] = COPY_IN_REPAIR;
    }
    return copy.slice();
  }

  /** The repair has ended. The copy stays until the next one. */
  endRepair(): void {
    this.label[AT_COPY_STATE] = COPY_KEPT;
  }

  /** Writes all to the disk. Throws an OsError if somebody has made the file shorter. */
  sync(): void {
    this.checkLength(this.mapped);
    this.libc.sync(this.address, this.mapped);
    this.libc.flush(this.file);
  }

  /** Lets go of the file and its lock. Views stay, over zero pages. */
  close(): void {
    const { file } = this;
    this.file = -1;
    try {
      this.libc.mapOver(this.address, this.mapped);
    } finally {
      this.libc.close(file);
    }
  }
}

/** A copy of a file's bytes, page by page as they are written. It does not grow. */
class Draft implements Memory {
  readonly buffer: ArrayBuffer;
  readonly size: number;
  private readonly address: bigint;

  constructor(descriptor: number, bytes: number) {
    const { address, buffer } = reserveRegion(bytes, bytes);
    libc().mapOver(address, bytes, { descriptor, offset: 0, copied: true });
    this.buffer = buffer;
    this.size = bytes;
    this.address = address;
  }

  get untouched(): number {
    return this.size;
  }

  grow(): number {
    return 0;
  }

  /** Gives the copies back. */
  end(): void {
    libc().mapOver(this.address, this.size);
  }
}

/** The reservation to ask for, and the least that will do. Throws for a size that is not to be had. */
function wantedReserve(
  { name, reserve, shared }: FileMemoryOptions,
  found: Label | undefined,
): { reserve: number; least: number } {
  if (found === undefined) return { reserve: reserve ?? MAX_RESERVE, least: reserve ?? LEAST_RESERVE };
  const stored = Math.max(found.reserve, found.bytes);
  if (shared && reserve !== undefined && reserve !== stored)
    throw new OsError(
      "OTHER_SIZE",
      `${name}: it was made with a size of ${stored} bytes, got size: ${reserve}; leave size out to take that, or unlink it`,
    );
  if (reserve !== undefined && reserve < found.bytes)
    throw new RangeError(`size: expected at least the ${found.bytes} bytes that ${name} has, got ${reserve}`);
  if (shared || reserve !== undefined) return { reserve: reserve ?? stored, least: reserve ?? stored };
  return { reserve: stored, least: Math.min(stored, Math.max(found.bytes, LEAST_RESERVE)) };
}

/**
 * Opens a file and takes its lock. Throws an OsError if another has it, the runtime's own error if it cannot be opened.
 *
 * The runtime looks first: it knows permissions of its own, and has words for what is wrong. The descriptor is libc's.
 */
export function openLocked(path: string): number {
  if (typeof path !== "string") throw new TypeError(`path: expected a string, got ${describe(path)}`);
  const system = libc();
  checkFile(path);
  const descriptor = system.open(path);
  try {
    if (system.lock(descriptor, false)) return descriptor;
    throw new OsError("IN_USE", `${path}: another process, or another Heap of this one, has it open`);
  } catch (error) {
    system.close(descriptor);
    throw error;
  }
}

/** Makes a file if there is none. Throws if there is something else, or if it cannot be opened. */
function checkFile(path: string): void {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666);
  try {
    if (!fstatSync(descriptor).isFile())
      throw new OsError("NOT_A_HEAP", `${path}: not a heap: expected a file, found a device or a pipe`);
  } finally {
    closeSync(descriptor);
  }
}
