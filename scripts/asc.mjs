// Compiles the kernel with AssemblyScript. Where `x.wasm.ts` stands beside `x.ts`, asc gets the twin.
//
//   node scripts/asc.mjs          checks: all of the kernel is in the subset that asc takes, and the wasm in
//                                 src/heap/kernel-bytes.ts is what the sources give
//   node scripts/asc.mjs --write  writes src/heap/kernel-bytes.ts

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import asc from "assemblyscript/asc";

const kernel = new URL("../src/kernel/", import.meta.url);
const target = new URL("../src/heap/kernel-bytes.ts", import.meta.url);

async function compile(entry) {
  let bytes;
  const { error, stderr } = await asc.main(
    [entry, "-O3", "--runtime", "stub", "--use", "abort=", "--importMemory", "--outFile", "kernel.wasm"],
    {
      readFile(name) {
        const twin = new URL(name.replace(/\.ts$/, ".wasm.ts"), kernel);
        const file = existsSync(twin) ? twin : new URL(name, kernel);
        return existsSync(file) ? readFileSync(file, "utf8") : null;
      },
      writeFile(name, contents) {
        if (name === "kernel.wasm") bytes = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) {
    console.error(stderr.toString());
    console.error(error.message);
    process.exit(1);
  }
  return Buffer.from(bytes);
}

function moduleText(bytes) {
  const lines = bytes.toString("base64").match(/.{1,104}/g) ?? [];
  return `// Made by \`npm run asc -- --write\` from src/kernel/family.ts: the malloc family as WebAssembly, ${bytes.length} bytes.

export const KERNEL_BYTES =
${lines.map((line) => `  "${line}"`).join(" +\n")};
`;
}

const whole = await compile("index.ts");
const family = await compile("family.ts");
const text = moduleText(family);
console.log(`asc: the kernel compiles, ${whole.length} bytes of wasm; the malloc family ${family.length}`);
if (process.argv.includes("--write")) writeFileSync(target, text);
else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
  console.error("src/heap/kernel-bytes.ts is not what the kernel's sources give: npm run asc -- --write");
  process.exit(1);
}
