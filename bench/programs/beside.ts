// Beside: the kernel as an instance of its own, in the memory of a program that imports both.
//
// Owns:  how the two are brought together without a Heap in JavaScript: by dist/kernel.wasm as it lies there.
// Needs: dist/kernel.wasm.

import { readFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../harness/paths.ts";
import type { Linked } from "./link.ts";
import type { Beside } from "./run.ts";

const GRANULE = 16;

/** For a program that was linked with --import-memory: a heap behind its own data. */
export function kernelBeside({ pages, heapBase }: Pick<Linked, "pages" | "heapBase">): Beside {
  const module = new WebAssembly.Module(
    readFileSync(path.join(ROOT, "packages", "morecore", "dist", "kernel.wasm")),
  );
  return {
    pages,
    allocatorIn(memory) {
      const abort = (code: number, address: number): never => {
        throw new Error(`morecore: misuse ${code} at ${address >>> 0}`);
      };
      const kernel = new WebAssembly.Instance(module, { env: { memory }, morecore: { abort } });
      const begin = kernel.exports["mc_begin"];
      if (typeof begin !== "function" || begin(roundedUp(heapBase)) === 0)
        throw new Error("the kernel could not begin a heap");
      return kernel.exports;
    },
  };
}

export function roundedUp(address: number): number {
  return Math.ceil(address / GRANULE) * GRANULE;
}
