// Imports: the import object of a program, made of what there is.
//
// Owns:  how an import is named that nobody has; which WASI a program wants.
// Needs: binary, wasi.

import { type Import, WasmFormatError } from "../format/binary.ts";
import { WASI_VERSIONS, type WasiModule } from "./wasi.ts";

/** An import, as far as it must be known to be served. */
export type Wanted = Pick<Import, "module" | "name" | "kind">;

export function wasiModuleOf(imports: readonly Wanted[]): WasiModule {
  const isWasi = (module: string): module is WasiModule => Object.hasOwn(WASI_VERSIONS, module);
  return imports.map(({ module }) => module).find(isWasi) ?? "wasi_snapshot_preview1";
}

/** What a table has under a name; not what every object has, such as toString. */
export function ownOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The import object; throws and names them if some imports are nobody's. */
export function importsFor<Given extends Wanted>(
  imports: readonly Given[],
  provide: (given: Given) => WebAssembly.ImportValue | undefined,
): WebAssembly.Imports {
  const all = new Map<string, [string, WebAssembly.ImportValue][]>();
  const missing: string[] = [];
  for (const given of imports) {
    const value = provide(given);
    if (value === undefined) missing.push(`${given.module}.${given.name}`);
    else {
      const values = all.get(given.module) ?? [];
      values.push([given.name, value]);
      all.set(given.module, values);
    }
  }
  if (missing.length > 0)
    throw new WasmFormatError(
      `it imports what neither WASI preview 1 nor morecore provides: ${missing.join(", ")}`,
    );
  // Names are the program's to choose, __proto__ among them.
  return Object.fromEntries([...all].map(([module, values]) => [module, Object.fromEntries(values)]));
}
