// Compiles the kernel with AssemblyScript, so that it stays in the subset that both compilers take. Where `x.wasm.ts`
// stands beside `x.ts`, asc gets the twin. Prints the size of the wasm; its use in programs is another matter.

import { existsSync, readFileSync } from "node:fs";
import asc from "assemblyscript/asc";

const root = new URL("../src/kernel/", import.meta.url);
let size = 0;
const { error, stderr } = await asc.main(
  ["index.ts", "-O3", "--runtime", "stub", "--importMemory", "--outFile", "kernel.wasm"],
  {
    readFile(name) {
      const twin = new URL(name.replace(/\.ts$/, ".wasm.ts"), root);
      const file = existsSync(twin) ? twin : new URL(name, root);
      return existsSync(file) ? readFileSync(file, "utf8") : null;
    },
    writeFile(name, contents) {
      if (name === "kernel.wasm") size = contents.length;
    },
    listFiles: () => [],
  },
);
if (error) {
  console.error(stderr.toString());
  console.error(error.message);
  process.exit(1);
}
console.log(`asc: the kernel compiles, ${size} bytes of wasm`);
