// The declarations, as they are packed, under each version of TypeScript from the minimum on, for users of several kinds.

import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { COMPILERS, compilerScript } from "../../bench/programs/compilers.ts";
import { ROOT } from "../support/c-program.ts";
import { MANIFESTS, packInto, Stranger } from "./packed.ts";

interface Kind {
  readonly files: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a careful user switches on. */
const STRICT = {
  exactOptionalPropertyTypes: true,
  noPropertyAccessFromIndexSignature: true,
  noUncheckedIndexedAccess: true,
};
const ONE_BY_ONE = { isolatedModules: true, verbatimModuleSyntax: true };

/** Users: those with nothing but the language, those with a page, those with Node. Between them each option is on and off. */
const KINDS: Readonly<Record<string, Kind>> = {
  language: {
    files: ["a-user.ts"],
    options: { lib: ["ES2022"], types: [], target: "ES2022", module: "NodeNext", ...STRICT, ...ONE_BY_ONE },
  },
  page: {
    files: ["a-user.ts", "a-page.ts", "all.ts"],
    options: {
      lib: ["ES2022", "DOM"],
      types: [],
      target: "ES2015",
      module: "ESNext",
      moduleResolution: "Bundler",
    },
  },
  node: {
    files: ["a-user.ts", "all.ts"],
    options: { lib: ["ES2023"], types: ["node"], target: "ES2023", module: "Node16", ...STRICT },
  },
};

const SILENT = "";
const stranger = new Stranger();

/** What a user's own program depends on, but not what is optional: binaryen, koffi, and what bench measures. */
function linkDependencies(): void {
  for (const { dependencies } of MANIFESTS)
    for (const name of Object.keys(dependencies ?? {}))
      if (!MANIFESTS.some((ours) => ours.name === name)) stranger.link(name);
  mkdirSync(join(stranger.modules, "@types"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules/@types/node"), join(stranger.modules, "@types/node"));
}

/** A program that imports all that is exported, by all packages. */
function importAll(): string {
  const names = MANIFESTS.flatMap(({ name, exports = {} }) =>
    Object.entries(exports).flatMap(([path, entry]) =>
      typeof entry === "object" && "types" in entry ? [name + path.slice(1)] : [],
    ),
  );
  const lines = names.map((name, index) => `import * as all${index} from "${name}";`);
  return `${lines.join("\n")}\nexport const all = [${names.map((_, index) => `all${index}`).join(", ")}];\n`;
}

beforeAll(() => {
  for (const { manifest, path } of packInto(stranger.folder).values()) stranger.install(path, manifest);
  linkDependencies();
  for (const name of ["a-user.ts", "a-page.ts"])
    copyFileSync(join(ROOT, "test/packages", name), join(stranger.folder, name));
  writeFileSync(join(stranger.folder, "all.ts"), importAll());
  writeFileSync(join(stranger.folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const [kind, { files, options }] of Object.entries(KINDS)) {
    // TypeScript's own libraries are not ours to check, and take longest.
    const libraries = { skipLibCheck: false, skipDefaultLibCheck: true };
    const compilerOptions = { ...options, ...libraries, strict: true, noEmit: true };
    writeFileSync(join(stranger.folder, `tsconfig.${kind}.json`), JSON.stringify({ compilerOptions, files }));
  }
}, 120_000);
afterAll(() => stranger.remove());

/** What a compiler says of one kind's program. */
async function compile(script: string, kind: string): Promise<string> {
  const args = [script, "-p", join(stranger.folder, `tsconfig.${kind}.json`), "--pretty", "false"];
  const child = spawn(process.execPath, args, { cwd: stranger.folder });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  await new Promise((resolve) => child.on("close", resolve));
  return said;
}

it("binaryen, koffi and what bench measures are not there", () => {
  const there = ["binaryen", "koffi", "assemblyscript"].filter((name) =>
    existsSync(join(stranger.modules, name)),
  );
  expect(there).toEqual([]);
});

it.each(COMPILERS)("TypeScript %s finds nothing wrong, for users of each kind", async (version) => {
  const script = compilerScript(version);
  if (script === undefined) {
    console.warn(`skipped: TypeScript ${version} is not here: npm run compilers`);
    return;
  }
  // Node's declarations take a while: they are read by the oldest and by the newest.
  const isAtAnEnd = version === COMPILERS[0] || version === COMPILERS.at(-1);
  const kinds = Object.keys(KINDS).filter((kind) => kind !== "node" || isAtAnEnd);
  const said = await Promise.all(kinds.map((kind) => compile(script, kind)));
  expect(Object.fromEntries(kinds.map((kind, index) => [kind, said[index]]))).toEqual(
    Object.fromEntries(kinds.map((kind) => [kind, SILENT])),
  );
});

it("the minimum is the one that README.md states", () => {
  const [, stated] =
    /TypeScript (\d+\.\d+)\s+or\s+later/.exec(readFileSync(join(ROOT, "README.md"), "utf8")) ?? [];
  expect(stated).toBe(COMPILERS[0]);
});
