// Disposal: everything that owns something ends by `using` or `dispose`, once, and says so when it is used afterwards.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";
import {
  array,
  Bump,
  Columns,
  f64,
  HashMap,
  Heap,
  HeapString,
  OffsetAllocator,
  Pool,
  SecondaryColumn,
  SlotMap,
  struct,
  TypedArena,
  Vec,
} from "morecore";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/c-program.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });

/** Something that owns something, in a heap or beside it, and the calls that need it to be there. */
interface Owner {
  readonly name: string;
  readonly make: (heap: Heap) => [made: Disposable & { dispose(): void }, ...uses: (() => unknown)[]];
}

const OWNERS: readonly Owner[] = [
  {
    name: "Heap",
    make: () => {
      const heap = Heap.create();
      const ptr = heap.malloc(8);
      return [heap, () => heap.malloc(1), () => heap.free(ptr), () => heap.u8(ptr, 8), () => heap.footprint];
    },
  },
  {
    name: "Bump",
    make: (heap) => {
      const bump = new Bump(heap);
      const point = bump.new(Point);
      return [bump, () => bump.new(Point), () => bump.mark(), () => point.x];
    },
  },
  {
    name: "TypedArena",
    make: (heap) => {
      const arena = new TypedArena(heap, Point);
      const point = arena.new();
      return [arena, () => arena.new(), () => arena.length, () => point.x];
    },
  },
  {
    name: "Pool",
    make: (heap) => {
      const pool = new Pool(heap, Point);
      const point = pool.new(Point);
      return [pool, () => pool.new(Point), () => point.x, () => pool.deallocate(point.ptr, 16, 8)];
    },
  },
  {
    name: "Vec",
    make: (heap) => {
      const vec = new Vec(heap, f64);
      vec.push(1);
      return [vec, () => vec.push(1), () => vec.get(0), () => vec.length];
    },
  },
  {
    name: "Columns",
    make: (heap) => {
      const columns = new Columns(heap, Point);
      columns.push({ x: 1 });
      const row = columns.at(0);
      return [columns, () => columns.push(), () => columns.at(0), () => row.x];
    },
  },
  {
    name: "HashMap",
    make: (heap) => {
      const map = new HashMap(heap, f64, f64).set(1, 2);
      return [map, () => map.set(1, 2), () => map.get(1), () => map.size];
    },
  },
  {
    name: "HeapString",
    make: (heap) => {
      const string = new HeapString(heap, "abc");
      return [string, () => string.append("d"), () => string.toString(), () => string.length];
    },
  },
  {
    name: "SlotMap",
    make: (heap) => {
      const map = new SlotMap(heap, Point);
      const key = map.insert({ x: 1 });
      return [map, () => map.insert({ x: 1 }), () => map.get(key), () => map.size];
    },
  },
  {
    name: "SecondaryColumn",
    make: (heap) => {
      const map = new SlotMap(heap, Point);
      const key = map.insert({ x: 1 });
      const column = new SecondaryColumn(map, heap, array(f64, 2));
      column.set(key, [1, 2]);
      return [column, () => column.set(key, [1, 2]), () => column.get(key), () => column.clear()];
    },
  },
  {
    name: "OffsetAllocator",
    make: () => {
      const ranges = new OffsetAllocator(100);
      const range = ranges.allocate(10);
      if (range === undefined) throw new Error("no room for 10 bytes in 100");
      const uses = [
        () => ranges.allocate(1),
        () => ranges.grow(10),
        () => ranges.bytes,
        () => ranges.reset(),
      ];
      return [ranges, ...uses, () => ranges.free(range), () => ranges.has(range), () => ranges.save()];
    },
  },
];

describe.each(OWNERS)("$name", ({ make }) => {
  it.each(["dispose", "using"] as const)("ends by %s, and each later use throws", (way) => {
    const [made, ...uses] = make(Heap.create());
    uses[0]?.();
    if (way === "dispose") made.dispose();
    else made[Symbol.dispose]();
    for (const use of uses) expect(use).toThrow(/dispose|ended|deleted|no block/);
  });

  it("does nothing when it is ended twice", () => {
    const heap = Heap.create();
    const [made] = make(heap);
    made.dispose();
    const live = heap.mallinfo().uordblks;
    made.dispose();
    made[Symbol.dispose]();
    expect(heap.mallinfo().uordblks).toBe(live);
    heap.check();
  });
});

let folder = "";
beforeAll(() => {
  // Within the checkout, so that "morecore" is this one, as it was built.
  mkdirSync(join(ROOT, "build"), { recursive: true });
  folder = mkdtempSync(join(ROOT, "build/disposal-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a user's `using`", () => {
  const USING = `import { Bump, Heap, OffsetAllocator } from "morecore";
let left;
{
  using heap = Heap.create();
  using frame = new Bump(heap);
  using ranges = new OffsetAllocator(100);
  frame.allocate(8, 8);
  ranges.allocate(8);
  left = heap;
}
try {
  left.malloc(1);
} catch (error) {
  console.log(String(error));
}
`;

  it.each([[["ES2022", "DOM", "ESNext.Disposable"]], [["ES2022", "DOM"]], [["ESNext", "DOM"]]])(
    "compiles with the libraries %j, and ends a heap at the block's end",
    (lib) => {
      const options = { target: "ES2022", module: "NodeNext", strict: true, types: ["node"], rootDir: "." };
      writeFileSync(join(folder, "using.ts"), USING);
      writeFileSync(
        join(folder, "tsconfig.json"),
        JSON.stringify({ compilerOptions: { ...options, lib }, files: ["using.ts"] }),
      );
      const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
      expect(
        spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], { encoding: "utf8" })
          .stdout,
      ).toBe("");
      const printed = execFileSync(process.execPath, [join(folder, "using.js")], { encoding: "utf8" });
      expect(printed).toBe("TypeError: the heap has been disposed of\n");
    },
  );
});

/** Node gives Symbol.dispose to its own realm; V8 of Node 20 and 22 has none for others. */
const isWithout = vm.runInNewContext("Symbol.dispose") === undefined;

describe.runIf(isWithout)("an engine without Symbol.dispose", () => {
  it("gets the symbol by which esbuild's and Babel's `using` end things there", async () => {
    writeFileSync(join(folder, "plain.js"), 'export * from "morecore";\n');
    const built = await rolldown({ input: join(folder, "plain.js") });
    await built.write({ file: join(folder, "plain.cjs"), format: "iife", name: "morecore" });
    const code = readFileSync(join(folder, "plain.cjs"), "utf8");
    const use = `
      const { Heap, OffsetAllocator } = morecore;
      const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
      const ended = [Heap.create(), new OffsetAllocator(10)].map((one) => {
        one[dispose]();
        try { one.malloc?.(1); one.allocate(1, 1); } catch (error) { return error.message; }
      });
      JSON.stringify([Symbol.dispose === undefined, ...ended])`;
    const printed = vm.runInNewContext(`${code};${use}`, { TextEncoder, TextDecoder, atob, Uint8Array });
    expect(JSON.parse(printed)).toEqual([
      true,
      "the heap has been disposed of",
      "the offset allocator has been disposed of",
    ]);
  });
});
