// The walls: who may import whom. `npm run lint` asks for them; test/walls/walls.test.ts shows each one holding.
//
// An import of types counts as any other. Tests stand outside: they look into everything. A twin of the kernel's machine
// in bench/, which counts steps, replaces the real one file by file, and so knows where that lies.

import { readdirSync, readFileSync } from "node:fs";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
const oneOf = (texts) => `(?:${texts.map(escaped).join("|")})`;

/** Which packages a package may import. */
const PACKAGES = {
  "packages/morecore": [],
  "packages/native": [],
  "packages/os": ["packages/morecore"],
  "packages/inspect": ["packages/morecore"],
  "packages/wasm": ["packages/morecore", "packages/inspect"],
  bench: ["packages/morecore", "packages/inspect", "packages/wasm"],
  "packages/cli": [
    "packages/morecore",
    "packages/native",
    "packages/os",
    "packages/inspect",
    "packages/wasm",
    "bench",
  ],
};

/** Which folders of its own a folder may import. */
const FOLDERS = {
  "packages/morecore/src": upwards(
    "memory",
    "kernel",
    "abi",
    "typed",
    "arena",
    "offset",
    "slotmap",
    "containers",
    "heap",
  ),
  "packages/inspect/src": {
    trace: [],
    record: ["trace"],
    replay: ["trace"],
    watch: ["record", "trace"],
    pictures: ["replay", "trace"],
  },
  "packages/wasm/src": upwards("format", "swap", "run", "link"),
  bench: upwards("peers", "harness", "programs", "suites", "report"),
};

/** The kernel's floors, from the ground up: docs/DESIGN.md, "The files". A file may import those of its floor and below. */
const KERNEL = "packages/morecore/src/kernel";
const FLOORS = [
  ["atomics.wasm", "atomics.native"],
  ["machine", "machine.wasm", "layout", "codes", "address", "address.wasm"],
  ["units"],
  ["live", "chunk"],
  ["top", "bins"],
  ["take", "release"],
  ["internal"],
  ["classes", "slab-room", "slab-map", "slab"],
  ["remote", "slab-lists"],
  ["slab-life"],
  ["slab-mail", "slab-idle"],
  ["slabs"],
  ["walk"],
  ["info", "options", "image"],
  ["common"],
  ["program"],
  ["check", "check-slabs", "check-common"],
  ["malloc", "free", "realloc", "align", "bulk"],
  ["index", "family", "native"],
  ["engine"],
  ["settings"],
  ["repair", "repair-chain", "repair-slabs", "file-words"],
  ["take-over"],
  ["sharing"],
  ["design", "describe"],
];

/** Each folder may import those before it. */
function upwards(...folders) {
  return Object.fromEntries(folders.map((folder, index) => [folder, folders.slice(0, index)]));
}

function packageWalls([from, allowed]) {
  return {
    name: `arrows: ${from}`,
    comment: allowed.length === 0 ? "it stands on nothing" : `it stands on ${allowed.join(", ")}`,
    severity: "error",
    from: { path: `^${from}/`, pathNot: "/test/" },
    to: { path: "^(packages/[^/]+|bench|tools|test)/", pathNot: `^${oneOf([from, ...allowed])}/` },
  };
}

function folderWalls([root, folders]) {
  const walls = Object.entries(folders).map(([folder, allowed]) => ({
    name: `arrows: ${root}/${folder}`,
    comment: allowed.length === 0 ? "it stands on nothing" : `it stands on ${allowed.join(", ")}`,
    severity: "error",
    from: { path: `^${root}/${folder}/` },
    to: { path: `^${root}/`, pathNot: `^${root}/${oneOf([folder, ...allowed])}/` },
  }));
  const unlisted = {
    name: `folders: ${root}`,
    comment: "this folder is not listed: say in .dependency-cruiser.mjs where it stands",
    severity: "error",
    from: { path: `^${root}/(?!${oneOf(Object.keys(folders))}/)[^/]+/` },
    to: {},
  };
  return [...walls, unlisted];
}

