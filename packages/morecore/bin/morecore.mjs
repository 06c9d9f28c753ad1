#!/usr/bin/env node
// The command morecore lives in a package of its own, so that who wants a heap installs nothing else. Found here: beside
// this package, or where the user stands.

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const CLI = "@morecore/cli/main";

function found() {
  for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), "package.json"))]) {
    try {
      return createRequire(from).resolve(CLI);
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}

const cli = found();
if (cli === undefined) {
  console.error("morecore: the command is in the package @morecore/cli: npm install @morecore/cli");
  process.exitCode = 2;
} else await import(pathToFileURL(cli).href);
