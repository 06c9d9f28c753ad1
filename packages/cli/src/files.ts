// Files: what the commands say of files, and how they say it.
//
// Owns:  the words on stderr; what of a command's errors is the user's to know, and not a bug.
// Needs: Node; the errors of wasm.

import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { systemMessage } from "@morecore/inspect";
import { BinaryenError, MissingToolError, WasmFormatError } from "@morecore/wasm";

/** A file that a command was given cannot be read, or one that it is to make not written. The message names it. */
export class FileError extends Error {
  override readonly name = "FileError";
}

/** Throws a FileError, also for what has no end that could be read up to, as a device. */
export function readInput(path: string): Uint8Array<ArrayBuffer> {
  try {
    const kind = statSync(path);
    if (kind.isCharacterDevice() || kind.isBlockDevice())
      throw new FileError(`cannot read ${path}: it is a device, not a file`);
    return Uint8Array.from(readFileSync(path));
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(systemMessage(`cannot read ${path}`, error), { cause: error });
  }
}

/** Throws a FileError. */
export function writeOutput(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw new FileError(systemMessage(`cannot write ${path}`, error), { cause: error });
  }
}

/** Throws a FileError if a file cannot be written, before there is anything to write. */
export function checkWritable(path: string): void {
  const why = whyUnwritable(path);
  if (why !== undefined) throw new FileError(why);
}

/** Why a file cannot be written, before there is anything to write; undefined: it can. */
export function whyUnwritable(path: string): string | undefined {
  try {
    if (existsSync(path)) {
      if (statSync(path).isDirectory()) return `cannot write ${path}: it is a directory`;
      accessSync(path, constants.W_OK);
    } else accessSync(dirname(path), constants.W_OK);
    return undefined;
  } catch (error) {
    return systemMessage(`cannot write ${path}`, error);
  }
}

/** Why a command on a module could not be done, in one line; undefined: an error that is nobody's but ours. */
export function whyNotDone(file: string, error: unknown): string | undefined {
  if (error instanceof WasmFormatError || error instanceof BinaryenError) return `${file}: ${error.message}`;
  return error instanceof FileError || error instanceof MissingToolError ? error.message : undefined;
}

export function complain(message: string): void {
  process.stderr.write(`morecore: ${message}\n`);
}

/** The option of the commands that play traces. */
export const UNLIMITED = [
  "--unlimited",
  "play also a trace that asks for more than 1 GiB at once, or 64 KiB a call and 64 GiB in all",
] as const;
