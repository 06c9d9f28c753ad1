// The kernel as WebAssembly: compiled by asc, bound to one heap, shaped for speed where it counts, given C's names.
//
// What asc makes has functions of a Machine (in wasm: nothing) and a heap. What we ship has the heap's address in a
// global, so that C can call it: mc_attach(base) sets it, mc_begin(from) begins a new heap there. Exports are named mc_…,
// so that they clash with none of a program's when the two are merged.

import { existsSync, readFileSync } from "node:fs";
import asc from "assemblyscript/asc";
import binaryen from "binaryen";
import { functionsIn, heapFromGlobal, withCopies } from "./shape.mjs";

const sources = new URL("../packages/morecore/src/kernel/", import.meta.url);

const FEATURES =
  binaryen.Features.MVP |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.MutableGlobals |
  binaryen.Features.SignExt |
  binaryen.Features.NontrappingFPToInt;

/**
 * The functions that most calls pass through. All that they call is inlined into each of them, but for one another and
 * for RARE: V8 inlines no call within wasm, and a call costs about 2 ns, which is a tenth of malloc and free together.
 */
const HOT = new Set([
  "free/free",
  "release/release",
  "malloc/calloc",
  "malloc/malloc",
  "take/takeNear",
  "realloc/realloc",
  "realloc/resize",
  "slabs/freeBlock",
  "slabs/takeBlock",
]);

/** What hot functions call seldom. These, and all that no hot function calls, are made small. */
export const RARE = new Set([
  "live/blame",
  "live/isLiveInOlder",
  "take/growAndTake",
  "take/takeOrGrow",
  "realloc/intoTop",
  "slabs/beginSlab",
  "slabs/endSlab",
  "slabs/endUnused",
  "slabs/flushIdle",
  "slabs/flushSlabs",
  "top/trimTop",
]);

/** A kernel function's name in C, of an own or a standard's. Functions that are not listed take their name as it is. */
const C_NAMES = {
  alignedAlloc: "aligned_alloc",
  bulkFree: "bulk_free",
  bytesOf: "bytes_of",
  countOf: "count_of",
  firstPiece: "first_piece",
  footprint: "malloc_footprint",
  footprintLimit: "malloc_footprint_limit",
  freeAlignedSized: "free_aligned_sized",
  freeSized: "free_sized",
  goodSize: "malloc_good_size",
  independentCalloc: "independent_calloc",
  independentComalloc: "independent_comalloc",
  maxFootprint: "malloc_max_footprint",
  nextPiece: "next_piece",
  pieceBytes: "piece_bytes",
  pieceState: "piece_state",
  posixMemalign: "posix_memalign",
  reallocInPlace: "realloc_in_place",
  setFootprintLimit: "malloc_set_footprint_limit",
  trim: "malloc_trim",
  usableSize: "malloc_usable_size",
};

