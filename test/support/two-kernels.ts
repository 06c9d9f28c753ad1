// Two kernels: heaps that are served by the kernel in WebAssembly and by the kernel in JavaScript, to be compared.

import { Heap, type Memory } from "morecore";
import { expect } from "vitest";

export const BASE = 1024;

/** A WebAssembly.Memory that the heap cannot recognise as one: the JavaScript kernel serves it. */
export function disguised(memory: WebAssembly.Memory): Memory {
  return {
    get buffer() {
      return memory.buffer;
    },
    get untouched() {
      return memory.buffer.byteLength;
    },
    grow(bytes) {
      try {
        return memory.grow(bytes / 65_536) * 65_536;
      } catch {
        return 0;
      }
    },
  };
}

export const newMemory = () => new WebAssembly.Memory({ initial: 1, maximum: 20 });

export const sameBytes = (a: Heap, b: Heap): boolean =>
  Buffer.compare(new Uint8Array(a.buffer), new Uint8Array(b.buffer)) === 0;

/** A heap by each kernel, and calls that must give the same and leave the same bytes. */
export function twins(): { wasm: Heap; both: (call: (heap: Heap) => unknown) => number } {
  const wasm = Heap.create({ memory: newMemory(), base: BASE });
  const script = Heap.create({ memory: disguised(newMemory()), base: BASE });
  return {
    wasm,
    both(call) {
      const answer = call(wasm);
      expect(call(script)).toBe(answer);
      expect(sameBytes(wasm, script)).toBe(true);
      return Number(answer);
    },
  };
}
