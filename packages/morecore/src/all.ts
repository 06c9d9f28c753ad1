// All of the library but Heap, which each entry has with a kernel of its choice.

export * from "./arena/index.ts";
export * from "./containers/index.ts";
export type { Attachable } from "./heap/begin.ts";
export {
  type FormatReason,
  HeapCorruptError,
  HeapFormatError,
  HeapMisuseError,
  type MisuseCode,
} from "./heap/errors.ts";
export type { HeapExports, HeapImports, WasmFunction } from "./heap/exports.ts";
export type { ChunkInfo, HeapStatistics, Mallinfo } from "./heap/info.ts";
export type { HeapOptions, HeapSettings, InsideOptions } from "./heap/options.ts";
export type { HeapHandle, HeapThread } from "./heap/thread.ts";
export { bufferMemory } from "./memory/buffer.ts";
export type { ViewLife } from "./memory/lasting.ts";
export type { Memory } from "./memory/memory.ts";
export type { ModuleParts } from "./memory/module-parts.ts";
export type { OwnBytes } from "./memory/own-bytes.ts";
export { wasmMemory } from "./memory/wasm.ts";
export type {
  WasmExports,
  WasmGlobalObject,
  WasmMemoryObject,
  WasmModuleObject,
} from "./memory/webassembly.ts";
export * from "./offset/index.ts";
export * from "./slotmap/index.ts";
export * from "./typed/index.ts";
