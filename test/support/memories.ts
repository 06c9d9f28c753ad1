// Memories: every kind of memory that a heap can live in, made small, for tests that all of them must pass.

import { Heap, type HeapOptions, type HeapSettings, type Memory } from "morecore";

/** A way to make a heap, and what it can do. */
export interface HeapMaker {
  readonly name: string;
  /** Whether its memory can grow. */
  readonly grows: boolean;
  /** Whether its memory's buffer stays the same object. Missing: if it cannot grow. */
  readonly keepsBuffer?: boolean;
  make(settings?: Partial<HeapSettings>): Heap;
}

/** Bytes of the memories that cannot grow. */
export const FIXED_BYTES = 512 * 1024;
const WASM_PAGE = 65_536;
/** 64 MiB: refuses what is huge instead of reserving it. */
const MAXIMUM_PAGES = 1024;

/** A Memory over an ordinary ArrayBuffer that grows by copying and detaches the one before, as wasm does. */
export class CopyingMemory implements Memory {
  buffer: ArrayBuffer;
  readonly maximum: number;
  /** What `release` was told. */
  readonly released: [from: number, to: number][] = [];

  constructor(bytes: number, maximum = MAXIMUM_PAGES * WASM_PAGE) {
    this.buffer = new ArrayBuffer(bytes);
    this.maximum = maximum;
  }

  get untouched(): number {
    return this.buffer.byteLength;
  }

  grow(bytes: number): number {
    const from = this.buffer.byteLength;
    if (from + bytes > this.maximum) return 0;
    const larger = new ArrayBuffer(from + bytes);
    new Uint8Array(larger).set(new Uint8Array(this.buffer));
    structuredClone(this.buffer, { transfer: [this.buffer] });
    this.buffer = larger;
    return from;
  }

  release(from: number, to: number): void {
    this.released.push([from, to]);
  }
}

/** ES2024: the types of this project's library do not know them yet. */
interface Resizing {
  resize?(bytes: number): void;
  grow?(bytes: number): void;
}
type Sizable<T> = new (bytes: number, options: { maxByteLength: number }) => T & Resizing;

/** A Memory that grows in place: old views are neither emptied by it nor follow it. */
export function resizableMemory(bytes: number, maximum = MAXIMUM_PAGES * WASM_PAGE): Memory {
  return growingInPlace(
    new (ArrayBuffer as unknown as Sizable<ArrayBuffer>)(bytes, { maxByteLength: maximum }),
  );
}

/** The same in shared memory. */
export function growableMemory(bytes: number, maximum = MAXIMUM_PAGES * WASM_PAGE): Memory {
  const Growable = SharedArrayBuffer as unknown as Sizable<SharedArrayBuffer>;
  return growingInPlace(new Growable(bytes, { maxByteLength: maximum }));
}

function growingInPlace(buffer: ArrayBufferLike & Resizing): Memory {
  return {
    buffer,
    grow(bytes) {
      const from = buffer.byteLength;
      try {
        if (buffer.resize !== undefined) buffer.resize(from + bytes);
        else buffer.grow?.(from + bytes);
        return from;
      } catch {
        return 0;
      }
    },
    get untouched() {
      return buffer.byteLength;
    },
  };
}

/** A small memory that does not say that it never grows, so that a heap in it has slabs; it refuses when it is asked. */
export function refusingMemory(buffer: ArrayBuffer): Memory {
  return { buffer, grow: () => 0, untouched: buffer.byteLength };
}

/** A WebAssembly.Memory with something of someone else's in its first page. */
export function usedWasm(shared = false): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM_PAGES, shared });
  new Uint8Array(memory.buffer).fill(0xa5);
  return memory;
}

/**
 * A module with a malloc of its own, as Emscripten's and wasi-libc's are for 32 bits: addresses at 8 mod 16, signed. It is a
 * heap of morecore's, so that the test can look at it; `exports` is what a module would export.
 */
export function mallocModule(options: HeapOptions = {}): { host: Heap; exports: WebAssembly.Exports } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM_PAGES });
  const host = Heap.create({ memory, advance: 0, ...options });
  const malloc = (bytes: number): number => {
    const ptr = host.malloc(bytes + 8);
    return ptr === 0 ? 0 : (ptr + 8) | 0;
  };
  const free = (ptr: number): void => host.free((ptr >>> 0) - 8);
  return { host, exports: { memory, malloc, free } };
}

function maker(name: string, grows: boolean, options: () => HeapOptions): HeapMaker {
  return { name, grows, make: (settings) => Heap.create({ ...options(), ...settings }) };
}

export const MAKERS: readonly HeapMaker[] = [
  {
    name: "a wasm memory of its own",
    grows: true,
    // It has no maximum, so a limit keeps huge requests from being served.
    make: (settings) => Heap.create({ reserve: 0, footprintLimit: MAXIMUM_PAGES * WASM_PAGE, ...settings }),
  },
  maker("a given wasm memory", true, () => ({ memory: usedWasm(), alone: true })),
  maker("a given wasm memory with a base", true, () => ({ memory: usedWasm(), alone: true, base: 4096 })),
  maker("a given wasm memory with a base and a size", false, () => ({
    memory: usedWasm(),
    alone: true,
    base: 4096,
    size: FIXED_BYTES,
  })),
  maker("an ArrayBuffer", false, () => ({ memory: new ArrayBuffer(FIXED_BYTES) })),
  maker("a part of an ArrayBuffer", false, () => ({
    memory: new ArrayBuffer(FIXED_BYTES + 10_000),
    base: 4096,
    size: FIXED_BYTES,
  })),
  maker("a SharedArrayBuffer", false, () => ({ memory: new SharedArrayBuffer(FIXED_BYTES) })),
  maker("a shared wasm memory", true, () => ({ memory: usedWasm(true), alone: true })),
  {
    name: "memory that a module's malloc gives",
    grows: true,
    make: (settings) => Heap.inside(mallocModule().exports, settings),
  },
  maker("a memory of the user's", true, () => ({ memory: new CopyingMemory(WASM_PAGE) })),
  {
    ...maker("a resizable ArrayBuffer of the user's", true, () => ({ memory: resizableMemory(WASM_PAGE) })),
    keepsBuffer: true,
  },
  {
    ...maker("a growable SharedArrayBuffer of the user's", true, () => ({
      memory: growableMemory(WASM_PAGE),
    })),
    keepsBuffer: true,
  },
];