/** A file of the kernel imports nothing of the floors above its own; one that stands on no floor nothing of the kernel. */
function floorWalls() {
  const file = (names) => `^${KERNEL}/${oneOf(names)}[.]ts$`;
  const walls = FLOORS.slice(0, -1).map((names, floor) => ({
    name: `floors: ${names.join(", ")}`,
    comment: "it stands above: docs/DESIGN.md has the kernel's floors",
    severity: "error",
    from: { path: file(names) },
    to: { path: file(FLOORS.slice(floor + 1).flat()) },
  }));
  const unlisted = {
    name: "floors: all",
    comment: "this file is on no floor: say in .dependency-cruiser.mjs and docs/DESIGN.md where it stands",
    severity: "error",
    from: { path: `^${KERNEL}/`, pathNot: file(FLOORS.flat()) },
    to: {},
  };
  return [...walls, unlisted];
}

/** What a package's own package.json names; bench uses what the workspace has installed for it, too. */
function namesWalls(from) {
  const { dependencies = {}, peerDependencies = {}, devDependencies = {} } = read(`${from}/package.json`);
  const forTests = from === "bench" ? { ...devDependencies, ...read("package.json").devDependencies } : {};
  const named = Object.keys({ ...dependencies, ...peerDependencies, ...forTests });
  const own = named.map((name) => folderOf.get(name)).filter((folder) => folder !== undefined);
  const shared = { severity: "error", from: { path: `^${from}/`, pathNot: "/test/" } };
  const comment = `${from}/package.json does not name it`;
  return [
    {
      ...shared,
      name: `named: ${from}`,
      comment,
      to: { path: "^(packages/[^/]+|bench)/", pathNot: `^${oneOf([from, ...own])}/` },
    },
    {
      ...shared,
      name: `installed: ${from}`,
      comment,
      to: {
        dependencyTypesNot: ["core", "local", "localmodule", "undetermined"],
        pathNot: `^node_modules/${oneOf([...named, "@types/"])}`,
      },
    },
  ];
}

const folderOf = new Map(
  Object.keys(PACKAGES).map((folder) => [read(`${folder}/package.json`).name, folder]),
);
const shipped = readdirSync(new URL("packages", import.meta.url)).map((name) => `packages/${name}`);

export default {
  forbidden: [
    {
      name: "no circle",
      comment: "what two files need of each other belongs into a third, or into one of them",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "the core is alone",
      comment:
        "packages/morecore runs wherever JavaScript does: no package, no module of Node but in file.node.ts",
      severity: "error",
      from: { path: "^packages/morecore/src/", pathNot: "[.]gen[.]mjs$|/file[.]node[.]ts$" },
      to: { pathNot: "^packages/morecore/src/" },
    },
    {
      name: "by name",
      comment: "another package is imported by its name, as its users import it",
      severity: "error",
      from: { path: "^(packages/[^/]+|bench)/", pathNot: "/test/|^bench/suites/steps/machine[.]ts$" },
      to: { path: "^(packages/[^/]+|bench)/", pathNot: "^$1/", dependencyTypes: ["local"] },
    },
    {
      name: "listed",
      comment: "this package is not listed: say in .dependency-cruiser.mjs where it stands",
      severity: "error",
      from: { path: "^packages/[^/]+/", pathNot: `^${oneOf(Object.keys(PACKAGES))}/` },
      to: {},
    },
    ...Object.entries(PACKAGES).map(packageWalls),
    ...Object.entries(FOLDERS).flatMap(folderWalls),
    ...floorWalls(),
    ...[...new Set([...Object.keys(PACKAGES), ...shipped])].flatMap(namesWalls),
  ],
  options: {
    // TypeScript 7 has no compiler that others can call; swc reads the same language.
    parser: "swc",
    tsPreCompilationDeps: true,
    exclude: { path: "^(packages/[^/]+|bench)/test/" },
    doNotFollow: { path: "^node_modules/|^(packages/[^/]+|bench)/dist/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@morecore/source", "types", "import", "require", "node", "default"],
      extensions: [".ts", ".mts", ".js", ".mjs", ".json"],
    },
  },
};
