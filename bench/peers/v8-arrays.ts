// V8's typed arrays as a peer: one array for each block, as programs without an allocator have it.
//
// Owns:  how such a block is made.
// Needs: v8-blocks.

import type { PeerModule } from "./peer.ts";
import { V8Blocks } from "./v8-blocks.ts";

class Arrays extends V8Blocks<Float32Array> {
  protected make(bytes: number): Float32Array {
    return new Float32Array((bytes + 3) >>> 2);
  }

  protected resize(block: Float32Array, bytes: number): Float32Array {
    const resized = this.make(bytes);
    resized.set(block.length > resized.length ? block.subarray(0, resized.length) : block);
    return resized;
  }
}

export const create: PeerModule["create"] = () => new Arrays();
