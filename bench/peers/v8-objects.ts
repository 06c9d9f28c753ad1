// V8's objects as a peer: one object of four numbers for each block, however many bytes were asked for.
//
// Owns:  how such a block is made.
// Needs: v8-blocks.
// Note:  the least that the engine could do; compare it with blocks of 16 and 32 bytes.

import type { PeerModule } from "./peer.ts";
import { V8Blocks } from "./v8-blocks.ts";

interface Vector {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly w: number;
}

class Objects extends V8Blocks<Vector> {
  protected make(bytes: number): Vector {
    return { x: bytes, y: 0, z: 0, w: 1 };
  }

  protected resize({ y, z, w }: Vector, bytes: number): Vector {
    return { x: bytes, y, z, w };
  }
}

export const create: PeerModule["create"] = () => new Objects();
