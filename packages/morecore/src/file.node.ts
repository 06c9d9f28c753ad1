// morecore/file for Node, whose fetch reads no files.

import { readFile } from "node:fs/promises";
import { provideKernel } from "./heap/provided.ts";

export * from "./all.ts";
export { Heap } from "./heap/by-module.ts";

const url = new URL("./kernel-grow.wasm", import.meta.url);
provideKernel(await WebAssembly.compile(await readFile(url)));
