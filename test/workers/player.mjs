// Player: one thread of the stress tests: random calls on a heap that it shares, on blocks that any thread has made.
//
// Owns:       the blocks that it has and has not handed over.
// Needs:      a heap, and an array that all threads have. Nothing of an engine: the thread may be a Worker's or a page's own.
// Invariants: P1  a block that is handed over says its bytes, and a tag with its maker's number; its last word is made of both
//             P2  a block changes hands in `slots` by one exchange, so one thread at a time has it
//
// Plain JavaScript, since Workers of all engines read it as it is. Its types: player.d.mts.

/** By which the number of its maker is told from a tag. */
const NUMBERS = 16;
/** A block has room for its stamp, in words of their own. */
const LEAST_BYTES = 16;

export class Player {
  constructor(heap, slots, { seed, number, largest }) {
    this.heap = heap;
    this.slots = slots;
    this.number = number;
    this.largest = largest;
    this.seed = seed;
    this.state = seed | 1;
    this.own = [];
  }

  random(below) {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % below;
  }

  play(calls) {
    for (let call = 0; call < calls; call++) this.step();
  }

  step() {
    const { heap, own, slots } = this;
    const choice = this.random(8);
    const ptr = choice < 4 ? this.taken() : 0;
    if (ptr !== 0 && choice < 2) {
      own.push(ptr);
      return;
    }
    // A block for one that another thread has left there; it is checked, and freed by whoever has it now.
    const other =
      Atomics.exchange(slots, this.random(slots.length), ptr) ||
      own.splice(this.random(own.length + 1), 1)[0] ||
      0;
    if (other === 0) return;
    this.verify(other);
    if (choice !== 5) {
      heap.free(other);
      return;
    }
    const bytes = this.drawnBytes();
    const moved = heap.realloc(other, bytes);
    if (moved === 0) {
      heap.free(other);
      return;
    }
    this.verifyKept(moved, bytes);
    this.stamp(moved, bytes);
    own.push(moved);
  }

  /** Frees what it has left. */
  finish() {
    for (const ptr of this.own.splice(0)) {
      this.verify(ptr);
      this.heap.free(ptr);
    }
  }

  /** Mostly small; some are chunks, some need new memory. */
  drawnBytes() {
    const kind = this.random(100);
    if (kind < 75) return LEAST_BYTES + this.random(480);
    return LEAST_BYTES + this.random(kind < 97 ? 6000 : this.largest);
  }

  /** A new block, stamped; 0: no memory. */
  taken() {
    const { heap } = this;
    const bytes = this.drawnBytes();
    const way = this.random(10);
    const ptr =
      way === 0 ? heap.calloc(1, bytes) : way === 1 ? heap.alignedAlloc(64, bytes) : heap.malloc(bytes);
    if (ptr === 0) return 0;
    if (way === 0 && heap.u32(ptr, bytes >>> 2).some((word) => word !== 0))
      throw new Error(`seed ${this.seed}: calloc at ${ptr} of ${bytes} bytes is not zero`);
    this.stamp(ptr, bytes);
    return ptr;
  }

  stamp(ptr, bytes) {
    const words = this.heap.u32(ptr, bytes >>> 2);
    const tag = this.random(2 ** 27) * NUMBERS + this.number;
    words[0] = bytes;
    words[1] = tag;
    words[words.length - 1] = bytes ^ tag;
  }

  verify(ptr) {
    if (stampAt(this.heap, ptr) === undefined)
      throw new Error(`seed ${this.seed}: the block at ${ptr} was overwritten: ${this.heap.u32(ptr, 4)}`);
  }

  /** A realloc to so many bytes has moved a block with its stamp, or so much of it. */
  verifyKept(ptr, bytes) {
    const [was = 0] = this.heap.u32(ptr, 1);
    if (was <= bytes) this.verify(ptr);
  }
}

/** The number of the player that wrote the block last; undefined: it has no whole stamp. */
export function stampAt(heap, ptr) {
  const [bytes = 0, tag = 0] = heap.u32(ptr, 2);
  if (bytes < LEAST_BYTES || bytes > heap.usableSize(ptr)) return undefined;
  const last = heap.u32(ptr, bytes >>> 2).at(-1);
  return last === (bytes ^ tag) >>> 0 ? tag % NUMBERS : undefined;
}
