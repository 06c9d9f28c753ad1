// Scalar access: the accessors of number fields in references, one pair of bodies for each kind of array.
//
// Owns:  what a property access of a number does.
// Needs: ref, space.
// Invariants: R1, R2 of ref.ts
//
// They are written out, ugly as that is, because each must see one kind of array only, must be small enough for V8 to inline
// many of them into one loop, and must give a number on every path: a value that might be undefined would be boxed, which is an
// allocation for each double that is read. So they look at the length first, and read what is there for certain.

import { type Access, type AnyRef, AT, LIFE, reach, useAfterFree } from "./ref.ts";
import type { Space } from "./space.ts";

export type AccessMaker = (space: Space, offset: number) => Access;

/** For a space that is checking, and for one that is not. */
export interface AccessMakers {
  readonly checked: AccessMaker;
  readonly plain: AccessMaker;
}

// `at` and `lives`: what a module exports, V8 reads anew at each use; what a closure has got once, it takes for a constant.

export const u8Access: AccessMakers = {
  checked: (space, offset) => {
    const at: typeof AT = AT;
    const lives: typeof LIFE = LIFE;
    return {
      get(this: AnyRef) {
        if (this[lives].ended) useAfterFree(this);
        const index = this[at] + offset;
        if (index >= space.u8.length) reach(this, index + 1);
        return space.u8[index];
      },
      set(this: AnyRef, value: number) {
        if (this[lives].ended) useAfterFree(this);
        const index = this[at] + offset;
        if (index >= space.u8.length) reach(this, index + 1);
        space.u8[index] = value;
      },
    };
  },
  plain: (space, offset) => {
    const at: typeof AT = AT;
    return {
      get(this: AnyRef) {
        const index = this[at] + offset;
        if (index >= space.u8.length) reach(this, index + 1);
        return space.u8[index];
      },
      set(this: AnyRef, value: number) {
        const index = this[at] + offset;
        if (index >= space.u8.length) reach(this, index + 1);
        space.u8[index] = value;
      },
    };
  },
};

export const i8Access: AccessMakers = {
  checked: (space, offset) => {
    const at: typeof AT = AT;
    const lives: typeof LIFE = LIFE;
    return {
      get(this: AnyRef) {
        if (this[lives].ended) useAfterFree(this);
        const index = this[at] + offset;
        if (index >= space.i8.length) reach(this, index + 1);
        return space.i8[index];
      },
      set(this: AnyRef, value: number) {
        if (this[lives].ended) useAfterFree(this);
        const index = this[at] + offset;
        if (index >= space.i8.length) reach(this, index + 1);
        space.i8[index] = value;
      },
    };
  },
  plain: (space, offset) => {
    const at: typeof AT = AT;
    return {
      get(this: AnyRef) {
        const index = this[at] + offset;
        if (index >= space.i8.length) reach(this, index + 1);
        return space.i8[index];
      },
      set(this: AnyRef, value: number) {
        const index = this[at] + offset;
        if (index >= space.i8.length) reach(this, index + 1);
        space.i8[index] = value;
      },
    };
  },
};

export const u16Access: AccessMakers = {
  checked: (space, offset) => {
    const at: typeof AT = AT;
    const lives: typeof LIFE = LIFE;
    return {
      get(this: AnyRef) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 1;
        if (index >= space.u16.length) reach(this, index * 2 + 2);
        return space.u16[index];
      },
      set(this: AnyRef, value: number) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 1;
        if (index >= space.u16.length) reach(this, index * 2 + 2);
        space.u16[index] = value;
      },
    };
  },
  plain: (space, offset) => {
    const at: typeof AT = AT;
    return {
      get(this: AnyRef) {
        const index = (this[at] + offset) >>> 1;
        if (index >= space.u16.length) reach(this, index * 2 + 2);
        return space.u16[index];
      },
      set(this: AnyRef, value: number) {
        const index = (this[at] + offset) >>> 1;
        if (index >= space.u16.length) reach(this, index * 2 + 2);
        space.u16[index] = value;
      },
    };
  },
};

