// Pointers: the fields that refer to a struct, and read as a reference.
//
// Owns:  how such a field is read and written.
// Needs: space, ref, scalars.

import { describe } from "../memory/arguments.ts";
import { AT, isRef, LIFE, refAt, SPACE } from "./ref.ts";
import { u32 } from "./scalars.ts";
import type { Space } from "./space.ts";
import { isStruct, type PointerType, type ScalarType, type StructType, typePrinting } from "./type.ts";

/**
 * A pointer to a struct, four bytes, as in wasm32. It takes a function, so that a struct may refer to itself, or to one that is
 * declared after it: `pointer(() => Node)`. (Its type looks at the function's result only when a field is used.)
 *
 * @example
 *
 * ```ts
 * const Leaf = struct({ value: f64 });
 * const Tree = struct({ leaf: pointer(() => Leaf) });
 * const heap = Heap.create();
 * const tree = heap.new(Tree, { leaf: heap.new(Leaf, { value: 1 }) });
 * console.log(tree.leaf?.value, heap.new(Tree).leaf); // 1 null
 * ```
 */
export function pointer<F extends () => void>(target: F): PointerType<F> {
  if (typeof target !== "function")
    throw new TypeError(`pointer: expected a function that gives a struct type, got ${describe(target)}`);
  return { ...pointerBy(target, u32), unaligned: pointerBy(target, u32.unaligned) } as PointerType<F>;
}

function pointerBy<F extends () => void>(target: F, word: ScalarType<number>): PointerType<F> {
  return {
    ...typePrinting(),
    kind: "pointer",
    target,
    name: "pointer",
    size: 4,
    align: word.align,
    load: (space, at, life) => {
      const to = word.load(space, at);
      if (to === undefined) return undefined;
      if (to === 0) return null;
      const type = structOf(target);
      return refAt(space, type, to, space.lifeAt(to, life, type));
    },
    // A reference can end between being read and being stored, so it is looked at again then.
    read: (space, value) => {
      addressOf(space, structOf(target), value);
      return value;
    },
    store: (space, at, value) => word.store(space, at, addressOf(space, structOf(target), value)),
    copy: word.load,
  };
}

function structOf(target: () => unknown): StructType<unknown> {
  const type = target();
  if (!isStruct(type))
    throw new TypeError("pointer: expected a function that gives a struct type; rawPointer takes any type");
  return type;
}

/** What is stored for a reference. */
function addressOf(space: Space, type: StructType<unknown>, value: unknown): number {
  if (value === null) return 0;
  if (!isRef(value, type)) throw new TypeError(`expected a reference to ${type.name}, or null`);
  if (value[SPACE].memory !== space.memory)
    throw new TypeError(`expected a reference to ${type.name} in the same memory, got one in another`);
  value[LIFE].check(type.name, value[AT]);
  return value[AT];
}
