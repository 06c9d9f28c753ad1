// Typed: structs in memory, pointers with types, references with lifetimes.

export { Allocator, assign, fieldsOf, isAlive, moveTo, same, Uninit } from "./allocator.ts";
export { type ArrayRef, type ArrayType, array, type View, type ViewOf } from "./array.ts";
export { type BitsType, bits } from "./bits.ts";
export { OutOfMemoryError, PointerError, type PointerFault, UseAfterFreeError } from "./errors.ts";
export type { Holds, LivesFor, Static } from "./lifetime.ts";
export {
  add,
  type ConstPtr,
  cast,
  distance,
  fieldPtr,
  isNull,
  type MutPtr,
  NULL,
  type PointerType,
  type Ptr,
  pointer,
  type RawPointerType,
  rawPointer,
  sub,
} from "./pointer.ts";
export { bool, f32, f64, i8, i16, i32, i64, type ScalarType, u8, u16, u32, u64 } from "./scalars.ts";
export { type Fields, type StructOptions, type StructType, struct } from "./struct.ts";
export { text, utf8 } from "./text.ts";
export type { FieldValues, HoldsRefs, Init, Plain, Ref, Type, Value, ValueType } from "./type.ts";
export { type UnionInit, type UnionRef, type UnionType, union } from "./union.ts";
