// Compile: files of src/kernel to WebAssembly by asc, as they are; nothing is optimised.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import asc from "assemblyscript/asc";
import { type Marked, markersIn } from "./markers.ts";
import { ROOT } from "./root.ts";

const KERNEL = join(ROOT, "packages/morecore/src/kernel");
const OUTPUT = "kernel.wasm";

/** The most wasm pages that a memory can have: so an import with this maximum takes any shared memory. */
export const MOST_PAGES = 65_536;

/**
 * Compiles a file of src/kernel; with `threads`, for heaps in shared memory. Where `x.wasm.ts` stands beside `x.ts`, asc gets the
 * twin. Throws what asc says.
 */
export async function compile(entry: string, { threads = false } = {}): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  const shared = ["--enable", "threads", "--sharedMemory", "--maximumMemory", `${MOST_PAGES}`];
  const flags = [
    ...["-O0", "--debug", "--runtime", "stub", "--use", "abort=", "--importMemory"],
    ...(threads ? shared : []),
  ];
  const { error, stderr } = await asc.main([entry, ...flags, "--outFile", OUTPUT], {
    readFile: sourceOf,
    writeFile(name, contents) {
      if (name === OUTPUT && typeof contents !== "string") bytes = contents;
    },
    listFiles: () => [],
  });
  if (error !== null) throw new Error(`${error.message}\n${stderr}`);
  if (bytes === undefined) throw new Error(`asc made no ${OUTPUT} of ${entry}`);
  return bytes;
}

function sourceOf(asked: string): string | null {
  // In `export … from "./x.ts"` asc puts its own ".ts" behind ours.
  const name = asked.replace(/\.ts\.ts$/, ".ts");
  const twin = join(KERNEL, name.replace(/\.ts$/, ".wasm.ts"));
  const file = existsSync(twin) ? twin : join(KERNEL, name);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
}

/** What the kernel's sources say of their functions. */
export function kernelMarkers(): Marked {
  const names = readdirSync(KERNEL).filter((name) => name.endsWith(".ts") && !name.endsWith(".wasm.ts"));
  return markersIn(
    new Map(names.map((name) => [basename(name, ".ts"), readFileSync(join(KERNEL, name), "utf8")])),
  );
}
