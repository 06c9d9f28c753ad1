// morecore/engine: what the packages of the family build on. Not for programs: it changes with the kernel.
//
// Of the kernel it hands on the contract (kernel/engine.ts) and the two objects that keep it, no offsets: who needs one asks
// for what it is read for.

export * from "./abi/family.ts";
export { refuse } from "./heap/errors.ts";
export { importsOf } from "./heap/exports.ts";
export { C_FAMILY, type Calls } from "./heap/family-calls.ts";
export { changeSettings, checkOptions } from "./heap/options.ts";
export { asBase, type Base } from "./kernel/address.ts";
export { engine } from "./kernel/design.ts";
export {
  ADDRESS_END,
  type AddressInfo,
  BeyondRepairError,
  type Engine,
  type Fault,
  FIXED_REGION,
  GRANULE,
  MEMORY_UNIT,
  type Repaired,
  type Repairs,
  type Stretch,
} from "./kernel/engine.ts";
export { Machine, type Words } from "./kernel/machine.ts";
export { repairs } from "./kernel/repair.ts";
export { checkKeys, checkWord, describe, hex, isWord, refuseWord } from "./memory/arguments.ts";
export { bytesText, Printed, shown } from "./memory/printed.ts";
export { isError } from "./memory/slots.ts";
