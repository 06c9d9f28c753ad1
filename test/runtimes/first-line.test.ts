// Xvfb prints the display's number on stdout, but first, where another display is running, complaints on stderr. They were taken
// for the number, and WebKitGTK found no display.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { start } from "./engines/browsers.ts";

test("the first line is what a program prints, whatever it complained of before", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "morecore-"));
  const heard = path.join(folder, "heard");
  const script = 'echo in use >&2; until [ -e "$0" ]; do :; done; echo 7; read end';
  const running = start("sh", ["-c", script, heard], process.env);
  try {
    while (!running.said().includes("in use")) await new Promise(setImmediate);
    writeFileSync(heard, "");
    expect(await running.firstLine).toBe("7");
  } finally {
    running.end();
    rmSync(folder, { recursive: true });
  }
});
