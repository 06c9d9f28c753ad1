// Origins: where a value on the stack may come from, as far as one function shows it.
//
// Owns:  the abstract values of flow.ts, and the arithmetic on them.
// Needs: nothing.
//
//     constant   the number itself. In a position-independent module a number above RELATIVE: __memory_base plus the rest
//     indexed    a constant plus something unknown: an element of a static array
//     param      the function's argument of that index, plus delta
//     result     what a call of that function gave, plus delta
//     head       the word before a block, as it was read (the index of a peek)
//     any        something else, plus delta
//
// A value is a list of possibilities. When there are more than MOST of them, arrays' beginnings stand for their elements.

export type OriginKind = "constant" | "indexed" | "param" | "result" | "head" | "any";

export interface Origin {
  readonly kind: OriginKind;
  /** Of the parameter, the function or the peek; 0 for the others. */
  readonly id: number;
  readonly delta: number;
}

export type Value = readonly Origin[];

/** Added to addresses that count from __memory_base. No address of WebAssembly is that high. */
export const RELATIVE = 2 ** 40;
const MOST = 8;
/** Addresses nearer than this are taken for one array's. */
const WALK = 256;

export const ANYTHING: Value = [{ kind: "any", id: 0, delta: 0 }];

export function constant(value: number): Value {
  return [{ kind: "constant", id: 0, delta: value }];
}

export function origin(kind: OriginKind, id: number): Value {
  return [{ kind, id, delta: 0 }];
}

/** Either of two values. */
export function either(left: Value, right: Value): Value {
  if (left === right) return left;
  const all = [...left];
  for (const one of right) if (!all.some((other) => isSame(one, other))) all.push(one);
  if (all.length === left.length) return left;
  return all.length > MOST ? widened(all) : all;
}

/** Fewer possibilities that cover all: a pointer that walks through an array becomes an element of the array. */
function widened(all: Value): Value {
  const bases: Origin[] = [];
  const addresses = all.filter(
    ({ kind, delta }) => (kind === "constant" || kind === "indexed") && delta > SMALL,
  );
  for (const { delta } of addresses.sort((a, b) => a.delta - b.delta)) {
    const last = bases[bases.length - 1];
    if (last === undefined || delta - last.delta > WALK) bases.push({ kind: "indexed", id: 0, delta });
  }
  return [...ANYTHING, ...bases];
}

export function isSame(a: Origin, b: Origin): boolean {
  return a.kind === b.kind && a.id === b.id && a.delta === b.delta;
}

export function sum(left: Value, right: Value): Value {
  return combine(left, right, addOrigins);
}

export function difference(left: Value, right: Value): Value {
  return combine(left, right, (a, b) =>
    b.kind === "constant" && b.delta < RELATIVE ? shifted(a, -b.delta) : undefined,
  );
}

function combine(left: Value, right: Value, pair: (a: Origin, b: Origin) => Origin | undefined): Value {
  if (left.length * right.length > MOST) return ANYTHING;
  let all: Value = [];
  for (const a of left) for (const b of right) all = either(all, [pair(a, b) ?? (ANYTHING[0] as Origin)]);
  return all;
}

function addOrigins(a: Origin, b: Origin): Origin | undefined {
  if (b.kind === "constant" && (b.delta < RELATIVE || a.kind !== "constant")) return shifted(a, b.delta);
  if (a.kind === "constant") return shifted(b, a.delta);
  return undefined;
}

/** An origin plus a number. What is unknown and gets an address added is an element of what lies at that address. */
function shifted(from: Origin, by: number): Origin {
  const { kind, id, delta } = from;
  if (kind === "constant" || kind === "indexed") return { kind, id, delta: wrapped(delta + by) };
  const distance = by < RELATIVE ? by | 0 : by;
  if (distance > SMALL || distance < -SMALL) return { kind: "indexed", id: 0, delta: wrapped(by) };
  return { kind, id, delta: (delta + distance) | 0 };
}

/** Numbers that are more likely distances than addresses; nothing static lies below 1024 in what wasm-ld links. */
const SMALL = 1023;

/** Modulo 2^32, on either side of RELATIVE. */
function wrapped(address: number): number {
  if (address < RELATIVE / 2) return address >>> 0;
  return RELATIVE + ((address - RELATIVE) >>> 0);
}