export const i16Access: AccessMakers = {
  checked: (space, offset) => {
    const at: typeof AT = AT;
    const lives: typeof LIFE = LIFE;
    return {
      get(this: AnyRef) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 1;
        if (index >= space.i16.length) reach(this, index * 2 + 2);
        return space.i16[index];
      },
      set(this: AnyRef, value: number) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 1;
        if (index >= space.i16.length) reach(this, index * 2 + 2);
        space.i16[index] = value;
      },
    };
  },
  plain: (space, offset) => {
    const at: typeof AT = AT;
    return {
      get(this: AnyRef) {
        const index = (this[at] + offset) >>> 1;
        if (index >= space.i16.length) reach(this, index * 2 + 2);
        return space.i16[index];
      },
      set(this: AnyRef, value: number) {
        const index = (this[at] + offset) >>> 1;
        if (index >= space.i16.length) reach(this, index * 2 + 2);
        space.i16[index] = value;
      },
    };
  },
};

export const u32Access: AccessMakers = {
  checked: (space, offset) => {
    const at: typeof AT = AT;
    const lives: typeof LIFE = LIFE;
    return {
      get(this: AnyRef) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 2;
        if (index >= space.u32.length) reach(this, index * 4 + 4);
        return space.u32[index];
      },
      set(this: AnyRef, value: number) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 2;
        if (index >= space.u32.length) reach(this, index * 4 + 4);
        space.u32[index] = value;
      },
    };
  },
  plain: (space, offset) => {
    const at: typeof AT = AT;
    return {
      get(this: AnyRef) {
        const index = (this[at] + offset) >>> 2;
        if (index >= space.u32.length) reach(this, index * 4 + 4);
        return space.u32[index];
      },
      set(this: AnyRef, value: number) {
        const index = (this[at] + offset) >>> 2;
        if (index >= space.u32.length) reach(this, index * 4 + 4);
        space.u32[index] = value;
      },
    };
  },
};

export const i32Access: AccessMakers = {
  checked: (space, offset) => {
    const at: typeof AT = AT;
    const lives: typeof LIFE = LIFE;
    return {
      get(this: AnyRef) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 2;
        if (index >= space.i32.length) reach(this, index * 4 + 4);
        return space.i32[index];
      },
      set(this: AnyRef, value: number) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 2;
        if (index >= space.i32.length) reach(this, index * 4 + 4);
        space.i32[index] = value;
      },
    };
  },
  plain: (space, offset) => {
    const at: typeof AT = AT;
    return {
      get(this: AnyRef) {
        const index = (this[at] + offset) >>> 2;
        if (index >= space.i32.length) reach(this, index * 4 + 4);
        return space.i32[index];
      },
      set(this: AnyRef, value: number) {
        const index = (this[at] + offset) >>> 2;
        if (index >= space.i32.length) reach(this, index * 4 + 4);
        space.i32[index] = value;
      },
    };
  },
};

export const f32Access: AccessMakers = {
  checked: (space, offset) => {
    const at: typeof AT = AT;
    const lives: typeof LIFE = LIFE;
    return {
      get(this: AnyRef) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 2;
        if (index >= space.f32.length) reach(this, index * 4 + 4);
        return space.f32[index];
      },
      set(this: AnyRef, value: number) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 2;
        if (index >= space.f32.length) reach(this, index * 4 + 4);
        space.f32[index] = value;
      },
    };
  },
  plain: (space, offset) => {
    const at: typeof AT = AT;
    return {
      get(this: AnyRef) {
        const index = (this[at] + offset) >>> 2;
        if (index >= space.f32.length) reach(this, index * 4 + 4);
        return space.f32[index];
      },
      set(this: AnyRef, value: number) {
        const index = (this[at] + offset) >>> 2;
        if (index >= space.f32.length) reach(this, index * 4 + 4);
        space.f32[index] = value;
      },
    };
  },
};

export const f64Access: AccessMakers = {
  checked: (space, offset) => {
    const at: typeof AT = AT;
    const lives: typeof LIFE = LIFE;
    return {
      get(this: AnyRef) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 3;
        if (index >= space.f64.length) reach(this, index * 8 + 8);
        return space.f64[index];
      },
      set(this: AnyRef, value: number) {
        if (this[lives].ended) useAfterFree(this);
        const index = (this[at] + offset) >>> 3;
        if (index >= space.f64.length) reach(this, index * 8 + 8);
        space.f64[index] = value;
      },
    };
  },
  plain: (space, offset) => {
    const at: typeof AT = AT;
    return {
      get(this: AnyRef) {
        const index = (this[at] + offset) >>> 3;
        if (index >= space.f64.length) reach(this, index * 8 + 8);
        return space.f64[index];
      },
      set(this: AnyRef, value: number) {
        const index = (this[at] + offset) >>> 3;
        if (index >= space.f64.length) reach(this, index * 8 + 8);
        space.f64[index] = value;
      },
    };
  },
};
