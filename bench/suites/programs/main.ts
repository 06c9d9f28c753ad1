// The part of the bench that is about programs in WebAssembly, by itself: it builds nothing but what must be merged.
//
//   npm run bench:programs             all programs and patterns that `npm run programs` has made
//   npm run bench:programs -- lua      those with "lua" in their name
//   npm run bench:programs -- lua 9    in nine rounds instead of five
//   npm run bench:programs -- lua 9 FOLDER  with mimalloc too, whose sources are in the folder

import { toTerminal } from "../../harness/tables.ts";
import { PEERS } from "../../paths.ts";
import { buildMimalloc } from "../../peers/build-mimalloc.ts";
import { measureMade } from "./measure.ts";
import { programGoals, programTables } from "./tables.ts";

const [only = "", rounds = "5", sources] = process.argv.slice(2);
const plan = { rounds: Number(rounds), targetMs: 100, onStep: () => undefined };
const mimalloc = sources === undefined ? undefined : buildMimalloc(PEERS, sources);
if (typeof mimalloc === "string") console.error(`mimalloc is left out: ${mimalloc}`);
const object = typeof mimalloc === "object" ? mimalloc.object : undefined;
const results = await measureMade(plan, (name) => name.includes(only), object);
for (const table of programTables(results)) console.log(toTerminal(table));
for (const { figure, measured, aim } of programGoals(results))
  console.log(`${figure}: ${measured.toFixed(3)}${aim === undefined ? "" : ` (goal: ≤ ${aim})`}`);
for (const remark of results.remarks) console.log(`- ${remark}`);
