// morecore/file for Node, whose fetch reads no files.

import { readFileSync } from "node:fs";
import { provideKernel } from "./heap/provided.ts";

export * from "./all.ts";
export { Heap } from "./heap/by-module.ts";

const url = new URL("./kernel-grow.wasm", import.meta.url);
// At once, not awaited: so that CommonJS can require it.
provideKernel(new WebAssembly.Module(readFileSync(url)));
