// File memory: the bytes of a file, mapped. What is written there is the file's, whatever becomes of the process.
//
// Owns:  the file's first OS page (its label), its lock, its length, the mapping.
// Needs: region, libc, node:fs.
//
//  +0  label: magic | version | base | reserve | bytes | root | busy     little-endian words
//  +4096  the heap, up to `bytes`; pointers are offsets from +0, so they hold wherever the file is mapped
//
// The file is given blocks before it is written (posix_fallocate): a full disk refuses a growth, it does not kill.
// What is above `bytes` in the reservation is zero pages of the process's own, so nothing that is read there kills either.

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { OsError, refused } from "./errors.ts";
import { type Libc, libc } from "./libc.ts";
import { type OsMemory, reachOf, reserveRegion, wholePages } from "./region.ts";

/** Where the heap begins: behind the label. */
export const FILE_BASE = 4096;
const INITIAL = 65_536;
const LABEL_WORDS = 7;

/** "MCHP" when read as bytes; and what stands there until a new heap is complete. */
const LABEL_MAGIC = 0x5048_434d;
const LABEL_UNFINISHED = 0x3f48_434d;
const LABEL_VERSION = 1;

// Indices of words in the label.
const AT_MAGIC = 0;
const AT_VERSION = 1;
const AT_BASE = 2;
const AT_RESERVE = 3;
const AT_BYTES = 4;
const AT_ROOT = 5;
/** The process that is inside a call on a shared heap; 0: none is. */
const AT_BUSY = 6;

const ENOSPC = 28;

export interface FileMemoryOptions {
  /** What messages call it. */
  readonly name: string;
  /** The most bytes that it can have; undefined: what its label says, or 4 GiB. */
  readonly reserve: number | undefined;
  readonly mmapThreshold: number | "dynamic";
  /** It lies in memory only: pages that are given back lose what they hold. */
  readonly inMemory: boolean;
}

export class FileMemory implements OsMemory {
  readonly buffer: ArrayBuffer;
  readonly address: bigint;
  readonly pageBytes: number;
  readonly mmapThreshold: number | "dynamic";
  readonly descriptor: number;
  /** There was no heap before: one has to be made at FILE_BASE, then `finish` called. */
  readonly isNew: boolean;
  private mapped = 0;
  private readonly label: Uint32Array;
  private readonly options: FileMemoryOptions;
  private readonly libc: Libc;

  /** The descriptor is ours from here on, and locked. Throws an OsError: no heap, or a label that contradicts itself. */
  constructor(descriptor: number, options: FileMemoryOptions) {
    this.libc = libc();
    this.descriptor = descriptor;
    this.options = options;
    this.pageBytes = this.libc.pageBytes;
    this.mmapThreshold = options.mmapThreshold;
    const found = readLabel(descriptor, options.name);
    this.isNew = found === undefined;
    const bytes = found?.[AT_BYTES] ?? 0;
    const stored = found?.[AT_RESERVE];
    if (options.reserve !== undefined && options.reserve < bytes)
      throw new RangeError(
        `size: expected at least the ${bytes} bytes that ${options.name} has, got ${options.reserve}`,
      );
    // The stored one is 0 for 4 GiB, which no word can hold.
    const { address, buffer } = reserveRegion(options.reserve ?? (stored === 0 ? undefined : stored));
    this.address = address;
    this.buffer = buffer;
    this.label = new Uint32Array(buffer, 0, LABEL_WORDS);
    if (this.isNew) this.begin();
    else this.map(bytes);
  }

  private read(index: number): number {
    return this.label[index] as number;
  }

  /** A file of one unit with a label that says that nothing is there yet. */
  private begin(): void {
    ftruncateSync(this.descriptor, 0);
    writeSync(this.descriptor, Uint32Array.of(LABEL_UNFINISHED));
    if (!this.extend(INITIAL)) throw refused(`${this.options.name}: ${INITIAL} bytes`, ENOSPC);
    this.label.set([LABEL_VERSION, FILE_BASE, this.buffer.byteLength >>> 0, INITIAL, 0, 0], AT_VERSION);
  }

  /** The heap is complete: from now on it can be opened. */
  finish(): void {
    this.label[AT_MAGIC] = LABEL_MAGIC;
  }

