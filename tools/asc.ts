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

const target = join(ROOT, "packages/morecore/src/heap/kernel-bytes.ts");

function moduleText(bytes: Uint8Array): string {
  const lines = textOf(bytes).match(/.{1,104}/g) ?? [];
  return `// Made by \`npm run asc -- --write\` from src/kernel/family.ts: the malloc family as WebAssembly, ${bytes.length} bytes,
// in the letters of kernel-text.ts.

export const KERNEL_TEXT =
${lines.map((line) => `  ${JSON.stringify(line)}`).join(" +\n")};
`;
}

await compile("index.ts");
// It asks JavaScript for memory: so a heap grows in any way that its Memory does, and what that answers is looked at there.
const kernel = await boundKernel({ importsGrow: true });
const text = moduleText(kernel);
console.log(`asc: the kernel compiles; the malloc family has ${kernel.length} bytes of wasm`);
if (process.argv.includes("--write")) writeFileSync(target, text);
else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
  console.error("src/heap/kernel-bytes.ts is not what the kernel's sources give: npm run asc -- --write");
  process.exitCode = 1;
}
