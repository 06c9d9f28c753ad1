// The kernel as WebAssembly: compiled by asc, then bound by binaryen to one heap and given C's names.
//
// What asc makes has functions of a Machine (in wasm: nothing) and a heap. What we ship has the heap's address in a
// global, so that C can call it: mc_attach(base) sets it, mc_begin(from) begins a new heap there. Exports are named mc_…,
// so that they clash with none of a program's when the two are merged.

import { existsSync, readFileSync } from "node:fs";
import asc from "assemblyscript/asc";
import binaryen from "binaryen";

const sources = new URL("../src/kernel/", import.meta.url);

/** Not for size: a call for each small function, as shrinking leaves them, costs the fast paths a half more time. */
const OPTIMIZE = { level: 3, shrink: 0 };

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
  const flags = ["-O3", "--runtime", "stub", "--use", "abort=", "--importMemory"];
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
  const module = binaryen.readBinary(await compile("family.ts"));
  module.setFeatures(
    binaryen.Features.MVP |
      binaryen.Features.BulkMemory |
      binaryen.Features.BulkMemoryOpt |
      binaryen.Features.MutableGlobals |
      binaryen.Features.SignExt |
      binaryen.Features.NontrappingFPToInt,
  );
  defineImports(module, importsGrow);
  bindHeap(module);
  binaryen.setOptimizeLevel(OPTIMIZE.level);
  binaryen.setShrinkLevel(OPTIMIZE.shrink);
  // No pointer that the kernel follows lies in the first 1024 bytes below 2^32: constants may be folded into loads.
  binaryen.setLowMemoryUnused(true);
  module.optimize();
  if (!module.validate()) throw new Error("the bound kernel is no valid module");
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

const { i32, none } = binaryen;

/** Gives a body to the imports that the host need not bring. */
function defineImports(module, importsGrow) {
  define(module, "release", none, () => module.nop());
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
  const exports = [];
  for (let index = 0; index < module.getNumExports(); index++)
    exports.push(binaryen.getExportInfo(module.getExportByIndex(index)));
  for (const { name, value, kind } of exports) {
    module.removeExport(name);
    if (kind !== binaryen.ExternalFunction) continue;
    const { params, results } = binaryen.getFunctionInfo(module.getFunction(value));
    const all = binaryen.expandType(params);
    const machine = module.i32.const(0);
    if (name === "beginHeap") {
      const begin = module.call(value, [machine, module.local.get(0, i32)], i32);
      exported(
        module,
        "begin",
        i32,
        i32,
        module.block(null, [module.global.set("heap", begin), module.global.get("heap", i32)], i32),
      );
    } else {
      const given = all.slice(2).map((type, index) => module.local.get(index, type));
      const call = module.call(value, [machine, module.global.get("heap", i32), ...given], results);
      exported(module, C_NAMES[name] ?? name, binaryen.createType(all.slice(2)), results, call);
    }
  }
  exported(module, "attach", i32, none, module.global.set("heap", module.local.get(0, i32)));
}

function exported(module, name, params, results, body) {
  module.addFunction(`mc_${name}`, params, results, [], body);
  module.addFunctionExport(`mc_${name}`, `mc_${name}`);
}