  /** Another process may have made it larger: what it has added is mapped here first. */
  get size(): number {
    this.follow();
    return this.mapped;
  }

  get untouched(): number {
    return this.size;
  }

  grow(bytes: number): number {
    const from = this.size;
    if (bytes > reachOf(this.buffer) - from || !this.extend(from + bytes)) return 0;
    this.label[AT_BYTES] = this.mapped;
    return from;
  }

  /** Makes the file larger, and maps what came. False: no room, and all is as it was. */
  private extend(bytes: number): boolean {
    if (fstatSync(this.descriptor).size < bytes) {
      if (!this.libc.allocate(this.descriptor, this.mapped, bytes - this.mapped)) return false;
      if (fstatSync(this.descriptor).size < bytes) ftruncateSync(this.descriptor, bytes);
    }
    this.map(bytes);
    return true;
  }

  private map(bytes: number): void {
    const place = this.address + BigInt(this.mapped);
    this.libc.mapOver(place, bytes - this.mapped, { descriptor: this.descriptor, offset: this.mapped });
    this.mapped = bytes;
  }

  /** Maps what another process has added. */
  follow(): void {
    const bytes = this.label[AT_BYTES] as number;
    if (bytes > this.mapped) this.map(bytes);
  }

  /**
   * A file keeps its blocks, so that writing there later cannot fail: its pages leave the process and can leave the
   * system's memory, but not the disk.
   */
  release(from: number, to: number): void {
    wholePages(this, from, to, this.options.inMemory ? this.libc.remove : this.libc.drop);
  }

  /** An offset that is kept beside the heap, to find things by; 0 at first. */
  get root(): number {
    return this.read(AT_ROOT);
  }

  set root(ptr: number) {
    this.label[AT_ROOT] = ptr;
  }

  /** The process that is inside a call; 0: none. Under the lock only. */
  get busy(): number {
    return this.read(AT_BUSY);
  }

  set busy(pid: number) {
    this.label[AT_BUSY] = pid;
  }

  /** Writes all to the disk. */
  sync(): void {
    this.libc.sync(this.address, this.mapped);
    fsyncSync(this.descriptor);
  }

  /** Lets go of the file and its lock. Views stay, over zero pages. */
  close(): void {
    this.libc.mapOver(this.address, this.mapped);
    closeSync(this.descriptor);
  }
}

/** Opens a file and takes its lock. Throws an OsError if another has it, Node's own error if it cannot be opened. */
export function openLocked(path: string): number {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666);
  if (libc().lock(descriptor, false)) return descriptor;
  closeSync(descriptor);
  throw new OsError("IN_USE", `${path}: another process, or another Heap of this one, has it open`);
}

/** The label of a heap's file; undefined: the file is empty, or its heap was never finished. */
function readLabel(descriptor: number, name: string): Uint32Array | undefined {
  const length = fstatSync(descriptor).size;
  if (length === 0) return undefined;
  const label = new Uint32Array(LABEL_WORDS);
  readSync(descriptor, label, 0, label.byteLength, 0);
  if (label[AT_MAGIC] === LABEL_UNFINISHED) return undefined;
  const wrong = faultOf(label, length);
  if (wrong !== undefined) throw new OsError("NOT_A_HEAP", `${name}: not a heap: ${wrong}`);
  return label;
}

/** What is wrong with a label, in words. */
function faultOf(label: Uint32Array, length: number): string | undefined {
  const bytes = label[AT_BYTES] as number;
  if (label[AT_MAGIC] !== LABEL_MAGIC) return "the file does not begin with a heap's label";
  if (label[AT_VERSION] !== LABEL_VERSION)
    return `its label has version ${label[AT_VERSION]}, this is morecore for version ${LABEL_VERSION}`;
  if (label[AT_BASE] !== FILE_BASE) return `its label says that the heap begins at ${label[AT_BASE]}`;
  if (bytes < INITIAL || bytes % INITIAL !== 0) return `its label says that it has ${bytes} bytes`;
  if (bytes > length) return `it was cut off: the label says ${bytes} bytes, the file has ${length}`;
  return undefined;
}
