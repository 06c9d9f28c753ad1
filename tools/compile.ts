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

/** What is compiled: the kernel of a heap for one thread, of one in shared memory, or of the native library. */
export type Target = "one" | "threads" | "native";

/** Where `x.wasm.ts` stands beside `x.ts`, asc gets the twin; for the native library, where there is one, `x.native.ts`. */
const TWINS: Readonly<Record<Target, readonly string[]>> = {
  one: [".wasm.ts"],
  threads: [".wasm.ts"],
  native: [".native.ts", ".wasm.ts"],
};

/** Compiles a file of src/kernel. Throws what asc says. */
export async function compile(entry: string, target: Target = "one"): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  const shared = ["--enable", "threads", "--sharedMemory", "--maximumMemory", `${MOST_PAGES}`];
  const flags = [
    ...["-O0", "--debug", "--runtime", "stub", "--use", "abort=", "--importMemory"],
    ...(target === "threads" ? shared : []),
  ];
  const { error, stderr } = await asc.main([entry, ...flags, "--outFile", OUTPUT], {
    readFile: (name) => sourceOf(name, TWINS[target]),
    writeFile(name, contents) {
      if (name === OUTPUT && typeof contents !== "string") bytes = contents;
    },
    listFiles: () => [],
  });
  if (error !== null) throw new Error(`${error.message}\n${stderr}`);
  if (bytes === undefined) throw new Error(`asc made no ${OUTPUT} of ${entry}`);
  return bytes;
}

function sourceOf(asked: string, twins: readonly string[]): string | null {
  // In `export … from "./x.ts"` asc puts its own ".ts" behind ours.
  const name = asked.replace(/\.ts\.ts$/, ".ts");
  const names = [...twins.map((twin) => name.replace(/(\.wasm)?\.ts$/, twin)), name];
  const file = names.map((each) => join(KERNEL, each)).find((each) => existsSync(each));
  return file === undefined ? null : readFileSync(file, "utf8");
}

/** What the kernel's sources say of their functions. */
export function kernelMarkers(): Marked {
  const names = readdirSync(KERNEL).filter(
    (name) => name.endsWith(".ts") && !/\.(wasm|native)\.ts$/.test(name),
  );
  return markersIn(
    new Map(names.map((name) => [basename(name, ".ts"), readFileSync(join(KERNEL, name), "utf8")])),
  );
}
