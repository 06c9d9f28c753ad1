// Writes scalar-access.ts: `node packages/morecore/src/typed/scalar-access.gen.mjs --write`. Without --write, to the terminal.
//
// Owns: the four bodies of a number field's accessors. They differ in the array, and in how an address becomes an index of it.

import { writeFileSync } from "node:fs";

const ARRAYS = { u8: 0, i8: 0, u16: 1, i16: 1, u32: 2, i32: 2, f32: 2, f64: 3 };

const HEAD = `\
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
// So it looks at the length first, and reads what is there for certain. \`again\` throws, or sees to it that it is there. What is
// a parameter here V8 takes for a constant; what a module exports it reads at each use.

import type { AccessMakers, Located } from "./access.ts";
import type { Space } from "./space.ts";
`;

/** Both accessors of an array's elements, in a space that is checking, or in one that is not. */
function maker(name, array, shift, isChecked) {
  const index = shift === 0 ? "this.$at + offset" : `(this.$at + offset) >>> ${shift}`;
  const ended = isChecked ? "this.$life.ended || " : "";
  const reach = `\
      const index = ${index};
      if (${ended}index >= space.${array}.length) again(this);`;
  return `\
  ${name}: <R extends Located>(space: Space, offset: number, again: (ref: R) => void) => ({
    get(this: R) {
${reach}
      return space.${array}[index];
    },
    set(this: R, value: number) {
      const given = +value;
${reach}
      space.${array}[index] = given;
    },
  }),`;
}

function makers([array, shift]) {
  return `
export const ${array}Access: AccessMakers = {
${maker("checked", array, shift, true)}
${maker("plain", array, shift, false)}
};
`;
}

const text = [HEAD, ...Object.entries(ARRAYS).map(makers)].join("");
if (process.argv.includes("--write")) writeFileSync(new URL("scalar-access.ts", import.meta.url), text);
else process.stdout.write(text);
