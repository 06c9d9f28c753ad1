// Binaryen: the package binaryen, an optional peer of this one, and its command wasm-merge.
//
// Owns:  finding them, and saying what is missing; running the command in a folder of its own; what binaryen throws.
// Needs: Node; parts; WasmFormatError.
//
// binaryen is C++ compiled to wasm: what it throws may be no Error, and a trap leaves its memory as it was just then. So
// all work with it goes through `guarded`, and after a trap the next work gets another instance.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { WasmFormatError } from "./binary.ts";
import { BinaryenError, MissingToolError } from "./parts.ts";

export type Binaryen = typeof import("binaryen").default;

const require = createRequire(import.meta.url);

/** How many instances of binaryen have been lost by a trap. */
let lostInstances = 0;

/** The package. Throws a MissingToolError, also for one that cannot do what is needed here. */
export async function loadBinaryen(): Promise<Binaryen> {
  const binaryen = await importBinaryen();
  checkBinaryen(binaryen, installedVersion());
  return binaryen;
}

async function importBinaryen(): Promise<Binaryen> {
  try {
    if (lostInstances === 0) return (await import("binaryen")).default;
    // The same file by another address is another module, with an instance of its own.
    const address = `${pathToFileURL(require.resolve("binaryen"))}?${lostInstances}`;
    return ((await import(address)) as typeof import("binaryen")).default;
  } catch (error) {
    throw new MissingToolError("the package binaryen is needed for this: npm install binaryen", {
      cause: error,
    });
  }
}

type Module = InstanceType<Binaryen["Module"]>;

/** What reads a module in a binaryen. The declaration that is at hand may be of another version. */
export interface Reading {
  /** Before 132 it takes the bytes only. */
  readonly readBinary: (bytes: Uint8Array, features: number) => Module;
  /** Of 129 to 131. */
  readonly readBinaryWithFeatures?: (bytes: Uint8Array, features: number) => Module;
}

/** Throws a MissingToolError for a binaryen that cannot be told which features a module may use: those before 129. */
export function checkBinaryen({ readBinary, readBinaryWithFeatures }: Reading, version: string): void {
  if (readBinaryWithFeatures !== undefined || readBinary.length > 1) return;
  throw new MissingToolError(
    `the package binaryen is needed in version 129 or later, ${version} is here: npm install binaryen@latest`,
  );
}

/** A module, which may use these features. */
export function readModuleWith(binaryen: Reading, bytes: Uint8Array, features: number): Module {
  const read = binaryen.readBinaryWithFeatures ?? binaryen.readBinary;
  return read(bytes, features);
}

function installedVersion(): string {
  const contents: unknown = JSON.parse(
    readFileSync(join(dirname(require.resolve("binaryen")), "package.json"), "utf8"),
  );
  const isPackage = typeof contents === "object" && contents !== null && "version" in contents;
  return isPackage ? String(contents.version) : "another";
}

/** Work with binaryen. Whatever that throws becomes a BinaryenError; what is wrong with a file stays as it is. */
export function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (
      error instanceof BinaryenError ||
      error instanceof MissingToolError ||
      error instanceof WasmFormatError
    )
      throw error;
    // A trap, or a stack that was too deep: what binaryen was about to do is half done.
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) lostInstances++;
    throw new BinaryenError(`binaryen cannot do it: ${thrownText(error)}`, { cause: error });
  }
}

const MOST_THROWN_TEXT = 500;

/** What somebody who throws anything wanted to say. An exception of C++'s is an object with a message, or a number. */
function thrownText(thrown: unknown): string {
  const hasMessage = typeof thrown === "object" && thrown !== null && "message" in thrown;
  const text = String(hasMessage ? thrown.message : thrown).trim();
  return text === "" ? "it does not say why" : text.slice(0, MOST_THROWN_TEXT);
}

/** A module and the name by which the others import from it. */
export interface Named {
  readonly bytes: Uint8Array;
  readonly name: string;
}

export interface MergeOptions {
  /** wasm-merge's. */
  readonly flags: readonly string[];
  /** Whether functions keep their names. */
  readonly names: boolean;
}

/** One module of several, each import from another resolved. */
export function mergeModules(modules: readonly Named[], { flags, names }: MergeOptions): Uint8Array {
  const command = join(dirname(require.resolve("binaryen")), "bin", "wasm-merge");
  const folder = mkdtempSync(join(tmpdir(), "morecore-merge-"));
  try {
    const inputs = modules.flatMap(({ bytes, name }, index) => {
      const file = join(folder, `${index}.wasm`);
      writeFileSync(file, bytes);
      return [file, name];
    });
    const output = join(folder, "merged.wasm");
    const args = [command, ...flags, ...(names ? ["--debuginfo"] : []), ...inputs, "--output", output];
    const { status, stderr, error } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      maxBuffer: Number.POSITIVE_INFINITY,
    });
    if (error !== undefined || status !== 0)
      throw new BinaryenError(`wasm-merge: ${error?.message ?? lastWords(stderr)}`);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of a message that may go on to print a whole module: the lines that say what is wrong. */
function lastWords(stderr: string): string {
  const told = stderr.split("\n").filter((line) => /^(Fatal|\[wasm-validator|\[parse)/.test(line.trim()));
  return (
    (told.length > 0 ? told.slice(0, 3).join(" ") : stderr.slice(0, 500)).trim() || "failed without a word"
  );
}
