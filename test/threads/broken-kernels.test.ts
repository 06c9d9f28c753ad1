// Broken kernels: each has one step in another place, or none at all, and an order of steps is found in which that shows.

import { expect, test } from "vitest";
import { ALL_ORDERS } from "./all-orders.ts";
import { Violation } from "./explore.ts";
import { type Change, scheduledKernel } from "./scheduled.ts";

interface Broken {
  readonly name: string;
  readonly changes: readonly Change[];
  /** The orders in which it shows; those of the kernel as it is are all right. */
  readonly shows: string;
}

const BROKEN: readonly Broken[] = [
  {
    name: "leaveFull does not look again",
    shows: "the owner goes away from a slab in which another frees",
    changes: [["if (!collect(m, slab)) return true;", "return true;"]],
  },
  {
    name: "leaveFull looks before it says that the slab is full",
    shows: "the owner goes away from a slab in which another frees",
    changes: [
      [
        "  if (m.compareExchange(entry, slab, slab | SLAB_FULL) !== slab) return true;\n  if (!collect(m, slab)) return true;",
        "  const any: boolean = collect(m, slab);\n  if (m.compareExchange(entry, slab, slab | SLAB_FULL) !== slab) return true;\n  if (!any) return true;",
      ],
    ],
  },
  {
    name: "who frees looks at the map before it sets the bit",
    shows: "the owner goes away from a slab in which another frees",
    changes: [
      [
        "  const before = m.orShared(slab + SLAB_REMOTE",
        "  const seen = m.loadShared(entry);\n  const before = m.orShared(slab + SLAB_REMOTE",
      ],
      ["if (m.loadShared(entry) === (slab | SLAB_FULL)) tell", "if (seen === (slab | SLAB_FULL)) tell"],
    ],
  },
  {
    name: "a full slab is told by two",
    shows: "the owner and two others free blocks of a full slab",
    changes: [
      [
        "while (m.compareExchange(entry, full, told) === full) {",
        "m.storeShared(entry, told);\n  for (;;) {",
      ],
    ],
  },
  {
    name: "a told slab may end",
    shows: "the last block of a slab in the mail is freed by another while the owner looks through its slabs",
    changes: [
      ["return isUnused(m, slab) && !(m.threads && isTold(m, heap, slab));", "return isUnused(m, slab);"],
    ],
  },
  {
    name: "collect clears the second row first",
    shows: "a small block is freed again while its owner looks through its slabs",
    changes: [
      [
        "    m.store32(at, (m.load32(at) | freed) >>> 0);\n    m.andShared(at + TO_REMOTE, ~freed >>> 0);",
        "    m.andShared(at + TO_REMOTE, ~freed >>> 0);\n    m.store32(at, (m.load32(at) | freed) >>> 0);",
      ],
    ],
  },
  {
    name: "collect clears all of the second row",
    shows: "the owner goes away from a slab in which two others free",
    changes: [["m.andShared(at + TO_REMOTE, ~freed >>> 0);", "m.storeShared(at + TO_REMOTE, 0);"]],
  },
  {
    name: "the mail is not taken in one step",
    shows: "the owner takes a chunk while two others free one each",
    changes: [
      ["m.exchange(heap - MAIL_CHUNKS, 0)", "m.loadShared(heap - MAIL_CHUNKS)"],
      [
        "  while (ptr !== NO_PTR) {\n    if (ownerAt",
        "  m.storeShared(heap - MAIL_CHUNKS, 0);\n  while (ptr !== NO_PTR) {\n    if (ownerAt",
      ],
    ],
  },
  {
    name: "units are claimed without an exchange",
    shows: "two threads take the same free units",
    changes: [
      [
        "if (m.compareExchange(entry, FREE_UNIT, wordFor(owner, start)) === FREE_UNIT) continue;",
        "if (m.loadShared(entry) === FREE_UNIT) { m.storeShared(entry, wordFor(owner, start)); continue; }",
      ],
    ],
  },
];

test.each(BROKEN)("an order is found in which it shows that $name", async ({ name, changes, shows }) => {
  const kernel = await scheduledKernel(changes);
  const tried = ALL_ORDERS.filter((each) => each.name === shows);
  expect(tried).toHaveLength(1);
  let found = "";
  try {
    for (const { explore } of tried) explore(kernel);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    found = error.message;
  }
  console.log(`${name}: ${found.split("\n", 2).join(", ")}`);
  expect(found).toContain("order:");
});
