import { readFileSync } from "node:fs";
import { readMade, readWorkload } from "./cache.ts";
import { merge } from "./link.ts";
import { runProgram } from "./run.ts";

const made = readMade();
if (typeof made === "string") throw new Error(made);
for (const program of made.programs) {
  if (!program.name.includes(process.argv[2] ?? "")) continue;
  const files = { dlmalloc: program.dlmalloc, merged: await merge(program.name, program) };
  for (let i = 0; i < 3; i++)
    for (const [way, file] of Object.entries(files)) {
      const r = runProgram(
        { module: new WebAssembly.Module(readFileSync(file)) },
        { args: [program.name, program.workload], files: readWorkload(program) },
      );
      console.log(
        program.name,
        way,
        r.ms.toFixed(0),
        r.heapBytes / 65536,
        r.exitCode,
        r.errors.slice(0, 500),
      );
      if (i === 0 && way === "dlmalloc") console.log(r.output.slice(0, 1500));
    }
}
