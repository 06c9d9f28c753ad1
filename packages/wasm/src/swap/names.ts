// Names: functions that say themselves that they are of a malloc family.
//
// Owns:  the recognisers by export, by name section and by glue, and what each counts as evidence.
// Needs: module, roles, glue.

import { readGlue } from "./glue.ts";
import type { FunctionFacts, ModuleFacts } from "./module.ts";
import { otherAllocator, type Role, roleNamed, SBRK_NAMES } from "./roles.ts";

export interface NamedFunction {
  readonly index: number;
  /** undefined: it is sbrk. */
  readonly role: Role | undefined;
  readonly evidence: string;
}

/** All functions whose names or exports' names are the family's, or sbrk's. One function may have several. */
export function findNamed(facts: ModuleFacts, glue: string | undefined): NamedFunction[] {
  const found: NamedFunction[] = [];
  const note = (facts: FunctionFacts, name: string, evidence: string) => {
    const role = roleNamed(name);
    const isSbrk = SBRK_NAMES.has(name);
    if (isSbrk || role?.signature === facts.signature.text)
      found.push({ index: facts.index, role, evidence });
  };
  const inGlue = glueNames(facts, glue);
  for (const each of facts.functions) {
    if (each.imported !== undefined) continue;
    for (const name of each.exportedAs) {
      note(each, name, `exported as ${name}`);
      for (const cName of inGlue.get(name) ?? [])
        note(each, cName, `the glue takes export ${name} for ${cName}`);
    }
    if (each.name !== undefined) note(each, each.name, `${each.name} in the name section`);
  }
  return found;
}

/** The other allocator that some function's name gives away. */
export function findOtherAllocator({ functions }: ModuleFacts): string | undefined {
  for (const { name, exportedAs } of functions)
    for (const each of name === undefined ? exportedAs : [name, ...exportedAs]) {
      const other = otherAllocator(each);
      if (other !== undefined) return other;
    }
  return undefined;
}

/** Export name → C names. */
function glueNames({ functions }: ModuleFacts, glue: string | undefined): Map<string, string[]> {
  const byExport = new Map<string, string[]>();
  if (glue === undefined) return byExport;
  const exported = new Set(functions.flatMap(({ exportedAs }) => exportedAs));
  const isOurs = (name: string) => roleNamed(name) !== undefined || SBRK_NAMES.has(name);
  for (const [name, member] of readGlue(glue, exported, isOurs))
    if (name !== member) byExport.set(member, [...(byExport.get(member) ?? []), name]);
  return byExport;
}
