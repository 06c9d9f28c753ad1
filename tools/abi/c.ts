// C: what is made of the family's table for programs in C, and for the native library.

import { codesForC, PIECE_STATES, WORDS_IN_C } from "../../packages/morecore/src/abi/codes.ts";
import {
  type Answer,
  type Call,
  familyCalls,
  type Group,
  type ParameterKind,
  PREFIX,
} from "../../packages/morecore/src/abi/family.ts";
import * as codes from "../../packages/morecore/src/kernel/codes.ts";
import * as layout from "../../packages/morecore/src/kernel/layout.ts";
import { callsOnHeap, NATIVE_CALLS } from "./native.ts";

/** How a parameter is declared, around its name. */
const PARAMETERS: Readonly<Record<ParameterKind, readonly [before: string, after: string]>> = {
  bytes: ["size_t ", ""],
  count: ["size_t ", ""],
  alignment: ["size_t ", ""],
  block: ["void *", ""],
  place: ["void **", ""],
  "array?": ["void *", "[]"],
  sizes: ["size_t ", "[]"],
  blocks: ["void *", "[]"],
  piece: ["uintptr_t ", ""],
  state: ["unsigned ", ""],
  address: ["uintptr_t ", ""],
};

const ANSWERS: Readonly<Record<Answer, string>> = {
  nothing: "void ",
  block: "void *",
  blocks: "void **",
  bytes: "size_t ",
  count: "size_t ",
  changed: "int ",
  errno: "int ",
  piece: "uintptr_t ",
  state: "unsigned ",
  address: "uintptr_t ",
};

function prototype(call: Call, name: string, answer: Answer): string {
  const parameters = call.parameters.map(([parameter, kind]) => PARAMETERS[kind].join(parameter));
  return `${ANSWERS[answer]}${name}(${parameters.join(", ") || "void"});`;
}

/** What morecore.h declares of a group: each function that <stdlib.h> does not, and what it does. */
export function headerDeclarations(group: Group): string {
  return familyCalls()
    .filter(([, call]) => call.group === group && call.inStdlib === undefined)
    .map(([, call]) => `${commented(call.does)}\n${prototype(call, call.c, call.answerInC ?? call.answer)}`)
    .join("\n");
}

const LINE = 120;

/** The words as comment lines that are no longer than LINE. */
function commented(words: string): string {
  const lines: string[] = [];
  for (const word of words.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= LINE)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`// ${word}`);
  }
  return lines.join("\n");
}

/** morecore.h's codes of what is refused. */
export function headerCodes(): string {
  return enumOf(codesForC().map(([name, number]) => [`MORECORE_${name}`, number]));
}

/** What a host calls, or what links a program: C does not. */
const FOR_A_HOST: ReadonlySet<Group> = new Set(["program", "threads"]);

/** morecore.c's declarations of the kernel's functions. */
export function importDeclarations(): string {
  return familyCalls()
    .filter(([, { group }]) => !FOR_A_HOST.has(group))
    .map(([, call]) => `IMPORT(${call.c}) ${prototype(call, PREFIX + call.c, call.answer)}`)
    .join("\n");
}

/** morecore.c's functions that do no more than call the kernel's. */
export function definitions(): string {
  return familyCalls()
    .filter(([, { group, ownInC }]) => !FOR_A_HOST.has(group) && group !== "walk" && ownInC === undefined)
    .map(([, call]) => definition(call))
    .join("\n\n");
}

/** Of a call that takes a block, what misuse prints says the name. */
function definition(call: Call): string {
  const { c, parameters, answer } = call;
  const head = prototype(call, c, answer).replace(/;$/, "");
  const kernel = `${PREFIX}${c}(${parameters.map(([name]) => name).join(", ")})`;
  const isMemory = answer === "block" || answer === "blocks";
  if (parameters[0]?.[1] !== "block") {
    const value = isMemory ? `or_no_memory(${kernel})` : kernel;
    const statement = `${answer === "nothing" ? "" : "return "}${value};`;
    const line = `${head} { ${statement} }`;
    return line.length <= LINE ? line : `${head} {\n  ${statement}\n}`;
  }
  const last = isMemory ? "or_no_memory(answer)" : "answer";
  const body = [
    `CALLING("${c}");`,
    answer === "nothing" ? `${kernel};` : `${ANSWERS[answer]}answer = ${kernel};`,
    "CALLING(NULL);",
    ...(answer === "nothing" ? [] : [`return ${last};`]),
  ];
  return `${head} {\n${body.map((line) => `  ${line}`).join("\n")}\n}`;
}

export function pieceStates(): string {
  return enumOf(Object.entries(PIECE_STATES));
}

/** morecore.c's sentence for each code: the cases of a switch. */
export function wordsForCodes(): string {
  return codesForC()
    .map(([name]) => `  case MORECORE_${name}: return ${JSON.stringify(WORDS_IN_C[name].words)};`)
    .join("\n");
}

function enumOf(names: readonly (readonly [string, number])[]): string {
  return `enum {\n${names.map(([name, number]) => `  ${name} = ${number}`).join(",\n")}\n};`;
}

/** layout.h of the native library: the kernel's numbers, codes and states, as they are in the kernel that it is built with. */
export function nativeLayout(): string {
  const numbers = { ...layout, ...codes, ...PIECE_STATES };
  const defines = Object.entries(numbers).map(([name, number]) => `#define ${name} ${number}u`);
  const words = codesForC().map(([name]) => {
    const { words, sure } = WORDS_IN_C[name];
    return `  X(${name}, ${JSON.stringify(sure ?? words)})`;
  });
  return `// Made by tools/abi/c.ts of src/kernel and src/abi.

${defines.join("\n")}

// What is said of each code: X(code, words).
#define KERNEL_CODES(X) \\
${words.join(" \\\n")}
`;
}

/** calls.h of the native library: the kernel's functions, where u32 and Base are known. */
export function nativeCalls(): string {
  const declared = (c: string, parameters: readonly string[], answers: boolean): string =>
    `${answers ? "u32" : "void"} ${PREFIX}${c}(Base base${parameters.map((name) => `, u32 ${name}`).join("")});`;
  const calls = [
    ...callsOnHeap().map(([, { c, parameters, answer }]) =>
      declared(c, ["heap", ...parameters.map(([name]) => name)], answer !== "nothing"),
    ),
    ...Object.values(NATIVE_CALLS).map(({ c, parameters, answers }) => declared(c, parameters, answers)),
  ];
  return `// Made by tools/abi/c.ts of src/abi/family.ts and tools/abi/native.ts.\n${calls.join("\n")}\n`;
}
