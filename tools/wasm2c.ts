// wasm2c: the functions of the kernel out of the C that wasm2c makes of its wasm, in the names of native/wasm.h.
//
// Owns:  what is known of that C, and what is refused.
// Needs: nothing: it is told the text.
//
// Known is what wabt 1.0.32 writes, of a module called mc, line by line. All else (types, its own loads and stores, the
// making of an instance) is passed over: native/wasm.h stands in for it.
//
//   declaration  =  "static " TYPE " w2c_" NAME "(" … ");"                    one line for each function of the module
//   definition   =  "static " TYPE " w2c_" NAME "(" … ") {"  … "}"            the brace in the first column
//   export       =  TYPE " Z_mcZ_" NAME "(" … ") {"  … "}"                    calls one of these

const DECLARATION = /^static \w+ w2c_(\w+)\([^;{]*\);$/;
const DEFINITION = /^static \w+ w2c_(\w+)\([^;{]*\) \{$/;
const EXPORT = /^\w+ Z_mcZ_(\w+)\([^;{]*\) \{$/;
const END = "}";

/** What the functions call a thing, and what it is called in native/wasm.h. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  // The base is all that they need to know.
  [/Z_mc_instance_t\s*\*/g, "Base "],
  [/\(\*instance->Z_envZ_memory\)\.pages/g, "kernel_pages(instance)"],
  [/instance->Z_(envZ_memory|morecore_instance)\b/g, "instance"],
  [/struct Z_morecore_instance_t\s*\*/g, "Base "],
  [
    /\bZ_morecoreZ_(abort|grow|release|load_shared|store_shared|exchange|compare_exchange|or_shared|and_shared|add_shared)\b/g,
    "kernel_$1",
  ],
  [/\bZ_mcZ_mc_/g, "mc_"],
];

/** What no name above has taken care of: wasm2c's own, which native/wasm.h does not have. */
const LEFT = /\bZ_\w+|\bwasm_rt_\w+|instance->\w+/;

export interface Wasm2cParts {
  /** Names of functions that the module must export, without mc_. */
  readonly exports: Iterable<string>;
  /** Functions never to be inlined, as asc names them: "file/function". */
  readonly apart: ReadonlySet<string>;
}

/** The C of the kernel's functions. Throws for what is not as it is known. */
export function kernelC(text: string, { exports, apart }: Wasm2cParts): string {
  const { declared, defined, exported } = functionsIn(text.split("\n"));
  const known = new Set(defined.keys());
  for (const name of declared.keys())
    if (!known.has(name)) refuse(`w2c_${name} is declared, and not defined`);
  for (const name of known) if (!declared.has(name)) refuse(`w2c_${name} is defined, and not declared`);
  for (const name of exports) if (!exported.has(`mc_${name}`)) refuse(`there is no export mc_${name}`);
  const noInline = new Set([...apart].map(mangled));
  for (const name of noInline)
    if (!declared.has(name)) refuse(`there is no w2c_${name}, which is to stay apart`);
  const declarations = [...declared].map(([name, line]) =>
    noInline.has(name) ? `__attribute__((noinline)) ${line}` : line,
  );
  const all = [...declarations, ...defined.values(), ...exported.values()].join("\n\n");
  const renamed = NAMES.reduce((before, [pattern, name]) => before.replace(pattern, name), all);
  const left = LEFT.exec(renamed)?.[0];
  if (left !== undefined) refuse(`it uses ${left}, which native/wasm.h does not have`);
  return renamed;
}

interface Functions {
  readonly declared: ReadonlyMap<string, string>;
  readonly defined: ReadonlyMap<string, string>;
  readonly exported: ReadonlyMap<string, string>;
}

function functionsIn(lines: readonly string[]): Functions {
  const declared = new Map<string, string>();
  const defined = new Map<string, string>();
  const exported = new Map<string, string>();
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const declaration = DECLARATION.exec(line)?.[1];
    if (declaration !== undefined) declared.set(declaration, line);
    const definition = DEFINITION.exec(line)?.[1];
    const name = definition ?? EXPORT.exec(line)?.[1];
    if (name === undefined) continue;
    const end = lines.indexOf(END, at);
    if (end < 0) refuse(`${name} has no end`);
    (definition === undefined ? exported : defined).set(name, lines.slice(at, end + 1).join("\n"));
    at = end;
  }
  if (declared.size === 0) refuse("it declares no function w2c_…");
  return { declared, defined, exported };
}

/** As wasm2c writes a name: what cannot be in a name of C's is "_". */
function mangled(name: string): string {
  return name.replaceAll(/\W/g, "_");
}

function refuse(why: string): never {
  throw new Error(`wasm2c writes C in another way than 1.0.32, which is known: ${why}`);
}
