// @morecore/wasm: WebAssembly programs on this heap: read, linked, run, swapped.

export { readFeatures, readMemories, readSections, WasmFormatError } from "./format/binary.ts";
export { featureBits, featuresWith } from "./format/features.ts";
export { BinaryenError, MissingToolError, readKernel } from "./format/parts.ts";
export { type LinkOptions, linkProgram } from "./link/link.ts";
export type { Death } from "./run/death.ts";
export type { CallReport, ChunkSum, HeapReport } from "./run/heap-report.ts";
export type { Program, ProgramMode } from "./run/program.ts";
export { loadProgram, type RunResult, runProgram, type Swap } from "./run/run.ts";
export { frameText } from "./run/stack.ts";
