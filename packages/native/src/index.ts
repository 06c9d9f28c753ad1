// @morecore/native: morecore as the malloc of native programs.

export { LEAST_GLIBC, libraryPath, MissingLibraryError } from "./library.ts";
export { type Environment, type NativeSettings, nativeEnvironment, ProgramError, runNative } from "./run.ts";
