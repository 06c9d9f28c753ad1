// Library: where libmorecore.so is, or why there is none here.
//
// Owns:  what a machine must have for it, and the words for one that has not.
// Needs: the package @morecore/native-linux-x64. npm leaves that out where it cannot run; in a checkout it has the
//        library once `npm run build:native` has made it.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";

/** The oldest glibc that has all that the library calls, as it is built on Debian 12: `objdump -T` tells. */
export const LEAST_GLIBC = "2.34";

const LIBRARY = "@morecore/native-linux-x64/libmorecore.so";

/** What decides whether the library can be loaded. */
export interface Host {
  readonly platform: string;
  readonly arch: string;
  /** "2.36"; undefined: another C library. */
  readonly glibc: string | undefined;
}

/**
 * There is no libmorecore.so here. The message says why, and what would bring it, in one line.
 *
 * @example
 *
 * ```ts no-run
 * try {
 *   libraryPath();
 * } catch (error) {
 *   if (error instanceof MissingLibraryError) console.log(error.message);
 * }
 * ```
 */
export class MissingLibraryError extends Error {
  override readonly name = "MissingLibraryError";
}

/**
 * The library's path. Throws a MissingLibraryError.
 *
 * @example
 *
 * ```ts no-run
 * console.log(libraryPath()); // for LD_PRELOAD
 * ```
 */
export function libraryPath(): string {
  const unfit = whyUnfit(thisHost());
  if (unfit !== undefined) throw new MissingLibraryError(unfit);
  const path = installed();
  if (path !== undefined) return path;
  throw new MissingLibraryError(
    "libmorecore.so is not here: npm install @morecore/native-linux-x64; in a checkout of morecore: npm run build:native",
  );
}

/** Why the library could not be loaded on a machine; undefined: it could. */
export function whyUnfit({ platform, arch, glibc }: Host): string | undefined {
  if (platform !== "linux" || arch !== "x64")
    return `libmorecore.so is for Linux on x64 only: this is ${platform} on ${arch}`;
  if (glibc === undefined) return "libmorecore.so needs glibc: this Linux has another C library";
  if (isOlder(glibc, LEAST_GLIBC))
    return `libmorecore.so needs glibc ${LEAST_GLIBC} or later: this is ${glibc}`;
  return undefined;
}

function thisHost(): Host {
  return { platform: process.platform, arch: process.arch, glibc: glibcVersion() };
}

/** By Node's report on itself. Its types do not tell what is in it. */
function glibcVersion(): string | undefined {
  const report: unknown = process.report.getReport();
  const header = fieldOf(report, "header");
  const version = fieldOf(header, "glibcVersionRuntime");
  return typeof version === "string" ? version : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** Of two versions, major.minor. */
function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) < 0;
}

function installed(): string | undefined {
  try {
    // Without the file, which a checkout may have yet to build, the name resolves all the same.
    const path = createRequire(import.meta.url).resolve(LIBRARY);
    return existsSync(path) ? path : undefined;
  } catch (error) {
    // Not instanceof: where Jest runs this, Node's errors are another realm's.
    if (fieldOf(error, "code") === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
