// Shape: what a type is in memory, in words: whether what lies there can be read as that type.
//
// Owns:  the sentence that describes a type; its hash, which headers keep.
// Needs: hash-words.

import type { Type } from "../typed/type.ts";
import { Words } from "./hash-words.ts";

/** What a type is, without names that mean nothing in memory. Pointers are not followed. */
export function shapeOf(type: Type): string {
  if ("list" in type) {
    const { list } = type as Type & { list: { name: string; offset: number; type: Type }[] };
    return `{${list.map((field) => `${field.name}@${field.offset}:${shapeOf(field.type)}`).join(",")}}`;
  }
  if ("element" in type) {
    const { element, count } = type as Type & { element: Type; count: number };
    return `${shapeOf(element)}[${count}]`;
  }
  if ("variants" in type) {
    const { variants } = type as Type & { variants: Record<string, Type> };
    return `(${Object.entries(variants)
      .map(([tag, variant]) => `${tag}:${shapeOf(variant)}`)
      .join("|")})`;
  }
  return type.name;
}

/** 32 bits of a shape: other ones where the shape differs, in all likelihood; the same in every run. */
export function shapeHash(shape: string): number {
  const words = new Words();
  words.text(shape);
  return words.hash(0) >>> 0;
}
