// Judge: what is wrong with a tarball, in sentences.
//
// Owns:  which profile and which exceptions the judges get; docs/RELEASE.md says why.
// Needs: publint, arethetypeswrong. No network.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { ROOT } from "../root.ts";
import { MOST_BYTES, targetsOf } from "./packages.ts";
import type { Tarball } from "./stage.ts";

/**
 * All ways of resolving, those of old tools too, with one exception: a CommonJS file finds an ES module. That is so, and right
 * since Node 20.19 and 22.12, where `require` takes it.
 */
const PROFILE = ["--profile", "strict", "--ignore-rules", "cjs-resolves-to-esm"];

export async function complaintsOf(tarball: Tarball): Promise<string[]> {
  return [...sizeComplaints(tarball), ...(await publintComplaints(tarball)), ...typesComplaints(tarball)];
}

function sizeComplaints({ folder, size }: Tarball): string[] {
  const most = MOST_BYTES[folder] ?? 0;
  return size <= most ? [] : [`it has ${size} bytes, packed: ${most} are the most`];
}

/** Suggestions count as errors do. */
async function publintComplaints({ path, manifest }: Tarball): Promise<string[]> {
  const bytes = new Uint8Array(readFileSync(path));
  const { messages, pkg = manifest } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
  return messages.map((message) => {
    const { code, type, path: where } = message;
    return `publint, ${type} at ${where.join(".")}: ${formatMessage(message, { ...pkg }, { color: false }) ?? code}`;
  });
}

function typesComplaints({ path, manifest }: Tarball): string[] {
  const files = filesAmongExports(manifest.exports ?? {});
  const excluded = files.length === 0 ? [] : ["--exclude-entrypoints", ...files];
  const plain = ["--format", "ascii", "--no-emoji", "--no-color", "--no-definitely-typed"];
  const attw = join(ROOT, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [attw, path, ...plain, ...PROFILE, ...excluded],
    { cwd: ROOT, encoding: "utf8" },
  );
  return status === 0 ? [] : [`arethetypeswrong:\n${stdout}${stderr}`];
}

/** What is exported as a file, for other tools to read: no module, so no types can be wrong. */
function filesAmongExports(exports: NonNullable<Tarball["manifest"]["exports"]>): string[] {
  return Object.entries(exports).flatMap(([name, entry]) =>
    targetsOf(entry).some((file) => /\.(?:m?js|json)$/.test(file)) ? [] : [name],
  );
}
