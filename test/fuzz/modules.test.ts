// Modules from strangers: whatever the bytes are, each reader answers, or says in a WasmFormatError what is wrong.

import { inspectModule } from "@morecore/wasm/swap";
import { describe, expect, it } from "vitest";
import {
  functionNames,
  readExports,
  readFeatures,
  readImports,
  readMemories,
  readSections,
  WasmFormatError,
  writeSections,
} from "../../packages/wasm/src/format/binary.ts";
import { featuresWith } from "../../packages/wasm/src/format/features.ts";
import { autoSwap } from "../../packages/wasm/src/run/auto-swap.ts";
import { isHeapImport } from "../../packages/wasm/src/run/host-heap.ts";
import { heapBaseOf, readProgram } from "../../packages/wasm/src/run/program.ts";
import { checkNoTakers } from "../../packages/wasm/src/swap/beside.ts";
import { readModule } from "../../packages/wasm/src/swap/module.ts";
import { hasC } from "../support/c-program.ts";
import { mutateModule } from "../support/mutate-module.ts";
import { randomFrom } from "../support/random.ts";
import { seedOf } from "../support/seed.ts";
import { textModule } from "../support/text-module.ts";
import { cProgram, HEAP_IMPORTS, heapProgram, WITHOUT_C } from "../support/wasm-program.ts";

const EVERYTHING = textModule(
  `(module
    (import "a" "function" (func $f (param i32)))
    (import "c" "memory" (memory 1 4))
    (import "d" "global" (global $g (mut i64)))
    (import "e" "tag" (tag $t (param i32)))
    (table 2 funcref) (elem (i32.const 0) $own $malloc)
    (global $heap (export "__heap_base") i32 (i32.const 2000))
    (data (i32.const 1024) "data")
    (func $malloc (export "malloc") (param i32) (result i32) (local i32)
      (local.set 1 (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
      (loop $again (if (i32.load (i32.const 1030)) (then (local.set 1 (i32.const 1100)) (br $again))))
      (i32.and (i32.load (i32.sub (local.get 1) (i32.const 4))) (i32.const -8)))
    (func $own (export "_start") (drop (call $malloc (i32.const 1))) (call_indirect (i32.const 0)))
    (start $own))`,
  ["simd128", "sign-ext"],
);
const PROGRAM = heapProgram(
  "(global.set $p (call $realloc (call $calloc (i32.const 1) (i32.const 8)) (i32.const 9)))",
);
const EXCEPTIONS = textModule(`(module ${HEAP_IMPORTS} (memory (export "memory") 1) (tag $t (param i32))
  (func (export "_start") (try (do (throw $t (i32.const 1))) (catch $t (drop)))))`);

/** What may be said of a module; anything else is a fault of ours. */
function answers(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof WasmFormatError)) throw error;
  }
}

function readAll(bytes: Uint8Array): void {
  for (const part of [readImports, readExports, readMemories, readFeatures, heapBaseOf, writeSections])
    answers(() => part(readSections(bytes)));
  answers(() => functionNames(readSections(bytes), "f"));
  answers(() => featuresWith(readFeatures(readSections(bytes))));
  answers(() => readProgram(bytes, isHeapImport));
  answers(() => inspectModule(bytes));
  answers(() => checkNoTakers(bytes, readModule(bytes), 2000));
}

/** Each of the originals, mutated so many times. */
function inputsOf(originals: readonly Uint8Array[], times: number, seed: number): Uint8Array[] {
  const random = randomFrom(seed);
  return originals.flatMap((original, index) =>
    Array.from({ length: times }, () =>
      mutateModule(original, originals[(index + 1) % originals.length] ?? original, random),
    ),
  );
}

describe("a mutated module", () => {
  const seed = seedOf("fuzz/modules", 20_261_128);

  it("is read, or refused with a reason, by every reader", () => {
    let valid = 0;
    for (const [index, bytes] of inputsOf([EVERYTHING, PROGRAM, EXCEPTIONS], 400, seed).entries()) {
      if (WebAssembly.validate(bytes as BufferSource)) valid++;
      expect(() => readAll(bytes), `seed ${seed}, input ${index}`).not.toThrow();
    }
    // Enough get past the engine's own check to be read to their end.
    expect(valid).toBeGreaterThan(200);
  });

  it.skipIf(!hasC)(`is swapped, or is run as it is and why is said: C programs${WITHOUT_C}`, async () => {
    const source = "#include <stdlib.h>\nint main(void) { free(realloc(malloc(9), 99)); return 0; }";
    const program = cProgram(source, { malloc: "own", flags: ["-Wl,--strip-debug"] });
    for (const [index, bytes] of inputsOf([program, PROGRAM], 20, seed).entries()) {
      const said = await autoSwap.only(bytes);
      expect(typeof said === "string" || said.bytes.length > 0, `seed ${seed}, input ${index}`).toBe(true);
    }
  });
});
