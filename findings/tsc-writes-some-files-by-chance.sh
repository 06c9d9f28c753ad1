#!/usr/bin/env bash
# tsc 7 leaves out other files from run to run, if sources are met both by their path and through a linked package.
#
# Versions:  typescript 7.0.2; beside it 5.9.3. Linux, two cores or more.
# Expected:  the same files for the same input. A source that some import names by its path is written, as in typescript 5.
# Seen:      of 20 runs of one project, each into an empty folder and with status 0, many write fewer files than others. What is left
#            out lies in the linked package, which is also found through node_modules, and so counts as somebody else's.
# Matters:   a build of a workspace works on one machine and fails on the next with ERR_MODULE_NOT_FOUND. `paths` that lead to the
#            sources, for what is else found through the link, make it whole.
set -euo pipefail
cd "$(mktemp -d)"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts old@npm:typescript@5.9.3 typescript@7.0.2
mkdir -p tools packages/part/src
ln -s ../packages/part node_modules/part
cat > packages/part/package.json <<'JSON'
{ "name": "part", "version": "1.0.0", "type": "module", "exports": { ".": "./src/index.ts" } }
JSON
# The package: a chain of modules, and an index that leads to all of them.
for i in $(seq 1 60); do
  printf 'import { v%s } from "./m%s.ts";\nexport const v%s: number = v%s + 1;\n' $((i - 1)) $((i - 1)) "$i" $((i - 1)) > "packages/part/src/m$i.ts"
done
echo 'export const v0: number = 0;' > packages/part/src/m0.ts
for i in $(seq 0 60); do echo "export { v$i } from \"./m$i.ts\";"; done > packages/part/src/index.ts
echo 'export type Part = number;' >> packages/part/src/index.ts
# The project: one module by path, one type by the package's name.
printf 'import { v60 } from "../packages/part/src/m60.ts";\nimport type { Mine } from "./other.ts";\nexport const all: Mine = v60;\n' > tools/main.ts
printf 'import type { Part } from "part";\nexport type Mine = Part;\n' > tools/other.ts
cat > tsconfig.json <<'JSON'
{
  "compilerOptions": {
    "target": "es2022", "module": "nodenext", "rootDir": ".", "outDir": "out", "types": [],
    "rewriteRelativeImportExtensions": true, "allowImportingTsExtensions": true
  },
  "include": ["tools/**/*.ts"]
}
JSON
counts() { # of files, sorted, each number once
  for _ in $(seq 1 20); do
    rm -rf out
    "$@" -p tsconfig.json
    find out -name '*.js' | wc -l
  done | sort -n | uniq -c | awk '{ printf "%s%s files: %s runs", (NR > 1 ? ", " : ""), $2, $1 } END { print "" }'
}
new=$(counts node_modules/typescript/bin/tsc)
old=$(counts node node_modules/old/lib/tsc.js)
printf 'typescript 7.0.2: %s\ntypescript 5.9.3: %s\n' "$new" "$old"
[ "$old" = "63 files: 20 runs" ]
[ "$(tr ',' '\n' <<< "$new" | wc -l)" -gt 1 ]
