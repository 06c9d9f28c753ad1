// Holds the family's table (packages/morecore/src/abi) and what is made of it together.
//
//   npm run abi              checks: every file is what the table gives
//   npm run abi -- --write   writes those that are not

import { madeFiles, writeFiles } from "./abi/files.ts";

const stale = madeFiles().filter(({ found, wanted }) => found !== wanted);
if (process.argv.includes("--write")) {
  writeFiles(stale);
  for (const { path } of stale) console.log(`abi: wrote ${path}`);
} else if (stale.length > 0) {
  for (const { path } of stale)
    console.error(`abi: ${path} is not what src/abi gives: npm run abi -- --write`);
  process.exitCode = 1;
} else console.log("abi: all that is made of the table is as it says");
