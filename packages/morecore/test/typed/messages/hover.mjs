// Prints, as JSON, what the language service shows of each constant in a file: node hover.mjs TYPESCRIPT CONFIG FILE.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";

const [typescript, config, file] = process.argv.slice(2);
const ts = createRequire(import.meta.url)(typescript);
const read = ts.readConfigFile(config, ts.sys.readFile).config;
const { options } = ts.parseJsonConfigFileContent({ ...read, files: [file] }, ts.sys, dirname(config));
const service = ts.createLanguageService({
  ...ts.sys,
  useCaseSensitiveFileNames: () => true,
  getScriptFileNames: () => [file],
  getScriptVersion: () => "1",
  getScriptSnapshot: (name) =>
    existsSync(name) ? ts.ScriptSnapshot.fromString(readFileSync(name, "utf8")) : undefined,
  getCurrentDirectory: () => dirname(config),
  getCompilationSettings: () => options,
  getDefaultLibFileName: (of) => ts.getDefaultLibFilePath(of),
});
const shown = [...readFileSync(file, "utf8").matchAll(/^ +const (?=\w)/gm)].map(
  ({ 0: { length }, index }) => {
    const info = service.getQuickInfoAtPosition(file, index + length);
    return ts.displayPartsToString(info?.displayParts).replace(/\s+/g, " ");
  },
);
console.log(JSON.stringify(shown));
