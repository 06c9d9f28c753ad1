// Command: runs the suite in an engine that prints, and prints the answer as its last line.

import { both } from "./both.ts";

console.log(`\n${JSON.stringify(await both({ only: globalThis.process?.argv[2] ?? "" }))}`);
