// morecore/file: the library with its kernel as a file beside it, for pages: bundlers copy it, browsers compile it while it comes.

import { provideKernel } from "./heap/provided.ts";

export * from "./all.ts";
export { Heap } from "./heap/by-module.ts";

const { href } = new URL("./kernel-grow.wasm", import.meta.url);
provideKernel(await WebAssembly.compileStreaming(fetch(href)));
