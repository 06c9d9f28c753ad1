// List header: what Vec and Columns have in theirs, behind what every container has.
//
// Owns:  the layout; making, checking and ending such a header.
// Needs: header, moves, shape.
//
//     +20 hash of the type   +24 born   +28 moves   +32 gap   Columns: +36 address of each column
//
// `born` tells a container from one that had the same place before; `moves` counts what ends references (typed/moves.ts). `gap` is not 0
// while an element that owns something changes its place: the number, counted from 1, of the one that is not there now. Whoever
// finds it so, because a process ended then, closes the gap (collection.ts).

import { isWord } from "../memory/arguments.ts";
import type { Allocator, MemorySource } from "../typed/allocator.ts";
import { OutOfMemoryError, PointerError } from "../typed/errors.ts";
import { Moves } from "../typed/moves.ts";
import { SPACE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import { AT_CAPACITY, AT_ELEMENT_BYTES, AT_LENGTH, checkHeader, HEADER_BYTES } from "./header.ts";
import { shapeHash, shapeOf } from "./shape.ts";

const AT_TYPE = HEADER_BYTES;
export const AT_BORN = 24;
export const AT_MOVES = 28;
export const AT_GAP = 32;
export const LIST_HEADER_BYTES = 36;
const ALIGNMENT = 4;

/** What tells one kind of list from another. */
export interface ListKind {
  /** As messages show it. */
  readonly title: string;
  readonly magic: number;
  /** What the magic number was when the header was laid out otherwise. */
  readonly former: number;
  /** What an element is. */
  readonly type: Type;
  readonly elementBytes: number;
  readonly headerBytes: number;
}

/** A header that is there already, for a constructor. */
export class HeaderAt {
  readonly at: number;

  constructor(at: number) {
    this.at = at;
  }
}

/** Memory for the header of an empty list; its magic number comes last. Throws an OutOfMemoryError. */
export function makeListHeader(allocator: MemorySource, kind: ListKind): number {
  const { title, headerBytes, magic, type, elementBytes } = kind;
  const at = allocator.allocate(headerBytes, ALIGNMENT);
  const space = allocator[SPACE];
  if (at === 0 || !space.reaches(at + headerBytes)) throw new OutOfMemoryError(headerBytes, title);
  const words: readonly [offset: number, word: number][] = [
    [AT_ELEMENT_BYTES, elementBytes],
    [AT_TYPE, shapeHash(shapeOf(type))],
    [AT_BORN, Moves.first(space, at + AT_BORN)],
    [AT_MOVES, Moves.first(space, at + AT_MOVES)],
    [0, magic],
  ];
  space.u8.fill(0, at, at + headerBytes);
  for (const [offset, word] of words) space.u32[(at + offset) >>> 2] = word;
  return at;
}

/** Ends a list: nobody finds it any more, here or elsewhere. Its memory is still to be freed. */
export function endListHeader(space: Space, at: number): void {
  const { u32 } = space;
  u32[at >>> 2] = 0;
  u32[(at + AT_BORN) >>> 2] = (u32[(at + AT_BORN) >>> 2] as number) + 1;
  u32[(at + AT_MOVES) >>> 2] = (u32[(at + AT_MOVES) >>> 2] as number) + 1;
}

export function freeListHeader(
  allocator: Pick<Allocator, "deallocate">,
  at: number,
  { headerBytes }: ListKind,
): void {
  allocator.deallocate(at, headerBytes, ALIGNMENT);
}

/** Throws unless a list of this kind, with elements of this type, lies at an address. Writes nothing. */
export function checkListHeader(space: Space, kind: ListKind, at: number): void {
  const { title, magic, former, type, elementBytes, headerBytes } = kind;
  const word = (offset: number): number => space.u32[(at + offset) >>> 2] as number;
  if (isWord(at) && at !== 0 && at % ALIGNMENT === 0 && space.reaches(at + 4) && word(0) === former)
    refuseList(title, at, "it was made by an earlier version of morecore, which laid it out otherwise");
  checkHeader(space, title, magic, elementBytes, at, headerBytes);
  if (word(AT_TYPE) !== shapeHash(shapeOf(type)))
    refuseList(title, at, "its elements are of another type, or have other fields");
  if (word(AT_GAP) > word(AT_LENGTH) + 1 || word(AT_GAP) > word(AT_CAPACITY))
    refuseList(title, at, `its gap ${word(AT_GAP)} cannot be`);
}

/** A block that a header leads to. */
export interface ListBlock {
  readonly at: number;
  readonly bytes: number;
  readonly align: number;
}

/** Throws unless blocks can lie where a header says: within the memory, aligned, each by itself. */
export function checkListBlocks(
  space: Space,
  kind: ListKind,
  at: number,
  blocks: readonly ListBlock[],
): void {
  let free = 0;
  const header: ListBlock = { at, bytes: kind.headerBytes, align: ALIGNMENT };
  for (const block of [header, ...blocks].sort((a, b) => a.at - b.at)) {
    const end = block.at + block.bytes;
    if (block.at === 0 || block.at % block.align !== 0 || block.at < free || !space.reaches(end))
      refuseList(kind.title, at, `its ${block.bytes} bytes at 0x${block.at.toString(16)} cannot be`);
    free = end;
  }
}

function refuseList(title: string, at: number, sentence: string): never {
  throw new PointerError("not-live", title, at, sentence);
}
