// In every memory the design keeps what it promises beyond what any allocator does; above 2 GiB, too.

import { Heap } from "morecore";
import { MAKERS } from "../../../../test/support/memories.ts";
import { designClaims } from "./design-claims.ts";

for (const { name, make } of MAKERS) designClaims(name, make);

// All heaps are made in one memory: an engine does not take back what it has reserved at once.
const high = new WebAssembly.Memory({ initial: 33_000, maximum: 65_536 });
designClaims("a wasm memory above 2 GiB", (settings) =>
  Heap.create({ memory: high, footprintLimit: 64 * 1024 * 1024, ...settings }),
);
