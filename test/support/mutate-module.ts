// Mutations of WebAssembly modules: bytes that are wrong by chance, sections that are wrong on purpose, and
// custom sections. No engine looks into the last, so the module stays valid and every reader of ours gets to
// see them.

type Random = (bound: number) => number;

const HEADER_BYTES = 8;
const NAMES = ["name", "target_features", "linking", "reloc.CODE", "sourceMappingURL", "dylink", "dylink.0"];
/** Bytes at which readers go wrong: nothing, signs, the longest numbers. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x40, 0x60, 0x0b];

interface Part {
  readonly id: number;
  readonly contents: Uint8Array;
}

/** The module with one to three mutations; `other` is a module to take parts of. */
export function mutateModule(module: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const kinds = [
    scatter,
    cut,
    lengthen,
    dropped,
    doubled,
    swapped,
    spliced,
    customised,
    customised,
    shuffledCustom,
  ];
  let bytes = module;
  for (let count = 1 + random(3); count > 0; count--)
    bytes = kinds[random(kinds.length)]?.(bytes, other, random) ?? bytes;
  return bytes;
}

/** A few bytes are others. */
function scatter(bytes: Uint8Array, _: Uint8Array, random: Random): Uint8Array {
  const changed = bytes.slice();
  for (let count = 1 + random(4); count > 0; count--)
    changed[random(bytes.length)] = random(2) === 0 ? random(256) : (EDGES[random(EDGES.length)] ?? 0);
  return changed;
}

function cut(bytes: Uint8Array, _: Uint8Array, random: Random): Uint8Array {
  return bytes.slice(0, random(bytes.length));
}

/** A number in the middle becomes a very large or a very long one. */
function lengthen(bytes: Uint8Array, _: Uint8Array, random: Random): Uint8Array {
  const at = random(bytes.length);
  const length = 1 + random(12);
  return Uint8Array.of(
    ...bytes.subarray(0, at),
    ...Array(length).fill(0xff),
    0x0f,
    ...bytes.subarray(at + 1),
  );
}

function dropped(bytes: Uint8Array, _: Uint8Array, random: Random): Uint8Array {
  const parts = partsOf(bytes);
  return joined(parts.toSpliced(random(parts.length + 1), 1));
}

function doubled(bytes: Uint8Array, _: Uint8Array, random: Random): Uint8Array {
  const parts = partsOf(bytes);
  const part = parts[random(parts.length + 1)];
  return part === undefined ? bytes : joined([...parts, part]);
}

function swapped(bytes: Uint8Array, _: Uint8Array, random: Random): Uint8Array {
  const parts = partsOf(bytes);
  const [first, second] = [random(parts.length + 1), random(parts.length + 1)];
  const [one, two] = [parts[first], parts[second]];
  return one === undefined || two === undefined ? bytes : joined(parts.with(first, two).with(second, one));
}

/** A section of another module in the place of one. */
function spliced(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const [parts, others] = [partsOf(bytes), partsOf(other)];
  const taken = others[random(others.length + 1)];
  return taken === undefined ? bytes : joined(parts.toSpliced(random(parts.length + 1), 1, taken));
}

/** One more custom section with anything in it. */
function customised(bytes: Uint8Array, _: Uint8Array, random: Random): Uint8Array {
  const name = new TextEncoder().encode(NAMES[random(NAMES.length)]);
  const anything = Array.from({ length: random(60) }, () =>
    random(3) === 0 ? (EDGES[random(EDGES.length)] ?? 0) : random(256),
  );
  return joined([...partsOf(bytes), { id: 0, contents: Uint8Array.of(name.length, ...name, ...anything) }]);
}

/** Bytes of the custom sections that are there are others. */
function shuffledCustom(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  return joined(
    partsOf(bytes).map((part) =>
      part.id === 0 && part.contents.length > 0
        ? { id: 0, contents: scatter(part.contents, other, random) }
        : part,
    ),
  );
}

/** The sections, as far as they can be told: what does not end is left out. */
function partsOf(bytes: Uint8Array): Part[] {
  const parts: Part[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const id = bytes[at++] ?? 0;
    let length = 0;
    for (let shift = 0, more = true; more && shift < 35; shift += 7) {
      const byte = bytes[at++] ?? 0;
      length += (byte & 0x7f) * 2 ** shift;
      more = byte >= 0x80;
    }
    if (at + length > bytes.length) return parts;
    parts.push({ id, contents: bytes.slice(at, at + length) });
    at += length;
  }
  return parts;
}

function joined(parts: readonly Part[]): Uint8Array {
  const bytes = parts.flatMap(({ id, contents }) => {
    const { length } = contents;
    return [id, 0x80 | (length & 0x7f), 0x80 | ((length >> 7) & 0x7f), (length >> 14) & 0x7f, ...contents];
  });
  return Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, ...bytes);
}
