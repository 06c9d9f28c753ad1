// Holds the kernel's sources and the wasm that we ship together.
//
//   npm run asc              checks: all of the kernel is in the subset that asc takes, and the wasm in
//                              src/heap/kernel-bytes.ts is what the sources give
//   npm run asc -- --write   writes src/heap/kernel-bytes.ts

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { textOf } from "../packages/morecore/src/heap/kernel-text.ts";
import { compile } from "./compile.ts";
import { boundKernel } from "./kernel.ts";
import { ROOT } from "./root.ts";

const HEAP = join(ROOT, "packages/morecore/src/heap");

function moduleText(name: string, what: string, bytes: Uint8Array): string {
  const lines = textOf(bytes).match(/.{1,104}/g) ?? [];
  return `// Made by \`npm run asc -- --write\` from src/kernel/family.ts: the malloc family ${what}, ${bytes.length} bytes,
// in the letters of kernel-text.ts.

export const ${name} =
${lines.map((line) => `  ${JSON.stringify(line)}`).join(" +\n")};
`;
}

/** Writes a file, or looks whether it is what is to be written. */
function hold(file: string, text: string): void {
  const target = join(HEAP, file);
  if (process.argv.includes("--write")) writeFileSync(target, text);
  else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
    console.error(`src/heap/${file} is not what the kernel's sources give: npm run asc -- --write`);
    process.exitCode = 1;
  }
}

await compile("index.ts");
// It asks JavaScript for memory: so a heap grows in any way that its Memory does, and what that answers is looked at there.
const kernel = await boundKernel({ importsGrow: true });
console.log(`asc: the kernel compiles; the malloc family has ${kernel.length} bytes of wasm`);
hold("kernel-bytes.ts", moduleText("KERNEL_TEXT", "as WebAssembly", kernel));
// Shared memory only WebAssembly can grow in the middle of a call, while other threads may grow it, too.
const threads = await boundKernel({ threads: true });
console.log(`asc: that for heaps that threads share has ${threads.length}`);
hold("threads-bytes.ts", moduleText("THREADS_TEXT", "for heaps that threads share", threads));
