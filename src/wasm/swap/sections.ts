// Sections: drops custom sections that a rewriting makes wrong.
//
// Owns:  which those are: they hold offsets into the code as it was (DWARF, a source map's address, relocations).
// Needs: nothing.

const HEADER_BYTES = 8;
const CUSTOM = 0;
const STALE = /^(\.debug_|reloc\.|sourceMappingURL$|external_debug_info$|linking$)/;

export function isStale(section: string): boolean {
  return STALE.test(section);
}

/** A valid module without its stale sections. */
export function dropStaleSections(bytes: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = [bytes.subarray(0, HEADER_BYTES)];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const size = readLeb(bytes, at + 1);
    const end = size.next + size.value;
    if (bytes[at] !== CUSTOM || !isStale(nameAt(bytes, size.next))) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return new Uint8Array(Buffer.concat(kept));
}

function nameAt(bytes: Uint8Array, at: number): string {
  const { value, next } = readLeb(bytes, at);
  return new TextDecoder().decode(bytes.subarray(next, next + value));
}

/** An unsigned LEB128 number of at most 32 bits, and where the next byte is. */
function readLeb(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  let shift = 0;
  for (let next = at; ; next++) {
    const byte = bytes[next] ?? 0;
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte < 0x80) return { value: value >>> 0, next: next + 1 };
  }
}
