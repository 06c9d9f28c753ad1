// Scalar access: the accessors of number fields in references, one pair of bodies for each kind of array.
//
// Owns:  what a property access of a number does.
// Needs: access, space.
// Invariants: R1, R2 of ref.ts
//
// Written by scalar-access.gen.mjs: change that, not this.
//
// Each body must see one kind of array only, must be small enough for V8 to inline many of them into one loop, and must give a
// number on every path: a value that might be undefined would be boxed, which is an allocation for each double that is read.
// So it looks at the length first, and reads what is there for certain. `again` throws, or sees to it that it is there. What is
// a parameter here V8 takes for a constant; what a module exports it reads at each use.

import type { AccessMakers, Located } from "./access.ts";
import type { Space } from "./space.ts";

export const u8Access: AccessMakers = {
  checked: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = this.$at + offset;
      if (this.$life.ended || index >= space.u8.length) again(this);
      return space.u8[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = this.$at + offset;
      if (this.$life.ended || index >= space.u8.length) again(this);
      space.u8[index] = given;
    },
  }),
  plain: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = this.$at + offset;
      if (index >= space.u8.length) again(this);
      return space.u8[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = this.$at + offset;
      if (index >= space.u8.length) again(this);
      space.u8[index] = given;
    },
  }),
};

export const i8Access: AccessMakers = {
  checked: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = this.$at + offset;
      if (this.$life.ended || index >= space.i8.length) again(this);
      return space.i8[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = this.$at + offset;
      if (this.$life.ended || index >= space.i8.length) again(this);
      space.i8[index] = given;
    },
  }),
  plain: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = this.$at + offset;
      if (index >= space.i8.length) again(this);
      return space.i8[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = this.$at + offset;
      if (index >= space.i8.length) again(this);
      space.i8[index] = given;
    },
  }),
};

export const u16Access: AccessMakers = {
  checked: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 1;
      if (this.$life.ended || index >= space.u16.length) again(this);
      return space.u16[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 1;
      if (this.$life.ended || index >= space.u16.length) again(this);
      space.u16[index] = given;
    },
  }),
  plain: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 1;
      if (index >= space.u16.length) again(this);
      return space.u16[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 1;
      if (index >= space.u16.length) again(this);
      space.u16[index] = given;
    },
  }),
};

export const i16Access: AccessMakers = {
  checked: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 1;
      if (this.$life.ended || index >= space.i16.length) again(this);
      return space.i16[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 1;
      if (this.$life.ended || index >= space.i16.length) again(this);
      space.i16[index] = given;
    },
  }),
  plain: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 1;
      if (index >= space.i16.length) again(this);
      return space.i16[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 1;
      if (index >= space.i16.length) again(this);
      space.i16[index] = given;
    },
  }),
};

export const u32Access: AccessMakers = {
  checked: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 2;
      if (this.$life.ended || index >= space.u32.length) again(this);
      return space.u32[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 2;
      if (this.$life.ended || index >= space.u32.length) again(this);
      space.u32[index] = given;
    },
  }),
  plain: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 2;
      if (index >= space.u32.length) again(this);
      return space.u32[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 2;
      if (index >= space.u32.length) again(this);
      space.u32[index] = given;
    },
  }),
};

export const i32Access: AccessMakers = {
  checked: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 2;
      if (this.$life.ended || index >= space.i32.length) again(this);
      return space.i32[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 2;
      if (this.$life.ended || index >= space.i32.length) again(this);
      space.i32[index] = given;
    },
  }),
  plain: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 2;
      if (index >= space.i32.length) again(this);
      return space.i32[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 2;
      if (index >= space.i32.length) again(this);
      space.i32[index] = given;
    },
  }),
};

export const f32Access: AccessMakers = {
  checked: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 2;
      if (this.$life.ended || index >= space.f32.length) again(this);
      return space.f32[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 2;
      if (this.$life.ended || index >= space.f32.length) again(this);
      space.f32[index] = given;
    },
  }),
  plain: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 2;
      if (index >= space.f32.length) again(this);
      return space.f32[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 2;
      if (index >= space.f32.length) again(this);
      space.f32[index] = given;
    },
  }),
};

export const f64Access: AccessMakers = {
  checked: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 3;
      if (this.$life.ended || index >= space.f64.length) again(this);
      return space.f64[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 3;
      if (this.$life.ended || index >= space.f64.length) again(this);
      space.f64[index] = given;
    },
  }),
  plain: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
      const index = (this.$at + offset) >>> 3;
      if (index >= space.f64.length) again(this);
      return space.f64[index];
    },
    set(this: R, value: number) {
      const given = +value;
      const index = (this.$at + offset) >>> 3;
      if (index >= space.f64.length) again(this);
      space.f64[index] = given;
    },
  }),
};
