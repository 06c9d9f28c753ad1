// Design: the numbers in the book of the kernel are the kernel's, and its list of files has each of them.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KERNEL_TEXT } from "../../packages/morecore/src/heap/kernel-bytes.ts";
import { bytesOfText } from "../../packages/morecore/src/heap/kernel-text.ts";
import * as layout from "../../packages/morecore/src/kernel/layout.ts";
import { ROOT } from "../support/c-program.ts";
import { pageOf } from "../support/pages.ts";

const BOOK = pageOf("docs/DESIGN.md");
const FIRST_CLASS = layout.AT_CLASSES + (1 << layout.CLASS_BYTES_LOG2);

/** The numbers of the picture under a heading, in the order in which they are read. */
function numbersIn(heading: string): number[] {
  const from = BOOK.indexOf(`\n### ${heading}\n`);
  const [, picture = ""] = /```text\n(.*?)^```/ms.exec(BOOK.slice(from)) ?? [];
  return Array.from(picture.matchAll(/\d+/g), ([digits]) => Number(digits));
}

describe("the pictures of docs/DESIGN.md", () => {
  it("show an image as layout.ts has it", () => {
    expect(numbersIn("An image")).toEqual([
      layout.AT_MAGIC,
      layout.HEADER_BYTES,
      layout.AT_MAGIC,
      layout.AT_TOP,
      layout.AT_FOOTPRINT,
      layout.AT_SMALL_LIMIT,
      layout.AT_GROWTH_COUNT,
      layout.AT_MAP,
      layout.AT_BIN_SUMMARY,
      layout.AT_BIN_MAP,
      layout.BIN_MAP_WORDS,
      FIRST_CLASS,
      layout.CLASS_COUNT,
      1 << layout.CLASS_BYTES_LOG2,
      layout.AT_BINS,
      layout.BIN_COUNT,
      layout.AT_MAYBE_UNUSED,
      layout.AT_IDLE,
      layout.HEADER_BYTES,
      layout.HEADER_BYTES + layout.SEGMENT_CHUNKS,
      layout.HEADER_WORD,
    ]);
  });

  it("show a chunk as layout.ts has it", () => {
    const header = 0;
    expect(numbersIn("A chunk")).toEqual([
      header,
      header,
      layout.HEADER_WORD,
      layout.NEXT,
      layout.PREVIOUS,
      layout.FOOTER,
      layout.GRANULE,
      layout.MIN_CHUNK,
      layout.PREVIOUS_IN_USE,
      layout.IN_USE,
      layout.OWN,
      layout.RESERVED_FLAG,
    ]);
  });

  it("show a slab as layout.ts has it", () => {
    const log = 2;
    expect(numbersIn("A slab")).toEqual([
      layout.SLAB_UNIT,
      layout.SLAB_FIRST,
      layout.SLAB_INVERSE,
      layout.SLAB_SHAPE,
      layout.SHAPE_BLOCKS_SHIFT,
      layout.SHAPE_CLASS_SHIFT,
      log,
      layout.SLAB_LAST,
      layout.SLAB_BITS,
      (layout.SLAB_BITS_END - layout.SLAB_BITS) / 4,
      layout.MAX_BLOCKS,
      layout.SLAB_NEXT,
      layout.SLAB_PREVIOUS,
      layout.MIN_SLAB,
      layout.MAX_SLAB,
      layout.GRANULE,
      2 * layout.GRANULE,
      layout.SMALL_MAX,
    ]);
  });

  it("show malloc, free and growth as layout.ts has them", () => {
    expect(numbersIn("One malloc")).toEqual([layout.SMALL_MAX]);
    expect(numbersIn("One free")).toEqual([layout.SLAB_UNIT]);
    const segment = layout.SEGMENT_CHUNKS;
    expect(numbersIn("Growth")).toEqual([layout.MEMORY_UNIT, segment, layout.HEADER_WORD, segment]);
  });
});

describe("docs/DESIGN.md", () => {
  it("says how many bytes the kernel has in wasm, and is the only page that does", () => {
    const bytes = bytesOfText(KERNEL_TEXT).length;
    const written = String(bytes)
      .replace(/(?=(?:\d{3})+$)/g, " ")
      .trim();
    expect(BOOK.replace(/\s+/g, " ")).toContain(`It has ${written} bytes.`);
    // The journal's are those of their days.
    const others = readdirSync(join(ROOT, "docs")).filter((name) => /^(?!DESIGN|JOURNAL).*\.md$/.test(name));
    for (const name of others) expect(pageOf(`docs/${name}`), name).not.toMatch(/\b1[23][ ,]?\d{3} bytes\b/);
  });

  it("says in one place how long the header is", () => {
    const pages = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
    const says = pages.filter((name) => pageOf(`docs/${name}`).includes(`${layout.HEADER_BYTES} bytes`));
    expect(says).toEqual(["DESIGN.md"]);
  });

  it("says in its prose what layout.ts says of bins and slabs", () => {
    const text = BOOK.replace(/\s+/g, " ");
    const exact = layout.EXACT_GRANULES * layout.GRANULE;
    const [first, last] = [layout.MIN_SLAB / 1024, layout.MAX_SLAB / 1024];
    expect(text).toContain(
      `one for each size below ${exact} bytes, and ${1 << layout.BINS_PER_DOUBLING_LOG2} for`,
    );
    expect(text).toContain(`at most 1/${1 << layout.BINS_PER_DOUBLING_LOG2} too large`);
    expect(layout.SEARCH_LIMIT).toBe(16);
    expect(text).toContain("the best of the first sixteen chunks");
    expect(text).toContain(`Small requests, of up to ${layout.SMALL_MAX} bytes`);
    expect(text).toContain(`share ${layout.SLAB_UNIT} aligned bytes`);
    expect(text).toContain(`has ${first} KiB, later ones ${2 * first}, ${4 * first} and ${8 * first}.`);
    expect(text).toContain(`From eight slabs on they have ${last / 2}, from 32 on ${last}.`);
    expect(text).toContain(`at most the ${1 << layout.SLAB_SHARE_LOG2}th part`);
    expect(text).toContain(`up to ${layout.MAX_BLOCKS} stores`);
  });

  it("says in its prose what layout.ts says of wide blocks", () => {
    const text = BOOK.replace(/\s+/g, " ");
    const wide = layout.NARROW_MAX + layout.GRANULE;
    const kibibytesFor = (bytes: number) => ((bytes * layout.MIN_BLOCKS) << layout.WIDE_SHARE_LOG2) / 1024;
    expect(text).toContain(`Those above ${layout.NARROW_MAX} bytes are so in large heaps only`);
    expect(text).toContain(`at most the ${1 << layout.WIDE_SHARE_LOG2}th part of the footprint`);
    expect(text).toContain(
      `from ${kibibytesFor(wide)} KiB on for ${wide} bytes, and from ${kibibytesFor(layout.SMALL_MAX)} KiB on for ${layout.SMALL_MAX}`,
    );
  });

  it("lists each file of the kernel", () => {
    const folder = join(ROOT, "packages/morecore/src/kernel");
    const files = readdirSync(folder).filter(
      (name) => name.endsWith(".ts") && !/\.(wasm|native)\.ts$/.test(name),
    );
    const [, list = ""] = /\| files .*?\n(.*?)\n\n/ms.exec(BOOK) ?? [];
    const listed = Array.from(list.matchAll(/^\| ([^|]*) \|/gm), ([, names = ""]) =>
      names.trim().split(/, */),
    ).flat();
    expect(files.map((name) => name.replace(".ts", "")).filter((name) => !listed.includes(name))).toEqual([]);
  });
});
