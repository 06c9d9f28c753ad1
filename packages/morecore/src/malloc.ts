// morecore/malloc: the malloc family and nothing else.

export { HeapCorruptError, HeapMisuseError, type MisuseCode } from "./heap/errors.ts";
export { Malloc, type MallocOptions } from "./heap/malloc.ts";
