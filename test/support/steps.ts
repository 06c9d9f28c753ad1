// Steps: the library whose loads and stores are counted, built from the sources as they are.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundleSteps } from "../../tools/steps.ts";

export type StepsModule = typeof import("../../bench/suites/steps/index.ts");

export async function countedLibrary(): Promise<StepsModule> {
  const folder = mkdtempSync(join(tmpdir(), "morecore-steps-"));
  try {
    const file = join(folder, "steps.mjs");
    await bundleSteps(file);
    return await import(/* @vite-ignore */ pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
