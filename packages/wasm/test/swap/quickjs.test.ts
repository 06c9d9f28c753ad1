// quickjs-emscripten, release-sync: all names minified; malloc is known by its glue and by dlmalloc's state alone.

import { newQuickJSWASMModuleFromVariant, newVariant, RELEASE_SYNC } from "quickjs-emscripten";
import { describe, expect, it } from "vitest";
import {
  expectSwapped,
  packageFile,
  packageText,
  replacedIn,
  runWithMemory,
} from "../../../../test/support/swap.ts";
import { inspectModule, swapModule } from "../../src/swap/index.ts";

const FOLDER = "@jitl/quickjs-wasmfile-release-sync/dist";

const PROGRAMS = [
  `const words = [];
   for (let i = 0; i < 60000; i++) words.push({ id: i, text: "w" + (i * 7919) % 10007, tags: [i % 3, i % 5] });
   words.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.id - b.id));
   const text = JSON.stringify(words);
   const back = JSON.parse(text);
   back.length + ":" + text.length + ":" + text.slice(5000, 5200)`,
  `const text = Array.from({ length: 20000 }, (_, i) => "key" + i + "=" + (i * i) % 1013).join("; ");
   const found = [...text.matchAll(/(\\w+?)(\\d+)=(?<value>7\\d*)/g)].map((m) => m[2] + "/" + m.groups.value);
   text.replace(/\\d{3,}/gu, (n) => n.split("").reverse().join("")).slice(-500) + found.length + found.slice(-20)`,
  `const map = new Map();
   for (let i = 0; i < 100000; i++) { map.set("k" + (i % 30000), new Array(i % 17).fill(i)); if (i % 3 === 0) map.delete("k" + (i % 777)); }
   let sum = 0n; for (const [k, v] of map) sum += BigInt(v.length) * BigInt(k.length) ** 3n;
   const big = (2n ** 4000n - 1n).toString(); String(sum) + big.length + big.slice(0, 60)`,
  `class Node { constructor(v) { this.v = v; this.l = this.r = null; } }
   let root = null, s = 1; const add = (v) => { let n = new Node(v); if (!root) return (root = n); let at = root; for (;;) { const side = v < at.v ? "l" : "r"; if (!at[side]) return (at[side] = n); at = at[side]; } };
   for (let i = 0; i < 40000; i++) { s = (s * 48271) % 2147483647; add(s); }
   const walk = function* (n) { if (n) { yield* walk(n.l); yield n.v; yield* walk(n.r); } };
   const buffer = new Uint8Array(3000000); let at = 0; for (const v of walk(root)) { buffer[at % buffer.length] ^= v; at += 71; if (at > 30000 * 71) break; }
   buffer.reduce((a, b) => (a * 31 + b) % 1000003, 7)`,
  `try { null.x } catch (e) { e.constructor.name + e.message + (() => { try { JSON.parse("{bad") } catch (e2) { return e2.name } })() }`,
];

async function workload(wasmBinary: Uint8Array) {
  const variant = newVariant(RELEASE_SYNC, { wasmBinary: wasmBinary.slice().buffer as ArrayBuffer });
  const quickjs = await newQuickJSWASMModuleFromVariant(variant);
  return PROGRAMS.map((program) => {
    const context = quickjs.newContext();
    try {
      return context
        .unwrapResult(context.evalCode(program))
        .consume((handle) => String(context.dump(handle)));
    } finally {
      context.dispose();
    }
  });
}

describe("quickjs-emscripten", () => {
  it("runs programs to the same results on morecore's heap", async () => {
    const bytes = packageFile(`${FOLDER}/emscripten-module.wasm`);
    const { bytes: swapped, report } = await swapModule(bytes);
    expect(replacedIn(report)).toEqual({ malloc: 150, free: 142, realloc: 775 });
    expect(report.growth).toContain("286");
    const before = await runWithMemory(() => workload(bytes));
    expectSwapped(before, await runWithMemory(() => workload(swapped)));
  });

  it("is recognised by its glue, too", () => {
    const glue = packageText(`${FOLDER}/emscripten-module.mjs`);
    const { functions } = inspectModule(packageFile(`${FOLDER}/emscripten-module.wasm`), { glue });
    const evidence = (role: string) => functions.find((each) => each.role === role)?.evidence;
    expect(evidence("malloc")).toContain("the glue takes export v for _malloc");
    expect(evidence("free")).toContain("the glue takes export M for _free");
  });
});
