// Buffer: as much of Node's as the tests use, for engines that have none. The bundler puts it where a file says `Buffer`.

interface Bytes extends Uint8Array {
  equals(other: Uint8Array): boolean;
}

export const Buffer = {
  /** A view of an ArrayBuffer, a copy of anything else. */
  from(source: ArrayBuffer | ArrayLike<number>): Bytes {
    const bytes = source instanceof ArrayBuffer ? new Uint8Array(source) : new Uint8Array(source);
    return Object.assign(bytes, { equals: (other: Uint8Array) => compare(bytes, other) === 0 });
  },
  compare,
  /** Nothing here is made by `new Buffer`; the test's libraries ask. */
  [Symbol.hasInstance]: (): boolean => false,
};

/** Below 0, 0 or above 0, as `a` stands before, at or after `b`. */
function compare(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length);
  for (let index = sameWords(a, b) * 4; index < end; index++) {
    const difference = (a[index] as number) - (b[index] as number);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(a.length - b.length);
}

/** How many whole words are the same at the beginning. Tests compare memories: byte by byte they would take minutes. */
function sameWords(a: Uint8Array, b: Uint8Array): number {
  if ((a.byteOffset | b.byteOffset) & 3) return 0;
  const count = Math.min(a.length, b.length) >>> 2;
  const [left, right] = [a, b].map((bytes) => new Uint32Array(bytes.buffer, bytes.byteOffset, count));
  let index = 0;
  while (index < count && left?.[index] === right?.[index]) index++;
  return index;
}
