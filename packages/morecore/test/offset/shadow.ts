// A shadow for OffsetAllocator: the range as a list of regions, searched from one end to the other.

import { expect } from "vitest";
import type { Allocation, OffsetAllocator } from "../../src/offset/index.ts";

interface Region {
  readonly offset: number;
  readonly bytes: number;
  readonly allocation: Allocation | undefined;
}

export class OffsetShadow {
  #regions: Region[];

  constructor(bytes: number) {
    this.#regions = bytes > 0 ? [{ offset: 0, bytes, allocation: undefined }] : [];
  }

  get bytes(): number {
    const last = this.#regions.at(-1);
    return last === undefined ? 0 : last.offset + last.bytes;
  }

  get live(): Allocation[] {
    return this.#regions.flatMap(({ allocation }) => (allocation === undefined ? [] : [allocation]));
  }

  get holes(): Region[] {
    return this.#regions.filter(({ allocation }) => allocation === undefined);
  }

  /** Whether any hole has room for so many bytes at a multiple of an alignment. */
  hasRoom(bytes: number, alignment: number): boolean {
    return this.holes.some((hole) => Math.ceil(hole.offset / alignment) * alignment + bytes <= end(hole));
  }

  /** OffsetState an allocation. Fails unless all of it lies in one hole. */
  add(allocation: Allocation, offset: number, bytes: number): void {
    const index = this.#regions.findIndex((region) => region.offset <= offset && offset < end(region));
    const hole = this.#regions[index];
    if (hole === undefined) throw new Error(`${offset} is outside the range`);
    expect(hole.allocation, `${offset} lies in a hole`).toBeUndefined();
    expect(offset + bytes, "it ends in that hole").toBeLessThanOrEqual(end(hole));
    const free = (from: number, to: number): Region => ({
      offset: from,
      bytes: to - from,
      allocation: undefined,
    });
    const pieces = [
      free(hole.offset, offset),
      { offset, bytes, allocation },
      free(offset + bytes, end(hole)),
    ];
    this.#regions.splice(index, 1, ...pieces.filter((piece) => piece.bytes > 0));
  }

  remove(allocation: Allocation): void {
    this.#regions = merged(
      this.#regions.map((region) =>
        region.allocation === allocation ? { ...region, allocation: undefined } : region,
      ),
    );
  }

  grow(bytes: number): void {
    this.#regions = merged([...this.#regions, { offset: this.bytes, bytes, allocation: undefined }]);
  }

  reset(): void {
    this.#regions = merged(this.#regions.map((region) => ({ ...region, allocation: undefined })));
  }

  /** Fails unless the allocator says of its range what the shadow does. */
  expectAgreement(allocator: OffsetAllocator): void {
    allocator.check();
    const holes = this.holes;
    const places = holes.map(({ offset, bytes }) => ({ offset, bytes }));
    expect([...allocator.freeRegions()]).toEqual(places);
    expect([...allocator.allocations()]).toEqual(
      this.#regions.filter(({ allocation }) => allocation !== undefined),
    );
    const freeBytes = sum(holes);
    expect(allocator.report()).toMatchObject({
      bytes: this.bytes,
      usedBytes: this.bytes - freeBytes,
      freeBytes,
      allocationCount: this.live.length,
      holeCount: holes.length,
      largestHole: Math.max(0, ...holes.map(({ bytes }) => bytes)),
    });
    for (const bin of allocator.freeBins()) {
      const inBin = holes.filter(({ bytes }) => bin.least <= bytes && bytes <= bin.most);
      expect(bin).toMatchObject({ count: inBin.length, bytes: sum(inBin) });
    }
    expect([...allocator.freeBins()].reduce((count, bin) => count + bin.count, 0)).toBe(holes.length);
  }
}

function end(region: Region): number {
  return region.offset + region.bytes;
}

function sum(regions: readonly Region[]): number {
  return regions.reduce((total, { bytes }) => total + bytes, 0);
}

/** Neighbouring holes as one. */
function merged(regions: readonly Region[]): Region[] {
  const list: Region[] = [];
  for (const region of regions) {
    const last = list.at(-1);
    const both = last !== undefined && last.allocation === undefined && region.allocation === undefined;
    if (both) list[list.length - 1] = { ...last, bytes: last.bytes + region.bytes };
    else list.push(region);
  }
  return list;
}
