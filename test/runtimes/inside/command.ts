// Command: runs the suite in an engine that prints, and prints the answer as its last line.

import { both } from "./both.ts";

const [, , only = "", counting] = process.argv;
console.log(`\n${JSON.stringify(await both({ only, counting: counting === "count" }))}`);