/** Compiles a file of src/kernel. Where `x.wasm.ts` stands beside `x.ts`, asc gets the twin. Throws what asc says. */
export async function compile(entry) {
  let bytes;
  const flags = ["-O0", "--debug", "--runtime", "stub", "--use", "abort=", "--importMemory"];
  const { error, stderr } = await asc.main([entry, ...flags, "--outFile", "kernel.wasm"], {
    readFile(name) {
      const twin = new URL(name.replace(/\.ts$/, ".wasm.ts"), sources);
      const file = existsSync(twin) ? twin : new URL(name, sources);
      return existsSync(file) ? readFileSync(file, "utf8") : null;
    },
    writeFile(name, contents) {
      if (name === "kernel.wasm") bytes = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${error.message}\n${stderr}`);
  return bytes;
}

/**
 * The shipped kernel: imports env.memory and morecore.abort(code, address), exports mc_…. It grows by memory.grow, or,
 * with `importsGrow`, by an imported morecore.grow(bytes), which answers with an address or 0.
 */
export async function boundKernel({ importsGrow = false } = {}) {
  const text = await boundText({ importsGrow, importsRelease: false });
  // No pointer that the kernel follows lies in the first 1024 bytes below 2^32: constants may be folded into loads.
  binaryen.setLowMemoryUnused(true);
  const inlined = inlineCopies(heapFromGlobal(withCopies(text, HOT, RARE), HOT));
  const module = binaryen.readBinary(inlined);
  module.setFeatures(FEATURES);
  shrink(module);
  exportDirectly(module);
  shrink(module);
  if (!module.validate()) throw new Error("the bound kernel is no valid module");
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/**
 * The same for a compiler that inlines by itself: each function of the sources is one, by its name. It imports
 * morecore.grow(bytes) and morecore.release(from, to), which is told of what top gives back.
 */
export async function plainKernel() {
  const text = await boundText({ importsGrow: true, importsRelease: true });
  const module = binaryen.parseText(heapFromGlobal(text, new Set()));
  module.setFeatures(FEATURES);
  // The sources' constants, which asc -O0 leaves as globals, become numbers.
  module.runPasses(["simplify-globals", "remove-unused-module-elements"]);
  binaryen.setDebugInfo(true);
  const bytes = module.emitBinary();
  binaryen.setDebugInfo(false);
  module.dispose();
  return bytes;
}

/** The kernel's text, with its imports and exports, as asc makes it. */
async function boundText(imports) {
  const compiled = binaryen.readBinary(await compile("family.ts"));
  compiled.setFeatures(FEATURES);
  defineImports(compiled, imports);
  bindHeap(compiled);
  const text = compiled.emitText();
  compiled.dispose();
  for (const name of [...HOT, ...RARE])
    if (!functionsIn(text).has(name)) throw new Error(`tools/kernel.mjs: the kernel has no ${name}`);
  return text;
}

/** Inlines the copies that withCopies has made, and nothing else. The binary, with names. */
function inlineCopies(text) {
  const module = binaryen.parseText(text);
  module.setFeatures(FEATURES);
  for (const name of functionsIn(text).keys()) if (!name.includes("@")) noInline(module, name);
  binaryen.setDebugInfo(true);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  binaryen.setAlwaysInlineMaxSize(1_000_000);
  module.runPasses([
    "precompute-propagate",
    "simplify-locals",
    "coalesce-locals",
    "vacuum",
    "remove-unused-brs",
  ]);
  for (let round = 0; round < 4; round++) module.runPasses(["inlining-optimizing", "dae-optimizing"]);
  const bytes = module.emitBinary();
  module.dispose();
  binaryen.setDebugInfo(false);
  return bytes;
}

/** Makes all as small as it gets, without taking apart what is hot. */
function shrink(module) {
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(2);
  binaryen.setAlwaysInlineMaxSize(2);
  for (const name of [...HOT, ...RARE]) noInline(module, name);
  for (let round = 0; round < 3; round++) module.optimize();
}

function noInline(module, name) {
  binaryen.setPassArgument("no-inline", name);
  module.runPasses(["no-inline"]);
  binaryen.setPassArgument("no-inline", null);
}

const { i32, none } = binaryen;

/** Gives a body to the imports that the host need not bring. */
function defineImports(module, { importsGrow, importsRelease }) {
  if (!importsRelease) define(module, "release", none, () => module.nop());
  if (importsGrow) return;
  define(module, "grow", i32, () => {
    const bytes = module.local.get(0, i32);
    const page = module.local.tee(0, module.memory.grow(module.i32.shr_u(bytes, module.i32.const(16))), i32);
    const failed = module.i32.eq(page, module.i32.const(-1));
    const address = module.i32.shl(module.local.get(0, i32), module.i32.const(16));
    return module.if(failed, module.i32.const(0), address);
  });
}

/** Replaces the import morecore.NAME by a function, if the kernel has it at all. */
function define(module, base, results, bodyOf) {
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const info = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    if (info.module !== "morecore" || info.base !== base) continue;
    module.removeFunction(info.name);
    module.addFunction(info.name, info.params, results, [], bodyOf());
    return;
  }
}

/** Replaces each export f(machine, heap, …) by mc_f(…), which takes the heap from a global. */
function bindHeap(module) {
  module.addGlobal("heap", i32, true, module.i32.const(0));
  const functions = new Map();
  for (const { name, value, kind } of exportsOf(module)) {
    module.removeExport(name);
    if (kind === binaryen.ExternalFunction) functions.set(name, value);
  }
  exported(module, "attach", i32, none, module.global.set("heap", module.local.get(0, i32)));
  exported(
    module,
    "begin",
    i32,
    i32,
    beginning(module, functions.get("placeFor"), functions.get("beginHeap")),
  );
  functions.delete("placeFor");
  functions.delete("beginHeap");
  for (const [name, value] of functions) {
    const { params, results } = binaryen.getFunctionInfo(module.getFunction(value));
    const own = binaryen.expandType(params).slice(2);
    const given = own.map((type, index) => module.local.get(index, type));
    const call = module.call(value, [module.i32.const(0), module.global.get("heap", i32), ...given], results);
    exported(module, C_NAMES[name] ?? name, binaryen.createType(own), results, call);
  }
}

/** mc_begin: the place for a heap becomes the global's value, and if there is one, a heap begins there. */
function beginning(module, placeFor, beginHeap) {
  const machine = () => module.i32.const(0);
  const heap = () => module.global.get("heap", i32);
  const from = () => module.local.get(0, i32);
  const begin = module.call(beginHeap, [machine(), heap(), from()], none);
  return module.block(
    null,
    [
      module.global.set("heap", module.call(placeFor, [machine(), from()], i32)),
      module.if(heap(), begin),
      heap(),
    ],
    i32,
  );
}

function exported(module, name, params, results, body) {
  module.addFunction(`mc_${name}`, params, results, [], body);
  module.addFunctionExport(`mc_${name}`, `mc_${name}`);
}

/** Exports, instead of a function that hands its parameters on and does nothing else, the one that gets them. */
function exportDirectly(module) {
  for (const { name, value, kind } of exportsOf(module)) {
    if (kind !== binaryen.ExternalFunction) continue;
    const { params, body } = binaryen.getFunctionInfo(module.getFunction(value));
    const call = binaryen.getExpressionInfo(body);
    if (call.id !== binaryen.CallId || call.operands.length !== binaryen.expandType(params).length) continue;
    const operands = call.operands.map((operand) => binaryen.getExpressionInfo(operand));
    if (operands.some(({ id, index }, place) => id !== binaryen.LocalGetId || index !== place)) continue;
    module.removeExport(name);
    module.addFunctionExport(call.target, name);
  }
}

function exportsOf(module) {
  const exports = [];
  for (let index = 0; index < module.getNumExports(); index++)
    exports.push(binaryen.getExportInfo(module.getExportByIndex(index)));
  return exports;
}
