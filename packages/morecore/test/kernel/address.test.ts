import { expect, it } from "vitest";
import {
  asChunk,
  asPtr,
  chunkAfter,
  chunkBefore,
  chunkOf,
  NO_CHUNK,
  NO_PTR,
  ptrOf,
} from "../../src/kernel/address.ts";
import { HEADER_WORD } from "../../src/kernel/layout.ts";

it("a chunk's payload lies one header word behind it, on either side of 2^31", () => {
  for (const address of [12, 2044, 0x7fff_fffc, 0x8000_000c, 0xfffe_fffc]) {
    expect(ptrOf(asChunk(address))).toBe(address + HEADER_WORD);
    expect(chunkOf(ptrOf(asChunk(address)))).toBe(address);
  }
});

it("chunks are added to and subtracted from without a sign, across 2^31", () => {
  expect(chunkAfter(asChunk(0x7fff_fffc), 16)).toBe(0x8000_000c);
  expect(chunkBefore(asChunk(0x8000_000c), 16)).toBe(0x7fff_fffc);
  expect(chunkAfter(asChunk(0x8000_000c), 0x7000_0000)).toBe(0xf000_000c);
});

it("addresses wrap at 2^32, as 32-bit ones do", () => {
  expect(chunkOf(asPtr(0))).toBe(0xffff_fffc);
  expect(ptrOf(asChunk(0xffff_fffc))).toBe(0);
  expect(chunkAfter(asChunk(0xffff_fffc), 16)).toBe(12);
  expect(chunkBefore(asChunk(12), 16)).toBe(0xffff_fffc);
});

it("no chunk and no payload lie at 0", () => {
  expect([NO_CHUNK, NO_PTR]).toEqual([0, 0]);
});
