// Root: the repository's folder. The tools run compiled, from build/tools; tests load them from where they are written.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function rootAbove(folder: string): string {
  if (existsSync(join(folder, "tools", "tsconfig.json"))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error("tools: no folder above this file has tools/tsconfig.json");
  return rootAbove(above);
}

export const ROOT: string = rootAbove(dirname(fileURLToPath(import.meta.url)));
