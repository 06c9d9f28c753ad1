// The kernel's entry points, as far as asc can compile them: the malloc family over addresses, in a heap, in a memory, and what
// design.ts is made of.

export { freeListed } from "./bulk.ts";
export { checkHeap } from "./check.ts";
export { checkCommon } from "./check-common.ts";
export * from "./family.ts";
export { formatHeap, probeHeap } from "./image.ts";
export { reserved } from "./info.ts";
export {
  setAdvanceLog2,
  setGrowthStep,
  setSmallLimit,
  setTrimThreshold,
  setZeroReallocFrees,
} from "./options.ts";
