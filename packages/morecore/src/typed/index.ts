// Typed: structs in memory, pointers with types, references with lifetimes.

export { Allocator, assign, fieldsOf, isAlive, moveTo, same, Uninit } from "./allocator.ts";
export { array } from "./array.ts";
export { bits } from "./bits.ts";
export { OutOfMemoryError, PointerError, type PointerFault, UseAfterFreeError } from "./errors.ts";
export type { Holds, LivesFor, Static } from "./lifetime.ts";
export { pointer } from "./pointer.ts";
export {
  add,
  type ConstPtr,
  cast,
  distance,
  fieldPtr,
  isNull,
  type MutPtr,
  NULL,
  type Ptr,
  rawPointer,
  sub,
} from "./raw-pointer.ts";
export type { Ref } from "./ref-type.ts";
export { bool, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64 } from "./scalars.ts";
export { type StructOptions, struct } from "./struct.ts";
export { text, utf8 } from "./text.ts";
export type {
  ArrayType,
  BitsType,
  Fields,
  PointerType,
  RawPointerType,
  ScalarType,
  StructType,
  Type,
  UnionType,
  ValueType,
} from "./type.ts";
export { union } from "./union.ts";
export type {
  ArrayRef,
  FieldValues,
  HoldsRefs,
  Init,
  Plain,
  Ref as RefOf,
  RefHolding,
  UnionInit,
  UnionRef,
  Value,
  View,
  ViewOf,
} from "./values.ts";
