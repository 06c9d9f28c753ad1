// Ledger: which slots of a trace are taken, and how many bytes that makes.
//
// Owns:       the slot discipline of traces/FORMAT.md, said once for the reader and the writer.
// Needs:      nothing.
// Invariants: L1  a slot is live or on the released stack or has never been taken             O(1) a call
//             L2  the next slot to take is the top of the released stack, or else `slotCount`  O(1) a call
//             L3  liveBytes is the sum of the live slots' sizes, peakLiveBytes its largest value after any call
//
// Its functions answer with what is wrong, or with undefined. They do not throw: only the caller knows where it is.

/** Slots that a ledger without a limit has room for at first. */
const FIRST_ROOM = 1024;

export class SlotLedger {
  /** Slots ever taken = the largest number live at one moment, as released ones are taken again first. */
  slotCount = 0;
  liveBytes = 0;
  peakLiveBytes = 0;
  totalAllocatedBytes = 0;
  readonly #limit: number;
  #sizes: Uint32Array;
  #live: Uint8Array;
  #released: Uint32Array;
  #releasedCount = 0;

  /** `limit` is the largest number of slots that can be taken. When it is known, room for all is made at once. */
  constructor(limit = Number.POSITIVE_INFINITY) {
    const room = limit === Number.POSITIVE_INFINITY ? FIRST_ROOM : limit;
    this.#limit = limit;
    this.#sizes = new Uint32Array(room);
    this.#live = new Uint8Array(room);
    this.#released = new Uint32Array(room);
  }

  take(slot: number, size: number): string | undefined {
    const expected = this.nextSlot();
    if (slot !== expected) {
      if (this.isLive(slot)) return `takes slot ${slot}, which is live`;
      return `takes slot ${slot}, but slot ${expected} is the next by the order of release`;
    }
    if (slot >= this.#limit) return `takes slot ${slot}, but there are only ${this.#limit} slots`;
    if (slot >= this.#live.length) this.#widen();
    if (this.#releasedCount > 0) this.#releasedCount--;
    else this.slotCount++;
    this.#live[slot] = 1;
    this.#sizes[slot] = size;
    this.#add(size, size);
    return undefined;
  }

  resize(slot: number, size: number): string | undefined {
    if (!this.isLive(slot)) return `resizes slot ${slot}, which is not live`;
    const old = this.#sizes[slot] ?? 0;
    this.#sizes[slot] = size;
    this.#add(size - old, size);
    return undefined;
  }

  release(slot: number): string | undefined {
    if (!this.isLive(slot)) return `frees slot ${slot}, which is not live`;
    this.#live[slot] = 0;
    this.#released[this.#releasedCount++] = slot;
    this.liveBytes -= this.#sizes[slot] ?? 0;
    return undefined;
  }

  isLive(slot: number): boolean {
    return this.#live[slot] === 1;
  }

  /** The slot that the next allocation has to take. */
  nextSlot(): number {
    return this.#releasedCount > 0 ? (this.#released[this.#releasedCount - 1] ?? 0) : this.slotCount;
  }

  #widen(): void {
    const room = this.#live.length * 2;
    const live = new Uint8Array(room);
    live.set(this.#live);
    this.#live = live;
    this.#sizes = widened(this.#sizes, room);
    this.#released = widened(this.#released, room);
  }

  #add(grownBytes: number, allocatedBytes: number): void {
    this.liveBytes += grownBytes;
    this.totalAllocatedBytes += allocatedBytes;
    if (this.liveBytes > this.peakLiveBytes) this.peakLiveBytes = this.liveBytes;
  }
}

function widened(words: Uint32Array, room: number): Uint32Array {
  const wider = new Uint32Array(room);
  wider.set(words);
  return wider;
}
