// Files: what the commands say of files, and how they say it.
//
// Owns:  the words on stderr.
// Needs: Node.

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";

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

/** "traces/lua.mct.gz" is the trace "lua". */
export function traceName(file: string): string {
  return basename(file).replace(/(\.mct)?(\.gz)?$/, "");
}

export function complain(message: string): void {
  process.stderr.write(`morecore: ${message}\n`);
}

/** Node's own text without the call's name and path, which are said already: "cannot read: no such file or directory". */
export function systemMessage(what: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${what}: ${message.replace(/^[A-Z]+: /, "").replace(/, \w+( '.*')?$/s, "")}`;
}
