import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** An empty folder for a test file, gone after its last test. */
export function scratchFolder(name: string): string {
  const path = mkdtempSync(join(tmpdir(), `morecore-${name}-`));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
