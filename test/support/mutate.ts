// Mutate: what strangers, and bad disks, make of sound bytes.
//
// Owns:  the kinds of damage.
// Needs: random.

type Random = (bound: number) => number;

/** Words that break what is computed with them: none, one, all bits, signs, sizes with odd flags, a wasm page, large powers of two. */
const WORDS = [
  0, 1, 2, 3, 4, 7, 8, 12, 16, 0x8000, 0xffff, 0x1_0000, 0x7fff_fff0, 0x8000_0000, 0xffff_fff0, 0xffff_ffff,
];

export function pick<T>(random: Random, list: readonly T[]): T {
  const one = list[random(list.length)];
  if (one === undefined) throw new RangeError("pick: expected a list that is not empty");
  return one;
}

/** Another word: one that breaks things, any one, a near one, one with a flipped bit, or one of those that are given. */
export function mutatedWord(random: Random, word: number, others: readonly number[] = []): number {
  switch (random(others.length > 0 ? 6 : 5)) {
    case 0:
      return pick(random, WORDS);
    case 1:
      return random(2 ** 32);
    case 2:
      return (word + 4 * (random(33) - 16)) >>> 0;
    case 3:
      return (word ^ (1 << random(32))) >>> 0;
    case 4:
      return (word + random(3) - 1) >>> 0;
    default:
      return pick(random, others);
  }
}

/** The same bytes with one piece of damage: a byte or bit changed, a piece cut out, doubled, moved or cut off, noise put in. */
export function mutatedBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random(random(4) === 0 ? bytes.length : 8));
  const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
  switch (random(8)) {
    case 0:
      return before;
    case 1:
      return joined(before, after);
    case 2:
      return joined(before, piece, piece, after);
    case 3:
      return joined(piece, before, after);
    case 4:
      return joined(before, noise(random, 1 + random(12)), bytes.subarray(at));
    case 5:
      return joined(before, noise(random, piece.length), after);
    default: {
      const changed = Uint8Array.from(bytes);
      const place = Math.min(at, bytes.length - 1);
      const old = bytes[place] ?? 0;
      changed[place] = pick(random, [old ^ (1 << random(8)), 0, 127, 128, 255, old + 1, old - 1]) & 255;
      return changed;
    }
  }
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function noise(random: Random, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => random(256));
}
