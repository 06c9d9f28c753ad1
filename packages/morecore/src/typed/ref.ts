// Ref: an object whose properties are the fields of a struct in memory.
//
// Owns:  the classes of references: one for each struct in each space.
// Needs: access, space, life, type.
// Invariants: R1  no access reads or writes beyond the memory, whatever has grown or shrunk meanwhile
//             R2  while checking, no access succeeds after the life has ended
//
// Neither Proxy nor generated code: accessors are defined once per class on its prototype. All accessors
// share two function bodies, which capture `load`, `store`, `space` and `offset`. V8 takes these for
// constants once it knows the class. A property then costs about what a typed array's element does. A
// reference itself holds two fields only: `$at` and `$life`.

import { cut, INSPECT, printed, shown } from "../memory/printed.ts";
import type { Access, Located } from "./access.ts";
import { PointerError } from "./errors.ts";
import { DELETED, type Life } from "./life.ts";
import type { Space } from "./space.ts";
import type { Field, StructType } from "./type.ts";

/**
 * Names of properties, not symbols. V8 forgets which symbol a shared body reads once it has seen it in some
 * classes, and then looks it up at each access. A name is part of the code. With seven structs in use, access
 * was 20 times as slow by symbols.
 */
export const AT = "$at";
export const LIFE = "$life";
/** The own property of a row of Columns that says which one it is. */
export const INDEX = "$index";
export const TYPE: unique symbol = Symbol("type");
export const SPACE: unique symbol = Symbol("space");
const INNER: unique symbol = Symbol("inner");

export abstract class AnyRef implements Located {
  [AT]: number;
  [LIFE]: Life;
  declare readonly [TYPE]: StructType<unknown>;
  declare readonly [SPACE]: Space;
  /** Whether it is a part of something larger: a field, an element. Such a thing is not deleted by itself. */
  declare readonly [INNER]: boolean;

  constructor(at: number, life: Life) {
    this[AT] = at;
    this[LIFE] = life;
  }

  get ptr(): number {
    if (this[SPACE].checking && this[LIFE].ended) useAfterFree(this);
    return this[AT];
  }

  toJSON(): unknown {
    return copyOf(this);
  }

  [INSPECT](): string {
    const title = `Ref<${cut(this[TYPE].name)}>`;
    const place = `@ 0x${this[AT].toString(16)}`;
    if (this[LIFE].ended) return `${title} ${place} (ended)`;
    // A cursor that was not moved yet.
    if (this[AT] === 0) return `${title} ${place}`;
    return printed(() => `${title} ${shown(copyOf(this))} ${place}`);
  }

  get $$typeof(): symbol {
    return Symbol.for("jest.asymmetricMatcher");
  }

  toAsymmetricMatcher(): string {
    return this[INSPECT]();
  }
}

type RefClass = new (at: number, life: Life) => AnyRef;

/** A reference to the struct at an address. Nothing is checked. */
export function refAt(space: Space, type: StructType<unknown>, at: number, life: Life): AnyRef {
  const made = space.classes[type.id] as RefClass | undefined;
  return new (made ?? defineClass(space, type, false))(at, life);
}

/** The same for what is a part of something larger. A class of its own says so, at no cost for each reference. */
export function innerRefAt(space: Space, type: StructType<unknown>, at: number, life: Life): AnyRef {
  const made = space.innerClasses[type.id] as RefClass | undefined;
  return new (made ?? defineClass(space, type, true))(at, life);
}

/** Whether a reference refers to a part of something larger. */
export function isInner(ref: AnyRef): boolean {
  return ref[INNER];
}

/** Whether a value is a reference; to this type, if one is given. */
export function isRef(value: unknown, type?: StructType<unknown>): value is AnyRef {
  return value instanceof AnyRef && (type === undefined || value[TYPE].fields === type.fields);
}

/** Lets a reference refer to nothing: each later use throws. */
export function endRef(ref: AnyRef): void {
  ref[LIFE] = DELETED;
}

/** Throws what a use of a reference after its end throws. */
export function useAfterFree(ref: AnyRef): never {
  ref[LIFE].check(ref[TYPE].name, ref[AT]);
  throw new Error("useAfterFree: the life has not ended");
}

/** A plain copy of what a reference refers to. */
export function copyOf(ref: AnyRef): unknown {
  if (ref[LIFE].ended) useAfterFree(ref);
  if (!ref[SPACE].reaches(ref[AT] + ref[TYPE].size)) beyond(ref);
  return ref[TYPE].copy(ref[SPACE], ref[AT]);
}

