// Proof: that nothing of the old allocator is left in a rewritten module.
//
// Owns:  the conditions that a swapped module must meet.
// Needs: module, dlmalloc.
//
// It reads the bytes that leave, with another parser than the one that wrote them, and looks at all functions that are
// in them, reachable or not:
//
//     none uses a word of the old state block; none of the module's own, as they were before the kernel came in (which
//     has headers of its own to read), reads a block's header as dlmalloc wrote it;
//     imports and exports are what they were.

import { followAll, headerPeeks, type StateBlock, touchedWords } from "./dlmalloc.ts";
import { type FunctionFacts, type ModuleFacts, readModule } from "./module.ts";

/** What is wrong with a rewritten module; empty: nothing. `allowed` imports and exports may have been added. */
export function findLeftovers(
  bytes: Uint8Array,
  before: ModuleFacts,
  block: StateBlock,
  allowed: (name: string) => boolean,
): string[] {
  const after = readModule(bytes);
  const flows = followAll(bytes, after);
  const wrong: string[] = [];
  for (const each of after.functions) {
    const flow = flows.get(each.index);
    const words = touchedWords(flow, block).length;
    if (words > 0) wrong.push(`${describe(each)} still uses ${words} words of the old state`);
  }
  wrong.push(...differences("import", importsOf(before), importsOf(after), allowed));
  wrong.push(...differences("export", exportsOf(before), exportsOf(after), allowed));
  return wrong;
}

/** Functions of a module, into which no kernel was merged yet, that read headers as dlmalloc wrote them. */
export function findHeaderReaders(own: Uint8Array): string[] {
  const { functions, ...facts } = readModule(own);
  const flows = followAll(own, { functions, ...facts });
  return functions
    .filter(({ index }) => headerPeeks(flows.get(index), new Set()).length > 0)
    .map((each) => `${describe(each)} still reads a block's header`);
}

function describe({ index, name }: FunctionFacts): string {
  return `function ${index}${name === undefined ? "" : ` (${name})`}`;
}

function importsOf({ functions, memories, importedGlobals }: ModuleFacts): Set<string> {
  const imported = [...functions, ...memories].flatMap((each) => each.imported ?? []);
  return new Set([...imported, ...importedGlobals]);
}

function exportsOf({ functions, memoryExports }: ModuleFacts): Set<string> {
  return new Set([...functions.flatMap(({ exportedAs }) => exportedAs), ...memoryExports]);
}

function differences(
  kind: string,
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
  allowed: (name: string) => boolean,
): string[] {
  // An import that only the old allocator used may go: the host brings it for nothing.
  const lost = kind === "export" ? [...before].filter((name) => !after.has(name)) : [];
  const added = [...after].filter((name) => !before.has(name) && !allowed(name));
  return [
    ...lost.map((name) => `${kind} ${name} was lost`),
    ...added.map((name) => `${kind} ${name} was added`),
  ];
}