function defineClass(space: Space, type: StructType<unknown>, inner: boolean): RefClass {
  const made = class extends AnyRef {};
  Object.defineProperty(made, "name", { value: `Ref<${type.name}>` });
  Object.defineProperty(made.prototype, TYPE, { value: type });
  Object.defineProperty(made.prototype, SPACE, { value: space });
  Object.defineProperty(made.prototype, INNER, { value: inner });
  for (const field of type.list) {
    Object.defineProperty(made.prototype, field.name, {
      enumerable: true,
      ...accessOf(space, field),
    });
  }
  (inner ? space.innerClasses : space.classes)[type.id] = made;
  return made;
}

function accessOf(space: Space, { type, offset }: Field): Access<AnyRef> {
  const { access, load, read, store } = type;
  if (access !== undefined) {
    const make = space.checking ? access.checked : access.plain;
    return make(space, offset, (ref: AnyRef) => reach(ref, offset + type.size));
  }
  const loadOnce = (ref: AnyRef): unknown => loadAgain(ref, type, offset);
  const storeOnce = (ref: AnyRef, given: never): void => storeAgain(ref, type, offset, given);
  const make = space.checking ? checkedAccess : plainAccess;
  return make(space, offset, load, read, store, loadOnce, storeOnce);
}

// All that is used is a parameter: that V8 takes for a constant, while what a module exports it reads anew at each use. And all
// that is not the usual way is one call, since only what is small is inlined.

type AccessFrom = (
  space: Space,
  offset: number,
  load: Field["type"]["load"],
  read: Field["type"]["read"],
  store: Field["type"]["store"],
  loadAgain: (ref: AnyRef) => unknown,
  storeAgain: (ref: AnyRef, given: never) => void,
) => Access<AnyRef>;

// `read` comes first: it may run the caller's code, and end what the reference refers to.
const checkedAccess: AccessFrom = (space, offset, load, read, store, loadAgain, storeAgain) => ({
  get(this: AnyRef) {
    if (this.$life.ended) return loadAgain(this);
    const value = load(space, this.$at + offset, this.$life);
    return value === undefined ? loadAgain(this) : value;
  },
  set(this: AnyRef, value) {
    const given = read(space, value) as never;
    if (this.$life.ended || !store(space, this.$at + offset, given, this.$life)) storeAgain(this, given);
  },
});

const plainAccess: AccessFrom = (space, offset, load, read, store, loadAgain, storeAgain) => ({
  get(this: AnyRef) {
    const value = load(space, this.$at + offset, this.$life);
    return value === undefined ? loadAgain(this) : value;
  },
  set(this: AnyRef, value) {
    const given = read(space, value) as never;
    if (!store(space, this.$at + offset, given, this.$life)) storeAgain(this, given);
  },
});

/** Sees to it that so many bytes from the address on are within the arrays, or throws: the life has ended, or the memory has grown,
 * or the reference leads beyond it. */
function reach(ref: AnyRef, bytes: number): void {
  if (ref[SPACE].checking && ref[LIFE].ended) useAfterFree(ref);
  if (!ref[SPACE].reaches(ref[AT] + bytes)) beyond(ref);
}

/** The life has ended, or the memory has grown, or the reference leads beyond it. */
function loadAgain(ref: AnyRef, type: Field["type"], offset: number): unknown {
  if (ref[SPACE].checking && ref[LIFE].ended) useAfterFree(ref);
  ref[SPACE].refresh();
  const value = type.load(ref[SPACE], ref[AT] + offset, ref[LIFE]);
  return value === undefined ? beyond(ref) : value;
}

function storeAgain(ref: AnyRef, type: Field["type"], offset: number, given: never): void {
  if (ref[SPACE].checking && ref[LIFE].ended) useAfterFree(ref);
  ref[SPACE].refresh();
  if (!type.store(ref[SPACE], ref[AT] + offset, given, ref[LIFE])) beyond(ref);
}

function beyond(ref: AnyRef): never {
  const { name } = ref[TYPE];
  const end = ref[SPACE].u8.length;
  throw new PointerError(
    "outside",
    name,
    ref[AT],
    `0x${ref[AT].toString(16)} leads beyond the memory's ${end} bytes`,
  );
}
